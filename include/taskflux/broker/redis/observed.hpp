#pragma once

#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/detail/caught.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace taskflux::redis::wire {

/// Tells an observer how a call has ended, and how long it took; a call that was cancelled has no such end. `name` lives for ever.
inline asio::awaitable<reply> observed(std::shared_ptr<broker_call_observer> to, std::string_view name, asio::awaitable<reply> call) {
    using clock = std::chrono::steady_clock;
    const auto begun = clock::now();
    auto called = co_await taskflux::detail::caught(std::move(call));
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begun);
    const bool is_cancelled = called.failure() && taskflux::detail::is_abort(called.failure());
    try {
        if (!is_cancelled) to->on_call(name, took, called.failure() != nullptr);
    } catch (...) {  // an observer's
    }
    co_return called.take();
}

inline void tell_reconnected(const std::shared_ptr<broker_observer>& to) noexcept {
    if (!to) return;
    try {
        to->on_reconnect();
    } catch (...) {  // an observer's
    }
}

}  // namespace taskflux::redis::wire
