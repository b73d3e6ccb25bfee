#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/time.hpp>

#include <boost/json/object.hpp>

#include <concepts>
#include <string>
#include <string_view>

namespace taskflux::http {

/// A duration in requests and answers: read from `"1.5s"` (units ms, s, m, h, d) or a number of seconds, written as a number of
/// seconds. In C++ it is made of any duration of `std::chrono`, and is one.
class span {
public:
    constexpr span() = default;
    template <class Given>
        requires std::convertible_to<Given, duration>
    constexpr span(Given given) : value_(given) {}

    constexpr operator duration() const { return value_; }
    constexpr duration value() const { return value_; }

    friend constexpr bool operator==(const span&, const span&) = default;

private:
    duration value_{};
};

/// A time in requests and answers: RFC 3339; written in UTC with milliseconds.
class moment {
public:
    constexpr moment() = default;
    constexpr moment(time_point given) : value_(given) {}

    constexpr operator time_point() const { return value_; }
    constexpr time_point value() const { return value_; }

    friend constexpr bool operator==(const moment&, const moment&) = default;

private:
    time_point value_{};
};

}  // namespace taskflux::http

namespace taskflux {

template <>
struct codec<http::span> {
    static void encode(const http::span& value, std::string& out);
    static http::span decode(std::string_view json);
    static boost::json::object schema();
};

template <>
struct codec<http::moment> {
    static void encode(const http::moment& value, std::string& out);
    static http::moment decode(std::string_view json);
    static boost::json::object schema();
};

}  // namespace taskflux
