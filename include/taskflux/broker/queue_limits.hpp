#pragma once

#include <taskflux/core/limit.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/enum.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace taskflux {

/// Why no more tasks of a queue may start now.
enum class obstacle {
    none,     ///< as many may start as there are
    paused,   ///< the queue is paused
    running,  ///< as many run as its limit allows
    rate      ///< as many have started as its rate allows
};
BOOST_DESCRIBE_ENUM(obstacle, none, paused, running, rate)

/// A limit, and what is known of who has set it.
struct limit_rule {
    limit what;
    std::string reason;  ///< of a live one
    time_point since{};  ///< by the broker's clock
};

/// What limits a queue.
struct queue_limits {
    std::optional<limit_rule> declared;  ///< by a program
    std::optional<limit_rule> live;      ///< set in its place until it is reset
    std::size_t may_start = 0;           ///< so many tasks could start now, if they waited; at most a million
    obstacle why_not_more = obstacle::none;
    time_point starts_again = never;     ///< `rate`: when the next one may start

    /// The one that holds, or null.
    const limit* in_force() const { return live ? &live->what : declared ? &declared->what : nullptr; }
};

/// Sets or takes back a limit of a queue.
struct limit_change {
    std::optional<limit> what;  ///< nothing: takes it back
    bool is_live = false;       ///< the live one, which holds instead of the declared one
    std::string reason;         ///< of a live one
};

}  // namespace taskflux
