#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/zone.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

// The zones of the C++ library where it has them, else those of Howard Hinnant's date library, from which the standard's
// come (docs/decisions/0016-time-zones.md).
// libc++ has them with -fexperimental-library, and does not say so by a feature macro.
#if (defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L) || \
    (defined(_LIBCPP_VERSION) && !defined(_LIBCPP_HAS_NO_EXPERIMENTAL_TZDB))
namespace taskflux::detail {
namespace zone_library = std::chrono;
}
#else
#include <date/tz.h>
namespace taskflux::detail {
namespace zone_library = date;
}
#endif

namespace taskflux {

namespace detail {

inline const zone_library::time_zone& zone_behind(const void* found) {
    return *static_cast<const zone_library::time_zone*>(found);
}

}  // namespace detail

zone zone::named(std::string_view name) {
    zone made;
    if (name == "UTC") return made;
    try {
        made.found_ = detail::zone_library::locate_zone(std::string(name));
    } catch (const std::runtime_error&) {
        throw error(errc::invalid_argument, "no time zone is named \"" + std::string(name) +
                                                "\" in this system's database; use a name such as UTC or Europe/Berlin");
    }
    return made;
}

std::string zone::name() const { return found_ ? std::string(detail::zone_behind(found_).name()) : "UTC"; }

zone::span zone::at(sys_seconds when) const {
    if (!found_) return {(sys_seconds::min)(), (sys_seconds::max)(), {}};
    const auto info = detail::zone_behind(found_).get_info(when);
    return {info.begin, info.end, info.offset};
}

std::string zone::abbreviation(sys_seconds when) const {
    return found_ ? detail::zone_behind(found_).get_info(when).abbrev : "UTC";
}

}  // namespace taskflux
