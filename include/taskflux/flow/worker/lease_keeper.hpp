#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
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

    /// Awaits `action` every `period` (of real time) on a thread of its own, unless `watched` has run nothing for
    /// `stuck_after` by `clock` (zero: always).
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
    asio::awaitable<void> keep() {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const auto is_alive = std::make_shared<std::atomic<bool>>(true);
        auto asked_at = clock_.now();
        for (;;) {
            if (is_alive->exchange(false)) {
                asked_at = clock_.now();
                asio::post(watched_, [is_alive] { *is_alive = true; });
            }
            timer.expires_after(period_);
            co_await timer.async_wait(asio::deferred);
            const bool is_stuck = !*is_alive && stuck_after_ > duration::zero() && clock_.now() - asked_at >= stuck_after_;
            if (!is_stuck) co_await action_();
        }
    }

    const duration period_;
    const duration stuck_after_;
    taskflux::clock& clock_;
    const asio::any_io_executor watched_;
    const renew action_;

    asio::io_context context_{1};
    std::mutex mutex_;  // guards the next
    bool is_stopped_ = false;
    std::thread thread_;
};

}  // namespace taskflux::detail
