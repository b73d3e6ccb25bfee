#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/zone.hpp>
#include <taskflux/core/zone/database.hpp>

#include <string>
#include <string_view>

namespace taskflux {

namespace detail {

/// Whether it could be a name of the database, which are also names of files below one folder: never an absolute path, a step
/// up, or a folder beside the zones ("right/" counts leap seconds).
inline bool is_zone_name(std::string_view name) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    constexpr std::size_t longest = 64;
    return !name.empty() && name.size() <= longest && name.front() != '/' && name != "localtime" && name != "Factory" &&
           !name.starts_with("posix") && !name.starts_with("right/") &&
           name.find_first_not_of(allowed) == std::string_view::npos;
}

inline const known_zone& zone_behind(const void* found) { return *static_cast<const known_zone*>(found); }

}  // namespace detail

zone zone::named(std::string_view name) {
    zone made;
    if (name == "UTC") return made;
    if (detail::is_zone_name(name)) made.found_ = detail::find_zone(std::string(name));
    if (!made.found_) {
        throw error(errc::invalid_argument, "no time zone is named " + detail::in_quotes(name) +
                                                " in this system's database; use a name such as UTC or Europe/Berlin");
    }
    return made;
}

std::string zone::name() const { return found_ ? detail::zone_behind(found_).name : "UTC"; }

zone::span zone::at(sys_seconds when) const {
    if (!found_) return {(sys_seconds::min)(), (sys_seconds::max)(), {}};
    return detail::span_at(detail::zone_behind(found_), when);
}

std::string zone::abbreviation(sys_seconds when) const {
    return found_ ? detail::abbreviation_at(detail::zone_behind(found_), when) : "UTC";
}

}  // namespace taskflux
