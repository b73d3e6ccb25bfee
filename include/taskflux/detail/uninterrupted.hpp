#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace taskflux::detail {

/// Awaits calls to a broker that belong together: once begun, a cancellation reaches them only where `may_stop` says so. A
/// coroutine that was cancelled meanwhile goes on with their end, and throws at its next await. Each of the calls has a
/// deadline of its own, which also ends the wait where `may_stop` has said no to a group (`||`): that cancels its coroutines
/// once. Without a `may_stop` also for coroutines in no strand.
asio::awaitable<void> uninterrupted(asio::awaitable<void> calls, std::function<bool()> may_stop = nullptr);

}  // namespace taskflux::detail
