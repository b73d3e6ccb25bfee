#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/handler.hpp>
#include <taskflux/flow/worker/core.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// Runs handlers for the tasks in a broker's queues.
///
/// Register handlers with `on`, then await `run`. While it runs, a worker has one thread of its own that
/// renews its lease, and a pool for plain functions if there are any; see `worker_options`. Must not outlive
/// the execution context of its broker. `on` and `run` are for one thread; `stop` and `counts` for any.
class worker {
public:
    explicit worker(broker_ptr broker, worker_options options = worker_options())
        : broker_(std::move(broker)), options_(std::move(options)),
          handlers_(std::make_shared<detail::handler_map>()) {}

    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Gives up what still runs; waits for plain functions that are under way.
    ~worker() {
        if (core_) core_->abandon();
        if (pool_) pool_->join();
    }

    /// Sets the handler for a contract's tasks. It takes the payload, or a `context&` and the payload; and
    /// returns the result, or an `asio::awaitable` of it. Coroutines run on the broker's executor, plain
    /// functions on the CPU pool; up to `concurrency` of both at a time, on several threads if there are.
    ///
    /// Throwing fails the attempt: the retry policy decides what follows. `retry_after` and `discard` decide
    /// themselves. Throws `errc::invalid_argument` for a second handler, `errc::wrong_state` once it runs.
    template <class R, class P, class Function>
    worker& on(const detail::contract<R, P>& contract, Function handler) {
        using call = detail::handler_call<Function, P>;
        static_assert(call::is_valid,
                      "this handler cannot be called with the task's payload: it must take (Payload) or "
                      "(taskflux::context&, Payload) as the contract names it");
        if constexpr (call::is_valid) {
            constexpr bool fits = detail::result_for<typename detail::handler_signature<Function, P>::result, R>;
            static_assert(fits, "this handler does not return the task's result: it must return the Result that the "
                                "contract names, or an asio::awaitable of it");
            if constexpr (!is_payload<P>) {
                detail::require_payload<P>();
            } else if constexpr (!is_payload<R>) {
                detail::require_payload<R>();
            } else if constexpr (fits) {
                add(std::string(contract.name()), contract.options().queue(),
                    std::make_unique<detail::typed_handler<R, P, Function>>(
                        std::move(handler), contract.options().policy().retry.retry_if()));
            }
        }
        return *this;
    }

    /// Fetches and runs tasks until it is cancelled or `stop` is called; then takes no more, lets the handlers
    /// end within `drain_for`, cancels the rest, tells the broker and returns. Returns normally when cancelled.
    /// Throws `errc::shut_down` when the broker is closed, `errc::wrong_state` when it runs already.
    asio::awaitable<void> run() {
        if (core_) throw error(errc::wrong_state, "this worker has been run already");
        auto queues = options_.queues().empty() ? contract_queues_ : options_.queues();
        if (handlers_->empty()) throw error(errc::invalid_argument, "a worker needs a handler: call on() before run()");
        core_ = std::make_shared<detail::worker_core>(broker_, options_, std::move(queues), handlers_, cpu());
        if (is_stopped_) core_->stop();
        return run_core(core_, pool_);
    }

    /// Ends `run` as cancelling it does, also one that has not been called yet. Thread-safe once `run` has been
    /// called.
    void stop() {
        if (core_) return core_->stop();
        is_stopped_ = true;
    }

    /// How many attempts are queued and running here, and how many have ended in which way.
    executor_counts counts() const { return core_ ? core_->counts() : executor_counts{}; }

private:
    using core_ptr = std::shared_ptr<detail::worker_core>;

    void add(std::string name, std::string_view queue, std::unique_ptr<detail::handler> handler) {
        if (core_) throw error(errc::wrong_state, "task " + name + ": handlers are set before run()");
        if (handlers_->contains(name)) throw error(errc::invalid_argument, "task " + name + " has a handler already");
        const auto same = [&](const weighted_queue& known) { return known.name == queue; };
        if (std::ranges::none_of(contract_queues_, same)) contract_queues_.push_back({std::string(queue), 1});
        handlers_->emplace(std::move(name), std::move(handler));
    }

    asio::any_io_executor cpu() {
        const auto is_plain = [](const auto& named) { return named.second->kind() == detail::job::kind::plain; };
        if (options_.cpu() || std::ranges::none_of(*handlers_, is_plain)) return options_.cpu();
        const auto threads = options_.cpu_threads() > 0 ? options_.cpu_threads() : std::thread::hardware_concurrency();
        pool_ = std::make_shared<asio::thread_pool>((std::max)(threads, std::size_t(1)));
        return pool_->get_executor();
    }

    /// Cancelling this coroutine stops the core, which then ends in its own time.
    static asio::awaitable<void> run_core(core_ptr core, std::shared_ptr<asio::thread_pool> pool) {
        co_await asio::async_initiate<const asio::deferred_t, void(std::exception_ptr)>(
            [](auto handler, core_ptr running, std::shared_ptr<asio::thread_pool> threads) {
                if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
                    slot.assign([weak = std::weak_ptr(running)](asio::cancellation_type) {
                        if (const auto alive = weak.lock()) alive->stop();
                    });
                }
                const auto strand = running->strand();
                auto executor = asio::get_associated_executor(handler, strand);
                auto on_end = [handler = std::move(handler)](std::exception_ptr error) mutable {
                    std::move(handler)(std::move(error));
                };
                asio::co_spawn(strand, running->live(std::move(threads)),
                               asio::bind_executor(std::move(executor), std::move(on_end)));
            },
            asio::deferred, core, std::move(pool));
    }

    broker_ptr broker_;
    worker_options options_;
    std::shared_ptr<detail::handler_map> handlers_;
    std::vector<weighted_queue> contract_queues_;
    std::shared_ptr<asio::thread_pool> pool_;
    core_ptr core_;
    bool is_stopped_ = false;  // before it ran
};

}  // namespace taskflux
