#pragma once

#include <taskflux/core/zone.hpp>

// Which zones there are and when their clocks change: Abseil's, the same for all compilers. The C++ library's own are for
// those for which there is no Abseil, and only where TASKFLUX_STD_ZONES says so (docs/decisions/0016-time-zones.md). Read
// by the bodies alone.
#ifdef TASKFLUX_STD_ZONES
#include <stdexcept>
#include <version>
#if !defined(_LIBCPP_VERSION) && !(defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L)
#error "TASKFLUX_STD_ZONES: this C++ library has no time zones (GCC's has them from 14 on); install Abseil instead"
#endif
#else
#if !__has_include(<absl/time/time.h>)
#error "taskflux needs Abseil's time library (Debian: libabsl-dev), or TASKFLUX_STD_ZONES: see docs/install.md"
#endif
#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#endif

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

struct known_zone {
    std::string name;
#ifdef TASKFLUX_STD_ZONES
    const std::chrono::time_zone* clocks;
#else
    absl::TimeZone clocks;
#endif
    std::vector<zone::span> spans;  ///< until the year 2100: to ask the database each time costs five times as much
};

#ifdef TASKFLUX_STD_ZONES

inline bool open_zone(known_zone& where) {
    try {
        where.clocks = std::chrono::locate_zone(where.name);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

inline zone::span read_span(const known_zone& where, std::chrono::sys_seconds when) {
    const auto info = where.clocks->get_info(when);
    return {info.begin, info.end, info.offset};
}

inline std::string abbreviation_at(const known_zone& where, std::chrono::sys_seconds when) {
    return where.clocks->get_info(when).abbrev;
}

#else

inline bool open_zone(known_zone& where) { return absl::LoadTimeZone(where.name, &where.clocks); }

inline absl::Time to_absl(std::chrono::sys_seconds when) {
    constexpr std::chrono::seconds farthest = std::chrono::hours(24) * 366 * 1'000'000;  // as far as Abseil's calendar goes
    return absl::FromUnixSeconds(std::clamp<std::chrono::seconds>(when.time_since_epoch(), -farthest, farthest).count());
}

/// When clocks make that step.
inline std::chrono::sys_seconds time_of(const known_zone& where, const absl::TimeZone::CivilTransition& step) {
    return std::chrono::sys_seconds(std::chrono::seconds(absl::ToUnixSeconds(where.clocks.At(step.to).trans)));
}

inline zone::span read_span(const known_zone& where, std::chrono::sys_seconds when) {
    const auto at = to_absl(when);
    zone::span found{(std::chrono::sys_seconds::min)(), (std::chrono::sys_seconds::max)(),
                     std::chrono::seconds(where.clocks.At(at).offset)};
    absl::TimeZone::CivilTransition step;
    if (where.clocks.PrevTransition(at + absl::Seconds(1), &step)) found.begin = time_of(where, step);
    if (where.clocks.NextTransition(at, &step)) found.end = time_of(where, step);
    return found;
}

inline std::string abbreviation_at(const known_zone& where, std::chrono::sys_seconds when) {
    return where.clocks.At(to_absl(when)).zone_abbr;
}

#endif

inline std::vector<zone::span> read_spans(const known_zone& where) {
    constexpr std::chrono::sys_seconds enough = std::chrono::sys_days(std::chrono::year(2100) / 1 / 1);
    std::vector<zone::span> all{read_span(where, (std::chrono::sys_seconds::min)())};
    while (all.back().end < enough) {
        const auto next = read_span(where, all.back().end);
        if (next.end <= all.back().end) break;  // a damaged file: `span_at` reads what follows each time
        all.push_back(next);
    }
    return all;
}

inline zone::span span_at(const known_zone& where, std::chrono::sys_seconds when) {
    const auto after = std::ranges::upper_bound(where.spans, when, {}, &zone::span::begin);
    const bool is_read = after != where.spans.begin() && when < std::prev(after)->end;
    return is_read ? *std::prev(after) : read_span(where, when);
}

/// Null where the database has none of that name. What was found is kept as long as the process lives. Thread-safe.
inline const known_zone* find_zone(const std::string& name) {
    static std::mutex guard;
    static std::map<std::string, known_zone> all;
    const std::lock_guard lock(guard);
    const auto found = all.find(name);
    if (found != all.end()) return &found->second;
    known_zone made;
    made.name = name;
    if (!open_zone(made)) return nullptr;
    made.spans = read_spans(made);
    return &all.emplace(name, std::move(made)).first->second;
}

}  // namespace taskflux::detail
