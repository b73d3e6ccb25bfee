#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>

namespace taskflux::detail {

/// Until when something that starts now tries to reach its broker.
inline time_point start_limit(clock& source, const std::optional<duration>& start_timeout) {
    return start_timeout ? later(source.now(), *start_timeout) : never;
}

/// Awaits `attempt()`; again, with exponential back-off, while the broker can't be reached, and tells `say` why each time.
/// `source` must outlive it. Errors: those of the attempt; `unavailable` once it is `limit`.
asio::awaitable<void> keep_trying(clock& source, time_point limit, std::function<asio::awaitable<void>()> attempt,
                                  std::function<void(const std::string&)> say);

}  // namespace taskflux::detail
