#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/flow/worker/crew.hpp>
#include <taskflux/flow/worker/lease_keeper.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/outbox.hpp>
#include <taskflux/flow/worker/phase.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A worker while it runs: loops that fetch tasks for its crew, tell the broker what became of them, and keep
/// the lease. All of them are on one strand. Kept alive by its loops.
class worker_core final : public std::enable_shared_from_this<worker_core> {
public:
    /// `cpu` is where plain functions run. `queues` must not be empty.
    worker_core(broker_ptr broker, const worker_options& options, std::vector<weighted_queue> queues,
                std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// The worker's whole life: until `stop`, or until the broker is closed, which throws. `cpu_threads`, if it
    /// has any of its own, stay until nothing can be posted to them any more.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool> cpu_threads);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// Like `stop`, and cancels the handlers at once.
    void stop_now();

    /// For a worker that goes away while it runs: no thread of its own is left, and its handlers are cancelled.
    void abandon();

    executor_counts counts() const { return crew_->counts(); }

    /// Thread-safe.
    crew& attempts() { return *crew_; }
    const std::vector<weighted_queue>& queues() const { return queues_; }

private:
    using step = worker_phase::step;

    static std::vector<std::string> names_of(const std::vector<weighted_queue>& queues);
    static std::shared_ptr<const name_set> names_of(const handler_map& handlers);

    /// No task is fetched from now on, and the worker's end is as far as `to`.
    void end_fetching(step to);

    /// A loop ended with an error that it could not get over.
    void on_broken();

    asio::awaitable<void> fetch_loop();
    fetch_request next_request(const std::string& consumer, std::size_t room);

    /// So that the end of a short handler reaches the broker before the next fetch: who waits for it comes first while
    /// there is little to do.
    asio::awaitable<void> let_it_end();

    /// After a failed fetch: a new epoch when the lease is gone, otherwise patience. Throws when the broker
    /// has been closed.
    asio::awaitable<void> recover(std::exception_ptr failure, consumer_ptr who);

    asio::awaitable<void> settle_loop();

    /// Delivers beside the others: a queue that can't be reached must not hold up the rest.
    void send(outbox::parcel parcel);

    /// Tells the broker, again and again until it has heard or will not any more.
    asio::awaitable<void> deliver(outbox::parcel parcel);

    /// Hears of tasks that are to be cancelled, and of a lost lease.
    asio::awaitable<void> watch_loop();
    asio::awaitable<void> watch();

    /// On the strand, or on the keeper's thread. Throws only when it is cancelled.
    asio::awaitable<void> renew();
    void on_renewed(const consumer_ptr& who, const renewal& answer);

    /// What this consumer ran is others' now: their attempts count, not ours.
    void on_lost(const consumer_ptr& who);

    asio::awaitable<void> pause(unsigned failures);

    /// Lets the handlers end: by themselves, then cancelled, then not at all.
    asio::awaitable<void> drain();

    /// Thread-safe.
    void note(log_level level, std::string text) const;

    const broker_ptr broker_;
    const worker_options options_;
    const std::vector<weighted_queue> queues_;
    const std::shared_ptr<const name_set> names_;
    taskflux::clock& clock_;
    membership member_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<crew> crew_;

    // On the strand.
    std::minstd_rand random_;
    nursery loops_;
    nursery::child fetching_, settling_, watching_;
    worker_phase phase_;
    std::vector<std::string> busy_queues_;  // that are being told how tasks ended
    consumer_ptr lost_;  // the latest one whose lease was lost
    unsigned failures_ = 0;

    lease_keeper keeper_;  // uses all of the above
};

}  // namespace taskflux::detail
