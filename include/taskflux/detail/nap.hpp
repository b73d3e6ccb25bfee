#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>

namespace taskflux::detail {

/// Waits for `time` to pass by a clock, which must outlive it. Cancellation: terminal.
inline asio::awaitable<void> nap(clock& by, duration time) {
    const auto executor = co_await asio::this_coro::executor;
    const auto rings = std::make_shared<event>();
    const alarm at(by, executor, rings, later(by.now(), time));
    co_await rings->wait();
}

}  // namespace taskflux::detail
