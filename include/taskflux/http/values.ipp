#pragma once

#include <taskflux/core/codec/timestamp.hpp>
#include <taskflux/http/values.hpp>

#include <boost/json/array.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux {

namespace detail {

inline constexpr std::array<std::pair<std::string_view, double>, 6> http_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"", 1000}}};

/// Rounded to whole milliseconds. Nothing for a negative one, and for one over 100 years.
inline std::optional<duration> span_of(double milliseconds) {
    constexpr double longest = 100.0 * 366 * 86'400'000;
    if (!(milliseconds >= 0 && milliseconds <= longest)) return std::nullopt;
    return duration(std::llround(milliseconds));
}

/// A span as text, "1.5s"; without a unit it is in seconds. Nothing where it is none.
inline std::optional<duration> read_span(std::string_view text) {
    double number = -1;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    const auto written = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& [unit, length] : http_units) {
        if (ec == std::errc() && written == unit) return span_of(number * length);
    }
    return std::nullopt;
}

}  // namespace detail

void codec<http::span>::encode(const http::span& value, std::string& out) {
    const auto count = value.value().count();
    const auto size = static_cast<unsigned long long>(count < 0 ? -(count + 1) : count) + (count < 0 ? 1U : 0U);
    if (count < 0) out += '-';
    out += std::to_string(size / 1000);
    auto rest = std::to_string(1000 + size % 1000);
    while (rest.back() == '0') rest.pop_back();
    if (rest.size() > 1) out.append(1, '.').append(rest, 1);
}

http::span codec<http::span>::decode(std::string_view json) {
    constexpr const char* expected = "a duration such as \"1.5s\", \"500ms\", \"5m\", \"2h\" or \"7d\", or a number of seconds";
    const detail::document text(json, decode_limits());
    const auto& root = text.root();
    std::optional<duration> span;
    if (root.is_string()) span = detail::read_span(root.get_string());
    if (root.is_number()) span = detail::span_of(root.to_number<double>() * 1000);
    if (!span) detail::fail_expected(detail::path(), expected, root);
    return *span;
}

boost::json::object codec<http::span>::schema() {
    return {{"type", boost::json::array{"number", "string"}},
            {"description", "a duration: seconds as a number; in requests also a text such as 1.5s, 500ms, 5m, 2h or 7d"}};
}

void codec<http::moment>::encode(const http::moment& value, std::string& out) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(value.value());
    std::string text;
    detail::output made(text);
    if (!detail::append_timestamp(made, detail::to_instant(seconds))) {
        detail::fail_encode(detail::path(), "a time outside of the years 0 to 9999 has no text");
    }
    made.finish();
    text.pop_back();  // Z
    const auto rest = std::to_string(1000 + (value.value() - seconds).count());
    out.append(1, '"').append(text).append(1, '.').append(rest, 1).append("Z\"");
}

http::moment codec<http::moment>::decode(std::string_view json) { return taskflux::decode<time_point>(json); }

boost::json::object codec<http::moment>::schema() { return {{"type", "string"}, {"format", "date-time"}}; }

}  // namespace taskflux
