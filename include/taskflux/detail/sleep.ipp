#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace taskflux::detail {

/// A timer that its clock forgets with it.
struct armed_timer {
    armed_timer(clock& c, const asio::any_io_executor& ex) : source(c), timer(ex) {}
    ~armed_timer() { source.disarm(timer); }
    armed_timer(const armed_timer&) = delete;
    armed_timer& operator=(const armed_timer&) = delete;

    clock& source;
    asio::steady_timer timer;
};

asio::awaitable<void> sleep_until(clock& source, time_point when) {
    if (source.now() >= when) co_return;
    armed_timer waiting(source, co_await asio::this_coro::executor);
    while (source.now() < when) {
        source.arm(waiting.timer, when);
        // A clock may end a wait early, by cancelling it: the state alone tells whether someone cancelled us.
        boost::system::error_code ec;
        co_await waiting.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() == asio::cancellation_type::none) continue;
        if (co_await asio::this_coro::throw_if_cancelled()) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        co_return;
    }
}

}  // namespace taskflux::detail
