#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker/weighted_queue.hpp>
#include <taskflux/flow/worker_observer.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// How a worker works. Setters may be chained; the same name without an argument reads.
class worker_options {
public:
    worker_options() {}

    /// The queues to serve, strictly in this order: a later one only when the ones before are empty. By
    /// default the queues of the registered contracts.
    worker_options& queues(std::vector<std::string> names) {
        queues_.clear();
        for (auto& name : names) add(std::move(name), 1);
        is_strict_ = true;
        return *this;
    }

    /// The queues to serve, with a weight of 1 or more each: a queue of weight 2 is fetched from first twice as often
    /// as one of weight 1. No queue starves.
    worker_options& weighted_queues(const std::vector<std::pair<std::string, unsigned>>& weights) {
        queues_.clear();
        for (const auto& [name, weight] : weights) add(name, weight);
        is_strict_ = false;
        return *this;
    }

    /// How many tasks run at a time; default 16, at least 1.
    worker_options& concurrency(std::size_t tasks) {
        if (tasks == 0) throw error(errc::invalid_argument, "worker_options: concurrency must be at least 1");
        return concurrency_ = tasks, *this;
    }

    /// How many more tasks are fetched ahead; default 0. That saves round trips for short tasks, and withholds long
    /// ones from other workers.
    worker_options& prefetch(std::size_t tasks) { return prefetch_ = tasks, *this; }

    /// Threads for handlers that are plain functions, started by `run` when there is such a handler, up to 1000; 0
    /// (the default): as many as the machine has cores.
    worker_options& cpu_threads(std::size_t threads) {
        return cpu_threads_ = detail::checked_threads(threads, "worker_options"), *this;
    }

    /// The executor of plain functions; the worker then starts no threads for them.
    worker_options& cpu(asio::any_io_executor executor) { return cpu_ = std::move(executor), *this; }

    /// The timeout of an attempt at a task that has none of its own; zero (the default): none.
    worker_options& timeout(duration limit) {
        return timeout_ = detail::not_negative(limit, "timeout"), *this;
    }

    /// How long a worker keeps its tasks without a heartbeat; default 30 s, at least 100 ms. Each heartbeat renews
    /// the lease, after a third of it.
    worker_options& lease(duration length) {
        return lease_ = detail::checked_lease(length, "worker_options"), *this;
    }

    /// Whether the lease is renewed on a thread of its own (the default), so that a handler which blocks the I/O
    /// thread can't stop the heartbeat. If not, it is renewed on the I/O executor.
    worker_options& renewal_thread(bool on) { return renewal_thread_ = on, *this; }

    /// When the I/O executor has been blocked for this long, the lease is no longer renewed and other workers take
    /// over; default 5 minutes, zero: never. Needs the renewal thread.
    worker_options& stuck_after(duration limit) { return stuck_after_ = detail::not_negative(limit, "stuck_after"), *this; }

    /// How long a worker tries to reach the broker when it starts, before `run` throws; default: for ever, with back-off and
    /// a line in the log for each attempt. The server may so be started after the worker.
    worker_options& start_timeout(duration limit) { return start_timeout_ = detail::not_negative(limit, "start_timeout"), *this; }

    /// How long a stopping worker lets its handlers finish before it cancels them; default 30 s.
    worker_options& drain_for(duration limit) { return drain_for_ = detail::not_negative(limit, "drain_for"), *this; }

    /// How long cancelled handlers then have to return before their tasks are given back all the same; default
    /// 5 s.
    worker_options& unwind_for(duration limit) { return unwind_for_ = detail::not_negative(limit, "unwind_for"), *this; }

    /// The node's name in records and logs; default: a UUID.
    worker_options& name(std::string node) {
        detail::check_name(detail::limits::worker, node, true);
        return name_ = std::move(node), *this;
    }

    /// Receives the log lines of handlers and of the worker itself; default: warnings and errors go to standard error.
    worker_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// Is told of failed attempts, blocked threads, and what nobody does, beside the log; default: none.
    worker_options& observer(std::shared_ptr<worker_observer> to) { return observer_ = std::move(to), *this; }

    /// Makes a span for each attempt; default: none. See also `client::traced_by`.
    worker_options& tracing(std::shared_ptr<tracer> by) { return tracer_ = std::move(by), *this; }

    /// When coroutine handlers run and the I/O executor has run nothing for this long, the log says that something blocks
    /// it; default 200 ms, zero: never. Needs the renewal thread.
    worker_options& blocked_after(duration limit) {
        return blocked_after_ = detail::not_negative(limit, "blocked_after"), *this;
    }

    /// Seeds the random order of weighted queues and the jitter of retries; default: random.
    worker_options& seed(std::uint32_t value) { return seed_ = value, *this; }

    const std::vector<weighted_queue>& queues() const { return queues_; }
    bool is_strict() const { return is_strict_; }
    std::size_t concurrency() const { return concurrency_; }
    std::size_t prefetch() const { return prefetch_; }
    std::size_t cpu_threads() const { return cpu_threads_; }
    const asio::any_io_executor& cpu() const { return cpu_; }
    duration timeout() const { return timeout_; }
    duration lease() const { return lease_; }
    bool renewal_thread() const { return renewal_thread_; }
    duration stuck_after() const { return stuck_after_; }
    const std::optional<duration>& start_timeout() const { return start_timeout_; }
    duration drain_for() const { return drain_for_; }
    duration unwind_for() const { return unwind_for_; }
    const std::string& name() const { return name_; }
    const log_sink& log() const { return log_; }
    const std::shared_ptr<worker_observer>& observer() const { return observer_; }
    const std::shared_ptr<tracer>& tracing() const { return tracer_; }
    duration blocked_after() const { return blocked_after_; }
    std::optional<std::uint32_t> seed() const { return seed_; }

private:
    void add(std::string name, unsigned weight) {
        detail::checked_name(name, "queue");
        if (weight == 0) {
            throw error(errc::invalid_argument,
                        "worker_options: the weight of queue " + name + " must be at least 1");
        }
        for (const auto& queue : queues_) {
            if (queue.name == name) {
                throw error(errc::invalid_argument,
                            "worker_options: queue " + name + " is listed twice: leave one out");
            }
        }
        queues_.push_back({std::move(name), weight});
    }

    std::vector<weighted_queue> queues_;
    bool is_strict_ = true;
    std::size_t concurrency_ = 16;
    std::size_t prefetch_ = 0;
    std::size_t cpu_threads_ = 0;
    asio::any_io_executor cpu_;
    duration timeout_{};
    duration lease_ = std::chrono::seconds(30);
    bool renewal_thread_ = true;
    duration stuck_after_ = std::chrono::minutes(5);
    std::optional<duration> start_timeout_;
    duration drain_for_ = std::chrono::seconds(30);
    duration unwind_for_ = std::chrono::seconds(5);
    std::string name_;
    log_sink log_;
    std::shared_ptr<worker_observer> observer_;
    std::shared_ptr<tracer> tracer_;
    duration blocked_after_ = std::chrono::milliseconds(200);
    std::optional<std::uint32_t> seed_;
};

}  // namespace taskflux
