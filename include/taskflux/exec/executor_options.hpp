#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/time.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace taskflux {

/// Options of one submission, which override those of its executor. Setters may be chained; the same name
/// without an argument reads, and is empty where nothing was set.
class run_options {
public:
    run_options() = default;

    /// When and how often a failed attempt is retried.
    run_options& retry(retry_policy policy) {
        retry_ = policy;
        return *this;
    }

    /// Each attempt is cancelled after this long and counts as failed with `timed_out`; zero = no limit.
    run_options& timeout(duration limit) {
        timeout_ = limit;
        return *this;
    }

    /// The job is cancelled with `timed_out` this long after its submission, waiting and back-off included; zero =
    /// no limit.
    run_options& deadline(duration limit) {
        deadline_ = limit;
        return *this;
    }

    const std::optional<retry_policy>& retry() const noexcept { return retry_; }
    std::optional<duration> timeout() const noexcept { return timeout_; }
    std::optional<duration> deadline() const noexcept { return deadline_; }

private:
    std::optional<retry_policy> retry_;
    std::optional<duration> timeout_;
    std::optional<duration> deadline_;
};

/// How an `executor` works. Setters may be chained; the same name without an argument reads.
class executor_options {
public:
    executor_options() = default;

    /// How many jobs run at a time; default 16. Errors: `invalid_argument` for zero.
    executor_options& concurrency(std::size_t n) {
        if (n == 0) throw error(errc::invalid_argument, "executor_options: concurrency must be at least 1");
        concurrency_ = n;
        return *this;
    }

    /// How many jobs may be queued; a further submission fails with `queue_full`; zero (the default) = no limit.
    executor_options& queue_limit(std::size_t n) noexcept {
        queue_limit_ = n;
        return *this;
    }

    /// The retry policy of submissions that have none of their own; default: no retries.
    executor_options& retry(retry_policy policy) {
        defaults_.retry(policy);
        return *this;
    }

    /// The timeout of each attempt, unless a submission sets its own; zero (the default) = none.
    executor_options& timeout(duration limit) {
        defaults_.timeout(limit);
        return *this;
    }

    /// The time from submission to the end, unless a submission sets its own; zero (the default) = no limit.
    executor_options& deadline(duration limit) {
        defaults_.deadline(limit);
        return *this;
    }

    /// Where plain functions run; by default where coroutines do. A pool of its own keeps long computations
    /// off the I/O thread.
    executor_options& cpu(asio::any_io_executor ex) {
        cpu_ = std::move(ex);
        return *this;
    }

    /// Where time comes from, see `clock::shared`. Default: `real_clock()`.
    executor_options& clock(taskflux::clock& source) {
        clock_ = source.shared();
        return *this;
    }

    /// Seeds the jitter of retries; by default it is random.
    executor_options& seed(std::uint32_t value) noexcept {
        seed_ = value;
        return *this;
    }

    /// Called with each error that no caller sees: those of spawned jobs whose handle was dropped. Called on the
    /// thread on which the job ended or the handle was dropped; exceptions from it are ignored.
    executor_options& on_error(std::function<void(std::exception_ptr)> callback) {
        on_error_ = std::move(callback);
        return *this;
    }

    std::size_t concurrency() const noexcept { return concurrency_; }
    std::size_t queue_limit() const noexcept { return queue_limit_; }
    const run_options& defaults() const noexcept { return defaults_; }
    const asio::any_io_executor& cpu() const noexcept { return cpu_; }
    taskflux::clock& clock() const noexcept { return *clock_; }
    std::optional<std::uint32_t> seed() const noexcept { return seed_; }
    const std::function<void(std::exception_ptr)>& on_error() const noexcept { return on_error_; }

private:
    std::size_t concurrency_ = 16;
    std::size_t queue_limit_ = 0;
    run_options defaults_;
    asio::any_io_executor cpu_;
    std::shared_ptr<taskflux::clock> clock_ = real_clock().shared();
    std::optional<std::uint32_t> seed_;
    std::function<void(std::exception_ptr)> on_error_;
};

/// How many jobs an executor has, and how many have ended. Approximate while several threads work.
struct executor_counts {
    std::size_t queued = 0;       ///< not started yet
    std::size_t running = 0;      ///< in an attempt
    std::size_t waiting = 0;      ///< for their next attempt (back-off)
    std::uint64_t succeeded = 0;  ///< since the executor was made, and so the following
    std::uint64_t failed = 0;     ///< ended with an error, `timed_out` included
    std::uint64_t cancelled = 0;
    std::uint64_t retried = 0;  ///< attempts that are followed by another: they have failed, or paused (workflows)

    friend bool operator==(const executor_counts&, const executor_counts&) = default;
};

}  // namespace taskflux
