#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/flow/worker/crew.hpp>
#include <taskflux/flow/worker/lease_keeper.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/monitor.hpp>
#include <taskflux/flow/worker/pending_reports.hpp>
#include <taskflux/flow/worker/phase.hpp>
#include <taskflux/flow/worker/unclaimed_watch.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A worker while it runs: loops that fetch tasks for its crew, report their ends to the broker, and renew the lease.
/// All of them are on one strand. Kept alive by its loops.
class worker_core final : public std::enable_shared_from_this<worker_core> {
public:
    /// `cpu` is where plain functions run. `queues` must not be empty.
    worker_core(broker_ptr broker, const worker_options& options, std::vector<weighted_queue> queues,
                queue_limit_map limits, std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Runs the worker until `stop`, or until the broker is closed, which throws unless it has been stopped. The worker's own
    /// `cpu_threads`, if any, live until nothing can be posted to them any more.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool> cpu_threads);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// Like `stop`, but cancels the handlers at once.
    void stop_now();

    /// For a worker that is destroyed while it runs: ends its threads, and cancels its handlers.
    void abandon();

    executor_counts counts() const { return crew_->counts(); }

    /// Thread-safe.
    crew& attempts() { return *crew_; }
    const std::vector<weighted_queue>& queues() const { return queues_; }

private:
    using step = worker_phase::step;

    /// Joins its queues; tries again while the broker can't be reached.
    asio::awaitable<void> join();

    /// Fetches no more tasks, and goes on to the phase `to`.
    void end_fetching(step to);

    /// A loop has ended with an error that it can't handle, or the broker has been closed.
    void on_broken();

    asio::awaitable<void> fetch_loop();

    /// Joins under a new name; the one that lost its lease leaves the queues where it still has one when its attempts have
    /// ended and been reported, so that what they held is given back.
    asio::awaitable<void> rejoin();
    asio::awaitable<void> depart();

    /// Asks for one task that it has a handler for, and does not wait; `next_request` for all that there is room for.
    fetch_request request_for(const std::string& consumer);
    fetch_request next_request(const std::string& consumer);

    /// Starts attempts at fetched tasks, or gives them back if it is too late.
    void take(std::vector<delivery> found, const consumer_ptr& who);

    /// Fetches what there is now for the batches that are open.
    asio::awaitable<void> fill_batches(consumer_ptr who);

    /// Starts batches when they have lingered long enough, and fetches for them while there is no room for other tasks.
    asio::awaitable<void> linger_loop();
    asio::awaitable<void> wish_loop();

    /// Lets a short handler end before the next fetch, so that a caller which waits for its result gets it sooner while the
    /// worker has little to do.
    asio::awaitable<void> let_it_end();

    /// After a failed fetch: backs off, unless the lease is lost. Throws when the broker has been closed.
    asio::awaitable<void> recover(std::exception_ptr failure, consumer_ptr who);

    asio::awaitable<void> settle_loop();

    /// Sends in a coroutine of its own, so that a queue that can't be reached does not delay the others.
    void send(pending_reports::batch batch);
    asio::awaitable<void> carry(pending_reports::batch batch);

    /// Sends a batch to the broker, with retries until it is accepted or the worker ends.
    asio::awaitable<void> deliver(pending_reports::batch batch);

    /// Waits for tasks that must be cancelled, and for a lost lease.
    asio::awaitable<void> watch_loop();
    asio::awaitable<void> watch();

    /// Starts the keeper's thread, which also says when a handler blocks the thread of the strand.
    void start_keeper();

    /// Renews the lease; begins on the strand or on the keeper's thread. Throws only when it is cancelled.
    asio::awaitable<void> renew();
    void on_renewed(const consumer_ptr& who, const renewal& answer);

    /// Carries on operations of these queues that nobody else does: such as have come no further since the last look.
    asio::awaitable<void> carry_operations(std::vector<std::string> queues);
    asio::awaitable<void> carry_operations_of(std::string queue);

    /// Cancels the handlers of a consumer whose lease is lost: other workers run its tasks now.
    void on_lost(const consumer_ptr& who);

    asio::awaitable<void> back_off(unsigned failures);

    /// Waits for the handlers to finish, then cancels them, then gives their tasks back.
    asio::awaitable<void> drain();

    /// Sends the pending reports once more: while `drain_for` lasts, and a little longer.
    asio::awaitable<void> hand_in(time_point stopped_at);
    asio::awaitable<void> give_up_at(time_point when);
    asio::awaitable<void> leave();

    const broker_ptr broker_;
    const worker_options options_;
    const std::vector<weighted_queue> queues_;
    const std::shared_ptr<const name_set> names_;
    taskflux::clock& clock_;
    membership member_;
    const std::shared_ptr<const worker_monitor> monitor_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<crew> crew_;
    lifetime life_;
    std::atomic<time_point> renewed_at_ = time_point();

    // On the strand.
    std::minstd_rand random_;
    nursery loops_;
    nursery::child joining_, fetching_, lingering_, wishing_, settling_, watching_, handing_in_, carrying_;
    nursery deliveries_, departures_;
    worker_phase phase_;
    bool is_watching_ = false;  // waits for cancels, rather than for an answer to a renewal
    bool is_given_up_ = false;  // what has not been reported by now is not reported
    std::vector<std::string> busy_queues_;  // to which a batch is being sent
    std::string lost_;  // the latest consumer whose lease was lost
    unsigned failures_ = 0;
    unclaimed_watch unclaimed_;
    std::map<std::string, std::map<std::string, std::uint64_t>> operations_;  // by queue and id: where they were at the last look
    std::string trouble_;  // why the last fetch has failed, which is told once

    lease_keeper keeper_;  // uses all of the above
};

}  // namespace taskflux::detail
