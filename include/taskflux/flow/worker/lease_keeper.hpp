#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/here_first.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// A thread that renews a lease, also while a handler blocks the I/O thread, until that has been blocked for so long that
/// it counts as stuck. Thread-safe.
class lease_keeper {
public:
    using renew = std::function<asio::awaitable<void>()>;  // must not throw

    /// Begins `action` every `period` (of real time; at most an hour) on a thread of its own, unless the last one has not ended,
    /// or `watched` has run nothing for `stuck_after` by `clock` (zero: always). Where `action` waits, it goes on on `watched`,
    /// and may outlive this.
    lease_keeper(duration period, duration stuck_after, taskflux::clock& clock, asio::any_io_executor watched,
                 renew action)
        : period_(period), stuck_after_(stuck_after), clock_(clock), watched_(std::move(watched)),
          action_(std::move(action)) {}

    lease_keeper(const lease_keeper&) = delete;
    lease_keeper& operator=(const lease_keeper&) = delete;
    ~lease_keeper() { stop(); }

    /// From `start` on, runs this on the same thread; it must not throw.
    void run_beside(asio::awaitable<void> more) { spawn_ignoring_errors(context_.get_executor(), std::move(more)); }

    /// Starts the thread; does nothing after `stop`.
    void start() {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) return;
        spawn_ignoring_errors(context_.get_executor(), keep());  // `renew` throws nothing
        thread_ = std::thread([this] { context_.run(); });
    }

    /// Ends the thread, and waits for its end.
    void stop() {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

private:
    void begin() {
        if (is_under_way_->exchange(true)) return;
        spawn_ignoring_errors(here_first(std::this_thread::get_id(), watched_), carry_out(action_(), is_under_way_));
    }

    static asio::awaitable<void> carry_out(asio::awaitable<void> action, std::shared_ptr<std::atomic<bool>> is_under_way) {
        co_await std::move(action);
        *is_under_way = false;  // here: where this has not waited, Asio posts the end to `watched_`, which may be blocked
    }

    asio::awaitable<void> keep() {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const auto is_alive = std::make_shared<std::atomic<bool>>(true);
        auto asked_at = clock_.now();
        for (;;) {
            if (is_alive->exchange(false)) {
                asked_at = clock_.now();
                asio::post(watched_, [is_alive] { *is_alive = true; });
            }
            constexpr duration longest = std::chrono::hours(1);  // in nanoseconds, very long ones overflow
            timer.expires_after((std::min)(period_, longest));
            co_await timer.async_wait(asio::deferred);
            const bool is_stuck = !*is_alive && stuck_after_ > duration::zero() && clock_.now() - asked_at >= stuck_after_;
            if (!is_stuck) begin();
        }
    }

    const duration period_;
    const duration stuck_after_;
    taskflux::clock& clock_;
    const asio::any_io_executor watched_;
    const renew action_;
    const std::shared_ptr<std::atomic<bool>> is_under_way_ = std::make_shared<std::atomic<bool>>(false);

    asio::io_context context_{1};
    std::mutex mutex_;  // guards the next
    bool is_stopped_ = false;
    std::thread thread_;
};

}  // namespace taskflux::detail
