#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/time.hpp>

#include <boost/json/object.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux {

/// A time as configs write it: a whole number and its unit, "500ms", "30s", "5m", "2h" or "7d". In C++ it is made of any
/// duration of `std::chrono`, and is one.
class time_span {
public:
    constexpr time_span() = default;
    template <class Given>
        requires std::convertible_to<Given, duration>
    constexpr time_span(Given given) : value_(given) {}

    constexpr operator duration() const { return value_; }
    constexpr duration value() const { return value_; }

    friend constexpr bool operator==(const time_span&, const time_span&) = default;

private:
    duration value_{};
};

namespace detail {

/// The largest first, so that the first one that divides a time is the shortest way to write it.
inline constexpr std::array<std::pair<std::string_view, duration>, 5> time_units{
    {{"d", std::chrono::hours(24)},
     {"h", std::chrono::hours(1)},
     {"m", std::chrono::minutes(1)},
     {"s", std::chrono::seconds(1)},
     {"ms", duration(1)}}};

inline constexpr duration longest_span = std::chrono::hours(24 * 3650);

inline std::string span_text(duration value) {
    if (value == duration::zero()) return "0s";
    for (const auto& [unit, length] : time_units) {
        if (value % length == duration::zero()) return std::to_string(value / length).append(unit);
    }
    return {};  // not reached: every value is a whole number of milliseconds
}

}  // namespace detail

template <>
struct codec<time_span> {
    static void encode(const time_span& value, std::string& out) {
        out.append(1, '"').append(detail::span_text(value)).append(1, '"');
    }

    static time_span decode(std::string_view json) {
        const detail::document text(json, decode_limits());
        constexpr const char* expected = "a time from \"0s\" to \"3650d\", such as \"500ms\", \"30s\", \"5m\", \"2h\" or \"7d\"";
        const auto given = detail::reader::string_in(text.root(), expected, detail::path());
        std::int64_t count = -1;
        const auto [end, ec] = std::from_chars(given.data(), given.data() + given.size(), count);
        const auto written = given.substr(static_cast<std::size_t>(end - given.data()));
        for (const auto& [unit, length] : detail::time_units) {
            if (ec == std::errc() && written == unit && count >= 0 && count <= detail::longest_span / length) return length * count;
        }
        detail::fail_expected(detail::path(), expected, text.root());
    }

    static boost::json::object schema() { return {{"type", "string"}, {"pattern", "^[0-9]+(ms|s|m|h|d)$"}}; }
};

}  // namespace taskflux
