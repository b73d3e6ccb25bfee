#pragma once

#include <chrono>
#include <ratio>

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

/// The first whole millisecond from `when` on, of any precision; `never`, or the first of all, where it is beyond these.
template <class Rep, class Period>
constexpr time_point rounded_up(std::chrono::sys_time<std::chrono::duration<Rep, Period>> when) {
    using given = std::chrono::duration<Rep, Period>;
    if constexpr (std::chrono::treat_as_floating_point_v<Rep> || std::ratio_greater_v<Period, duration::period>) {
        constexpr auto longest = std::chrono::duration_cast<given>((duration::max)() / 2);
        if (!(when.time_since_epoch() < longest)) return never;
        if (when.time_since_epoch() < -longest) return (time_point::min)();
    }
    return std::chrono::ceil<duration>(when);
}

/// `when` on a clock that is `by` ahead. The time 0, which stands for "not yet", and `never` stay what they are.
constexpr time_point shifted(time_point when, duration by) {
    constexpr auto margin = std::chrono::hours(24 * 366 * 10'000);
    const bool is_far = when > never - margin || when < (time_point::min)() + margin;
    return when == time_point{} || is_far ? when : when + by;
}

}  // namespace taskflux
