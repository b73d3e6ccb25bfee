#pragma once

#include <chrono>

namespace taskflux {

/// Durations and points in time that tasks carry: whole milliseconds, as they are stored and sent.
using duration = std::chrono::milliseconds;
using time_point = std::chrono::sys_time<duration>;

/// A point that never comes; stands for "no deadline".
inline constexpr time_point never = (time_point::max)();

/// `from + by`, or `never` where the sum would pass it. `by` must not be negative.
constexpr time_point later(time_point from, duration by) {
    return by >= never - (from < time_point{} ? time_point{} : from) ? never : from + by;
}

}  // namespace taskflux
