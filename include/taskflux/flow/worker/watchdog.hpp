#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace taskflux::detail {

/// Calls `on_blocked`, which must not throw, once for each time in which `watched` runs nothing for `limit` by `clock`; tells
/// it how long that has been. Must run on another thread than `watched`; runs until it is cancelled or its context ends.
inline asio::awaitable<void> watch_executor(asio::any_io_executor watched, duration limit, taskflux::clock& clock,
                                            std::function<void(duration)> on_blocked) {
    constexpr duration shortest = std::chrono::milliseconds(1), longest = std::chrono::hours(1);  // very long ones overflow
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        const auto has_run = std::make_shared<std::atomic<bool>>(false);
        const auto asked_at = clock.now();
        asio::post(watched, [has_run] { *has_run = true; });
        for (bool is_told = false; !*has_run;) {
            timer.expires_after(std::clamp(limit / 2, shortest, longest));
            co_await timer.async_wait(asio::deferred);
            const auto waited = clock.now() - asked_at;
            if (*has_run || is_told || waited < limit) continue;
            is_told = true;
            on_blocked(waited);
        }
    }
}

}  // namespace taskflux::detail
