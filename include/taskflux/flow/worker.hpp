#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/stream/emitting.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/given_function.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker/control.hpp>
#include <taskflux/flow/worker/typed_batch_handler.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// Runs handlers for the tasks in a broker's queues.
///
/// Register handlers with `on`, then await `run`. While it runs, a worker has one thread of its own that
/// renews its lease, and a pool for plain functions if there are any; see `worker_options`. Must not outlive
/// the execution context of its broker. Call `on` and then `run` on one thread; the functions after `run` are for any thread,
/// at any time, but for `queues` and `tasks`, which are so once `run` has been called.
class worker {
public:
    explicit worker(broker_ptr broker, worker_options options = worker_options())
        : control_(std::make_shared<detail::worker_control>(std::move(broker), std::move(options))) {}

    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Abandons coroutines that still run; waits for plain functions that run on the worker's own threads.
    ~worker();

    /// Sets the handler for a contract's tasks. It takes the payload, or a `context&` and the payload; and
    /// returns the result, or an `asio::awaitable` of it. Coroutines run on the broker's executor, plain
    /// functions on the CPU pool; up to `concurrency` of both at a time, on several threads if there are.
    ///
    /// A handler that throws fails its attempt, and the retry policy decides what follows; `retry_after`, `throttled`
    /// and `discard` override the policy. Errors: `errc::invalid_argument` for a second handler and for an empty function,
    /// `errc::wrong_state` once `run` has been called.
    template <class R, class P, class Function>
    worker& on(const detail::contract<R, P>& contract, Function handler) {
        detail::require_given(handler, "task", contract.name());
        control_->add(std::string(contract.name()), contract.options().queue(),
                      detail::make_handler<R, P, context>(std::move(handler), contract.options().policy().retry.retry_if()));
        return *this;
    }

    /// Sets the handler for tasks that emit values: a coroutine of `asio::awaitable<void>` that takes an `emitter<T>&` and the
    /// payload, with a `context&` in front of them if it wants one. An attempt after a failed one must emit the same values
    /// again; the reader gets those that it has not received. Errors: as of the other `on`.
    template <class T, class P, class Function>
    worker& on(const detail::stream_contract<T, P>& contract, Function handler) {
        detail::require_given(handler, "task", contract.name());
        control_->add(std::string(contract.name()), contract.options().queue(),
                      detail::emitting_handler<T, P, Function, context>(std::move(handler),
                                                                         contract.options().policy().retry.retry_if()));
        return *this;
    }

    /// Sets a handler that takes several tasks at a time, as `options` say: a coroutine or a plain function of a
    /// `std::span<batch_item<Payload>>`, which returns a `std::vector` of their results, in their order (nothing where the
    /// Result is void). A batch takes one slot. Each item stays a task: with its own lease token, attempt, retries,
    /// cancellation, log and end.
    ///
    /// An item that `batch_item::fail` names fails alone. What the handler throws fails all others, each by its own retry policy,
    /// as does a vector of another length. The shortest timeout, and the earliest deadline, of the items bounds the handler: all
    /// that it has not ended by then fail. A cancelled item is told (`batch_item::cancelled`); the handler is cancelled when all
    /// are, as after a lost lease. A payload that can't be read fails by itself. Errors: as of `on`.
    template <class R, class P, class Key, class Function>
    worker& on_batch(const detail::contract<R, P>& contract, batch_options<Key> options, Function handler) {
        detail::require_given(handler, "task", contract.name());
        control_->add(std::string(contract.name()), contract.options().queue(),
                      detail::make_batch_handler<R, P>(std::move(handler), std::move(options),
                                                       contract.options().policy().retry.retry_if()));
        return *this;
    }

    /// Refused: the values of a task go to its own reader.
    template <class T, class P, class Key, class Function>
    worker& on_batch(const detail::stream_contract<T, P>&, batch_options<Key>, Function) {
        static_assert(!std::is_same_v<T, T>, "tasks that emit values can't be handled in batches: use on()");
        return *this;
    }

    /// Declares the limit of a queue, for all workers of that queue in all programs; an empty one takes an earlier
    /// declaration back. It is declared when the worker begins, and again whenever it has lost its lease, as when the server was
    /// emptied; the last declaration counts, and a limit that `queue_control` has set live counts in its place. A worker
    /// that does not serve the queue says so in its log, as the name may be misspelt; `queue_control::declare_limit` is for others.
    /// Errors: `errc::invalid_argument` for an invalid queue name, and a queue that has one from this worker;
    /// `errc::wrong_state` once `run` has been called.
    worker& limit(std::string queue, const taskflux::limit& value) {
        control_->limit(std::move(queue), std::nullopt, value);
        return *this;
    }

    /// Like `limit`, for each key of the queue (see `submit_options::key`), or for one key, for which that counts in place of what
    /// each has. Errors: also `errc::invalid_argument` for the key.
    worker& key_limit(std::string queue, const taskflux::limit& value) {
        control_->limit(std::move(queue), std::string(), value);
        return *this;
    }
    worker& key_limit(std::string queue, std::string key, const taskflux::limit& value) {
        detail::check_name(detail::limits::key, key);
        control_->limit(std::move(queue), std::move(key), value);
        return *this;
    }

    /// Fetches and runs tasks until it is cancelled or `stop` is called; then fetches no more, lets handlers finish
    /// within `drain_for`, cancels the others, reports to the broker and returns. Returns normally when cancelled.
    /// Errors: `errc::shut_down` when the broker is closed, unless the worker was stopped before; `errc::wrong_state` when it
    /// has been called before.
    asio::awaitable<void> run() { return control_->run(); }

    /// Ends `run` as cancelling it does; a `run` that is called later ends at once.
    void stop() { control_->stop(); }

    /// Like `stop`, but cancels the handlers at once; their tasks are given back.
    void stop_now() { control_->stop_now(); }

    /// How many attempts are queued and running in this worker, and how many have ended, by kind of end.
    executor_counts counts() const { return control_->counts(); }

    /// Changes how many attempts run at a time, from now on. Errors: `errc::invalid_argument` for 0.
    void set_concurrency(std::size_t slots) { control_->set_concurrency(slots); }
    std::size_t concurrency() const { return control_->concurrency(); }

    /// Fetches no more tasks until `resume`; those that run go on.
    void pause() { control_->pause(true); }
    void resume() { control_->pause(false); }
    bool is_paused() const { return control_->is_paused(); }

    /// The queues that it fetches from.
    std::vector<std::string> queues() const { return control_->queues(); }

    /// The names of the tasks that it has handlers for, sorted.
    std::vector<std::string> tasks() const { return control_->tasks(); }

private:
    friend class node;

    const std::shared_ptr<detail::worker_control> control_;
};

}  // namespace taskflux
