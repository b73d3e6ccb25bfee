#pragma once

#include <taskflux/detail/uninterrupted.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace taskflux::detail {

asio::awaitable<void> uninterrupted(asio::awaitable<void> calls, std::function<bool()> may_stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto stop = std::make_shared<asio::cancellation_signal>();
    if (may_stop) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (auto outer = state.slot(); outer.is_connected()) {  // the next await takes it
            outer.assign([stop, may_stop = std::move(may_stop)](asio::cancellation_type how) {
                if (may_stop()) stop->emit(how);
            });
        }
    }
    co_await asio::co_spawn(executor, std::move(calls), asio::bind_cancellation_slot(stop->slot(), asio::use_awaitable));
}

}  // namespace taskflux::detail
