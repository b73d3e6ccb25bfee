#pragma once

// For tests of programs that use taskflux: not part of the umbrella, include it by itself.
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/calls/call_context.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/one_thread.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/context.hpp>
#include <taskflux/flow/worker_options.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/testing/hand_made.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux::testing {

/// An embedded broker in virtual time: a day passes in a moment, and each run of a test is the same.
///
///     taskflux::testing::environment test;
///     taskflux::worker worker{test.broker(), test.options()};
///     worker.on(remind, on_remind);
///     test.start(worker.run());
///     BOOST_TEST(test.run(taskflux::client{test.broker()}.run(remind, "tomorrow")) == "reminded");
///
/// Everything runs on the thread that calls these functions: the `run` of a worker that was not made with `options()`, or of a
/// service or scheduler with plain functions on other threads, throws `invalid_argument`. Declare it before whatever uses it.
class environment {
public:
    explicit environment(const memory_options& options = memory_options())
        : broker_(make_memory_broker(io_.get_executor(), options, clock_)) {
        detail::one_thread::mark(io_);
    }

    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;

    asio::io_context& context() { return io_; }
    asio::any_io_executor get_executor() { return io_.get_executor(); }
    manual_clock& clock() { return clock_; }
    const broker_ptr& broker() const { return broker_; }

    /// `wanted`, for a worker in this environment: plain functions run on this thread too, and no other thread renews the lease.
    worker_options options(worker_options wanted = worker_options()) {
        return std::move(wanted.renewal_thread(false).cpu(io_.get_executor()));
    }

    /// Spawns a coroutine that runs beside the test. What it throws comes out of the next call that runs something.
    template <class T>
    void start(asio::awaitable<T> coroutine) {
        check(coroutine);
        asio::co_spawn(io_, std::move(coroutine), [failure = failure_](std::exception_ptr error, auto&&...) {
            if (error && !*failure) *failure = std::move(error);
        });
        run_until_idle();
    }

    /// Runs what is ready. Time stands still. Errors, as of all functions that run something: `std::logic_error` when it is called
    /// by what it runs.
    void run_until_idle() {
        check_turn();
        poll();
        if (*failure_) std::rethrow_exception(std::exchange(*failure_, nullptr));
    }

    /// Moves time on to the next moment that anything waits for, and runs what it makes ready. False: nothing waits.
    bool advance_to_next() {
        run_until_idle();
        const auto next = clock_.next();
        if (next == never) return false;
        pass_to(next);
        return true;
    }

    /// Moves time on by `by`, in order through all moments that anything waits for.
    void advance(duration by) {
        run_until_idle();
        const auto end = later(clock_.now(), by);
        for (auto next = clock_.next(); next <= end && next != never; next = clock_.next()) pass_to(next);
        pass_to(end);
    }

    /// Runs a coroutine to its end, and returns or throws what it does. Whenever nothing else can happen, time moves on.
    /// Errors: `std::logic_error` when it has not ended within `limit` of virtual time, default a week, or nothing waits for time.
    /// `stop`: cancels it. It is also cancelled when this throws before its end, as what it refers to may be gone then.
    template <class T>
    T run(asio::awaitable<T> coroutine, duration limit = std::chrono::hours(24 * 7),
          asio::cancellation_slot stop = asio::cancellation_slot()) {
        check(coroutine);
        using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
        struct ending {
            bool is_over = false;
            std::exception_ptr failure;
            std::optional<stored> value;
            asio::cancellation_signal stop;
        };
        const auto end = std::make_shared<ending>();
        if (stop.is_connected()) stop.assign([end](asio::cancellation_type how) { end->stop.emit(how); });
        auto on_end = [end](std::exception_ptr error, auto&&... value) {
            end->is_over = true;
            end->failure = std::move(error);
            if (!end->failure) end->value.emplace(std::forward<decltype(value)>(value)...);
        };
        asio::co_spawn(io_, std::move(coroutine), asio::bind_cancellation_slot(end->stop.slot(), std::move(on_end)));
        try {
            run_until_idle();
            const auto last = later(clock_.now(), limit);
            while (!end->is_over) {
                if (clock_.now() >= last) throw stuck("has not ended within its limit of virtual time");
                if (clock_.next() == never) throw stuck("can't end: nothing waits for time to pass");
                pass_to((std::min)(clock_.next(), last));
            }
        } catch (...) {
            end->stop.emit(asio::cancellation_type::terminal);
            poll();
            throw;
        }
        if (end->failure) std::rethrow_exception(end->failure);
        if constexpr (!std::is_void_v<T>) return std::move(*end->value);
    }

private:
    /// While it lives something is run.
    class turn {
    public:
        explicit turn(bool& is_taken) : is_taken_(is_taken) { is_taken_ = true; }
        ~turn() { is_taken_ = false; }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;

    private:
        bool& is_taken_;
    };

    void check_turn() const {
        if (!is_running_) return;
        throw std::logic_error("testing: an environment is run by the test, and not by a handler or coroutine that runs in it: those "
                               "co_await");
    }

    template <class T>
    void check(const asio::awaitable<T>& coroutine) const {
        check_turn();
        if (!coroutine.valid()) throw std::logic_error("testing: the coroutine is empty: it was moved from, or has run");
    }

