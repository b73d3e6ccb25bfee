#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate), for years 0 to 9999.
std::string date_text(std::chrono::sys_seconds when);

/// Reads the three forms of RFC 9110, section 5.6.7. A year of two digits (RFC 850) is the one that is at most 50 years after
/// `now`. Nothing: it is of none of them; a weekday that does not belong to the date is not looked at.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text, std::chrono::sys_seconds now);

}  // namespace taskflux::http
