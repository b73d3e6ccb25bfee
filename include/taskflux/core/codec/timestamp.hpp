#pragma once

#include <taskflux/core/codec/output.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// A point in time as seconds since 1970 (UTC) and nanoseconds after them, 0 … 999,999,999.
struct instant {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
};

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

/// Exact for every duration that `is_sys_time` lets through.
template <class Duration>
constexpr instant to_instant(std::chrono::sys_time<Duration> time) {
    const std::int64_t count = static_cast<std::int64_t>(time.time_since_epoch().count());
    if constexpr (Duration::period::den == 1) {
        return {count * Duration::period::num, 0};
    } else {
        constexpr std::int64_t den = Duration::period::den;
        const std::int64_t seconds = floor_divide(count, den);
        // The remainder first: `seconds * den` may leave the range.
        const std::int64_t rest = count % den;
        return {seconds, (rest < 0 ? rest + den : rest) * (1'000'000'000 / den)};
    }
}

/// Rounded down to the duration's precision; nothing when it is out of the duration's range.
template <class Duration>
constexpr std::optional<std::chrono::sys_time<Duration>> from_instant(instant value) {
    std::int64_t count = 0;
    if constexpr (Duration::period::den == 1) {
        count = floor_divide(value.seconds, Duration::period::num);
    } else {
        using limits = std::numeric_limits<std::int64_t>;
        constexpr std::int64_t den = Duration::period::den;
        std::int64_t seconds = value.seconds;
        std::int64_t rest = value.nanoseconds / (1'000'000'000 / den);
        if (seconds < 0) {  // count down from the next second, so that the smallest value is within reach
            ++seconds;
            rest -= den;
        }
        if (seconds > (limits::max)() / den || seconds < (limits::min)() / den) return std::nullopt;
        count = seconds * den;
        if (rest > 0 ? count > (limits::max)() - rest : count < (limits::min)() - rest) return std::nullopt;
        count += rest;
    }
    if (!std::in_range<typename Duration::rep>(count)) return std::nullopt;
    return std::chrono::sys_time<Duration>(Duration(static_cast<typename Duration::rep>(count)));
}

/// RFC 3339 in UTC, with as many decimals as the value needs. False for years outside 0 … 9999.
inline bool append_timestamp(output& out, instant value) {
    using namespace std::chrono;
    constexpr std::int64_t first = sys_seconds(sys_days(year(0) / 1 / 1)).time_since_epoch().count();
    constexpr std::int64_t past = sys_seconds(sys_days(year(10000) / 1 / 1)).time_since_epoch().count();
    if (value.seconds < first || value.seconds >= past) return false;
    const auto digits = [&](std::int64_t number, int width) {
        char* end = out.room(static_cast<std::size_t>(width)) + width;
        out.advance(static_cast<std::size_t>(width));
        for (; width > 0; --width, number /= 10) *--end = static_cast<char>('0' + number % 10);
    };
    const auto day = floor_divide(value.seconds, 86400);
    const auto second = value.seconds - day * 86400;
    const year_month_day date{sys_days(days(static_cast<int>(day)))};
    digits(static_cast<int>(date.year()), 4);
    out.push_back('-');
    digits(static_cast<unsigned>(date.month()), 2);
    out.push_back('-');
    digits(static_cast<unsigned>(date.day()), 2);
    out.push_back('T');
    digits(second / 3600, 2);
    out.push_back(':');
    digits(second / 60 % 60, 2);
    out.push_back(':');
    digits(second % 60, 2);
    if (value.nanoseconds != 0) {
        std::int64_t fraction = value.nanoseconds;
        int width = 9;
        for (; fraction % 10 == 0; fraction /= 10) --width;
        out.push_back('.');
        digits(fraction, width);
    }
    out.push_back('Z');
    return true;
}

/// RFC 3339 with any offset; decimals past the ninth are dropped, a leap second counts as the second after
/// it. Nothing when `text` is not of that form.
inline std::optional<instant> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    std::size_t position = 0;
    bool good = true;
    const auto digit = [&] {
        return position < text.size() && text[position] >= '0' && text[position] <= '9';
    };
    const auto number = [&](int width) {
        int value = 0;
        for (; width > 0; --width) {
            if (!digit()) {
                good = false;
                return 0;
            }
            value = value * 10 + (text[position++] - '0');
        }
        return value;
    };
    const auto skip = [&](std::string_view allowed) {
        if (position == text.size() || allowed.find(text[position]) == std::string_view::npos) return '\0';
        return text[position++];
    };
    const auto expect = [&](std::string_view allowed) { good = skip(allowed) != '\0' && good; };

    const int year_number = number(4);
    expect("-");
    const int month_number = number(2);
    expect("-");
    const int day_number = number(2);
    expect("Tt ");
    const int hour = number(2);
    expect(":");
    const int minute = number(2);
    expect(":");
    const int second = number(2);
    std::int64_t nanoseconds = 0;
    if (skip(".")) {
        if (!digit()) return std::nullopt;
        for (std::int64_t scale = 100'000'000; digit(); ++position, scale /= 10)
            nanoseconds += (text[position] - '0') * scale;
    }
    int offset = 0;
    if (!skip("Zz")) {
        const char sign = skip("+-");
        const int hours = number(2);
        expect(":");
        const int minutes = number(2);
        if (sign == '\0' || hours > 23 || minutes > 59) return std::nullopt;
        offset = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    }
    const auto date = year(year_number) / month(static_cast<unsigned>(month_number)) /
                      day(static_cast<unsigned>(day_number));
    if (!good || position != text.size() || !date.ok() || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    const std::int64_t days_before = sys_days(date).time_since_epoch().count();
    return instant{days_before * 86400 + hour * 3600 + minute * 60 + second - offset, nanoseconds};
}

}  // namespace taskflux::detail