    void poll() {
        const turn running(is_running_);
        do io_.restart();
        while (io_.poll() != 0);
    }

    static std::logic_error stuck(const std::string& how) {
        return std::logic_error("testing: the coroutine " + how + "; what runs on threads of its own is not waited for: make workers "
                                "with environment::options(), and services and schedulers with cpu(environment::get_executor())");
    }

    void pass_to(time_point when) {
        if (when > clock_.now()) clock_.advance(when - clock_.now());
        run_until_idle();
    }

    manual_clock clock_;
    asio::io_context io_{1};
    const broker_ptr broker_;
    const std::shared_ptr<std::exception_ptr> failure_ = std::make_shared<std::exception_ptr>();
    bool is_running_ = false;
};

/// The context of a task that no worker runs, so that a test can call a handler as the function that it is:
///
///     taskflux::testing::task_context ctx{test, ship_order, taskflux::submit_options().header("customer", "7")};
///     BOOST_TEST(ctx.run(on_ship_order(ctx, order)) == 42);
///     BOOST_TEST(ctx.log().front().text == "shipped");
///
/// The task is real: it is in the environment's broker, and its handler may call subtasks (of workers in the environment), and
/// make steps. A handler that sleeps or waits for a signal stays where it is, in place of a pause. Must not outlive the
/// environment.
class task_context {
public:
    /// Name, timeout and deadline are those of the contract, where the options have no others; `attempt` is what
    /// `context::attempt` says. Throws `std::logic_error` where an own id of the options is taken.
    template <class R, class P>
    task_context(environment& in, const detail::contract<R, P>& task, const submit_options& options = submit_options(),
                 unsigned attempt = 1)
        : in_(in), attempt_(make(in, detail::spec_of(task, options), options, attempt)) {}

    /// What a handler takes.
    operator context&() { return attempt_->context(); }
    context& get() { return attempt_->context(); }
    const task_id& id() { return get().id(); }

    /// Like `environment::run`, for a handler's coroutine, which `cancel` cancels.
    template <class T>
    T run(asio::awaitable<T> handler) {
        return in_.run(std::move(handler), std::chrono::hours(24 * 7), attempt_->slot());
    }

    /// Stops the attempt as a worker does: `context::cancelled` is true from now on, and the coroutine in `run` is cancelled.
    void cancel(errc why = errc::cancelled) { attempt_->stop(why); }

    /// What the handler has reported as its progress, as JSON, and the lines of its log; oldest first.
    std::vector<std::string> progress() const { return attempt_->progress(); }
    std::vector<log_line> log() const { return attempt_->log(); }

private:
    static std::unique_ptr<detail::hand_made_attempt> make(environment& in, std::shared_ptr<const task_spec> spec,
                                                           const submit_options& options, unsigned attempt) {
        const std::string queue = "made-by-hand", consumer = uuid_generator().text();  // a queue that no worker serves
        const auto policy = spec->policy;
        const auto name = spec->name;
        const auto& broker = in.broker();
        std::vector<std::string> queues(1, queue);
        in.run(broker->join(consumer, queues, std::chrono::hours(24 * 365)));
        std::vector<new_task> tasks(1);
        tasks.front().spec = std::move(spec);
        tasks.front().payload = "null";
        tasks.front().own_id = options.id();
        const auto stored = in.run(broker->submit(queue, std::move(tasks)));
        if (stored.front().duplicate) {
            throw std::logic_error("no context can be made for task " + name + ": the environment has had a task of the id " +
                                   detail::in_quotes(options.id(), 200) + "; give each context an id of its own, or none");
        }
        fetch_request request;
        request.consumer = consumer;
        request.queues = std::move(queues);
        auto what = in.run(broker->fetch(std::move(request))).at(0);
        what.attempt = attempt;
        const auto ends = policy.timeout > duration::zero() ? later(in.clock().now(), policy.timeout) : never;
        const auto soonest = (std::min)(ends, what.deadline_at);
        return std::make_unique<detail::hand_made_attempt>(broker, consumer, queue, std::move(what), soonest);
    }

    environment& in_;
    std::unique_ptr<detail::hand_made_attempt> attempt_;
};

/// The context of a call that no service takes, so that a test can call a method as the function that it is. Must not outlive
/// the environment.
class method_context {
public:
    /// Headers and timeout are those of the options.
    template <class R, class P>
    method_context(environment& in, const detail::method_contract<R, P>& method, const call_options& options = call_options())
        : in_(in), stop_(in.get_executor()),
          context_(in.broker()->clock(), std::string(method.service()), std::string(method.name()), options.headers(),
                   later(in.clock().now(), options.timeout())) {}

    /// What a method takes.
    operator call_context&() { return context_; }
    call_context& get() { return context_; }

    /// Like `environment::run`, for a method's coroutine, which `cancel` cancels.
    template <class T>
    T run(asio::awaitable<T> method) {
        return in_.run(std::move(method), std::chrono::hours(24 * 7), stop_.slot());
    }

    /// Cancels the call as a service does whose caller has gone.
    void cancel() {
        context_.cancel();
        stop_.emit();
    }

private:
    environment& in_;
    detail::hand_stop stop_;
    call_context context_;
};

}  // namespace taskflux::testing
