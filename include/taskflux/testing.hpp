#pragma once

// For tests of programs that use taskflux: not part of the umbrella, include it by itself.
#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker_options.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux::testing {

/// An embedded broker in virtual time: a day passes in a moment, and each run of a test is the same.
///
///     taskflux::testing::environment test;
///     taskflux::worker worker{test.broker(), test.options()};
///     worker.on(remind, on_remind);
///     test.start(worker.run());
///     BOOST_TEST(test.run(taskflux::client{test.broker()}.run(remind, "tomorrow")) == "reminded");
///
/// Everything runs on the thread that calls these functions. Declare it before whatever uses it.
class environment {
public:
    explicit environment(const memory_options& options = memory_options())
        : broker_(make_memory_broker(io_.get_executor(), options, clock_)) {}

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
        asio::co_spawn(io_, std::move(coroutine), [failure = failure_](std::exception_ptr error, auto&&...) {
            if (error && !*failure) *failure = std::move(error);
        });
        run_until_idle();
    }

    /// Runs what is ready. Time stands still.
    void run_until_idle() {
        do io_.restart();
        while (io_.poll() != 0);
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
    template <class T>
    T run(asio::awaitable<T> coroutine, duration limit = std::chrono::hours(24 * 7)) {
        using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
        struct ending {
            bool is_over = false;
            std::exception_ptr failure;
            std::optional<stored> value;
        };
        const auto end = std::make_shared<ending>();
        asio::co_spawn(io_, std::move(coroutine), [end](std::exception_ptr error, auto&&... value) {
            end->is_over = true;
            end->failure = std::move(error);
            if (!end->failure) end->value.emplace(std::forward<decltype(value)>(value)...);
        });
        run_until_idle();
        const auto last = later(clock_.now(), limit);
        while (!end->is_over) {
            if (clock_.now() >= last) throw std::logic_error("testing: the coroutine has not ended within its limit of virtual time");
            if (clock_.next() == never) throw std::logic_error("testing: the coroutine can't end: nothing waits for time to pass");
            pass_to((std::min)(clock_.next(), last));
        }
        if (end->failure) std::rethrow_exception(end->failure);
        if constexpr (!std::is_void_v<T>) return std::move(*end->value);
    }

private:
    void pass_to(time_point when) {
        if (when > clock_.now()) clock_.advance(when - clock_.now());
        run_until_idle();
    }

    manual_clock clock_;
    asio::io_context io_{1};
    const broker_ptr broker_;
    const std::shared_ptr<std::exception_ptr> failure_ = std::make_shared<std::exception_ptr>();
};

}  // namespace taskflux::testing
