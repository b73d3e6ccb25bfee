#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace taskflux {

// Times as people write them. A pattern is text in which these stand for parts of a time, as in strftime and Python:
//
//   %Y %m %d   2026, 01, 31        %F  the same as %Y-%m-%d      %j  day of the year, 031      %y  26 (1969 to 2068)
//   %H %M %S   00-23, 00-59        %T  the same as %H:%M:%S      %R  the same as %H:%M         %I %p  01-12, AM
//   %f         decimals of the second: six are written, one to nine are read; what is below a millisecond is dropped
//   %a %A      Sat, Saturday       %b %B  Jan, January: English whatever the locale; small letters are read as well
//   %z         what clocks there are ahead of UTC: +0100 is written; +01:00 and Z are read as well
//   %Z         its short name, such as CET: is written and can't be read, as there are several zones of one name
//   %%         a percent sign
//
// Numbers may be read with fewer digits, but for years. Errors of all: `invalid_argument`, for a pattern that has something
// else, or a text or time that does not fit it; what(), where and what was expected is told. Thread-safe.

/// What `format_time` and others take when no pattern is given.
inline constexpr std::string_view usual_time_pattern = "%Y-%m-%d %H:%M:%S";

/// What clocks in `in` show at `when`, years 0 to 9999.
std::string format_time(time_point when, const zone& in = zone(), std::string_view pattern = usual_time_pattern);

/// Writes times of other precision, such as `std::chrono::system_clock::now()`.
template <class Duration>
std::string format_time(std::chrono::sys_time<Duration> when, const zone& in = zone(),
                        std::string_view pattern = usual_time_pattern) {
    return format_time(std::chrono::floor<duration>(when), in, pattern);
}

/// When clocks in `in` show `text`: the first time, where they show it twice; the moment in which they skip it, where they do
/// that (as schedules have it). An offset in the text (%z) counts instead of the zone. The pattern needs a year and a
/// day; hours, minutes and seconds that it has not are 0.
time_point parse_time(std::string_view text, const zone& in = zone(), std::string_view pattern = usual_time_pattern);

/// What clocks in `to` show when those in `from` show `text`; read as by `parse_time`.
std::string convert_time(std::string_view text, const zone& from, const zone& to,
                         std::string_view pattern = usual_time_pattern);

/// Like `convert_time` above, written by a pattern of its own.
std::string convert_time(std::string_view text, const zone& from, const zone& to, std::string_view pattern,
                         std::string_view written_as);

}  // namespace taskflux
