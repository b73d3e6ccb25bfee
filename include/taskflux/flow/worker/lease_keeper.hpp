#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// A thread that renews a lease, whatever the I/O thread is busy with, until that has not moved for so long
/// that it must be stuck.
class lease_keeper {
public:
    using renew = std::function<asio::awaitable<void>()>;  // must not throw

    /// Awaits `action` every `period` on a thread of its own, unless `watched` has not run anything for
    /// `stuck_after` (zero: never mind).
    lease_keeper(duration period, duration stuck_after, taskflux::clock& clock, asio::any_io_executor watched,
                 renew action)
        : alive_(std::make_shared<std::atomic<time_point::rep>>(clock.now().time_since_epoch().count())) {
        asio::co_spawn(context_,
                       keep(period, stuck_after, &clock, std::move(watched), std::move(action), alive_),
                       asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }

    lease_keeper(const lease_keeper&) = delete;
    lease_keeper& operator=(const lease_keeper&) = delete;

    /// Waits for the renewal under way, which its own deadline ends.
    ~lease_keeper() {
        context_.stop();
        thread_.join();
    }

private:
    static asio::awaitable<void> keep(duration period, duration stuck_after, taskflux::clock* clock,
                                      asio::any_io_executor watched, renew action,
                                      std::shared_ptr<std::atomic<time_point::rep>> alive) {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        for (;;) {
            asio::post(watched, [alive, clock] { *alive = clock->now().time_since_epoch().count(); });
            timer.expires_after(period);
            co_await timer.async_wait(asio::deferred);
            const auto silent = clock->now() - time_point(duration(alive->load()));
            if (stuck_after == duration::zero() || silent < stuck_after) co_await action();
        }
    }

    asio::io_context context_{1};
    std::shared_ptr<std::atomic<time_point::rep>> alive_;
    std::thread thread_;
};

}  // namespace taskflux::detail
