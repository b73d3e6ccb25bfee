#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

namespace taskflux::detail {

/// Returns when `source` reads `when` or later; at once if it does so already. `source` must outlive it.
/// Cancellation (what the coroutine lets through; `co_spawn`: terminal): throws `operation_aborted`, where
/// the coroutine throws when cancelled, else returns early.
asio::awaitable<void> sleep_until(clock& source, time_point when);

/// Returns after `by` has passed on `source`. Lifetime and cancellation: as of `sleep_until`.
inline asio::awaitable<void> sleep_for(clock& source, duration by) {
    return sleep_until(source, later(source.now(), by));
}

}  // namespace taskflux::detail
