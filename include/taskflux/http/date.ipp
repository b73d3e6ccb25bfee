#pragma once

#include <taskflux/http/date.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace syntax {

inline constexpr std::array<std::string_view, 7> weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                             "Thursday", "Friday", "Saturday"};
inline constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Reads a date by a pattern: D a weekday's first letters, W a whole one, d a day, s one with a blank for its zero, M a month,
/// y a year, Y two digits of one, t hh:mm:ss, g GMT; anything else is itself.
class date_reader {
public:
    explicit date_reader(std::string_view text) : text_(text) {}

    bool read(std::string_view pattern) {
        for (const char c : pattern) {
            if (!read(c)) return false;
        }
        return text_.empty();
    }

    std::optional<std::chrono::sys_seconds> result(int the_year) const {
        using namespace std::chrono;
        const year_month_day date{std::chrono::year(the_year), std::chrono::month(month_), std::chrono::day(day_)};
        // A leap second is the first of the next minute.
        if (!date.ok() || hour_ > 23 || minute_ > 59 || second_ > 60) return std::nullopt;
        return sys_days(date) + hours(hour_) + minutes(minute_) + seconds(second_);
    }

    int year_number() const { return year_; }

private:
    bool read(char c) {
        switch (c) {
            case 'D': return std::ranges::any_of(weekdays, [this](auto day) { return skip(day.substr(0, 3)); });
            case 'W': return std::ranges::any_of(weekdays, [this](auto day) { return skip(day); });
            case 'M': return month();
            case 'd': return digits(2, day_);
            case 's': return (skip(" ") ? digits(1, day_) : digits(2, day_));
            case 'y': return year_digits(4);
            case 'Y': return year_digits(2);
            case 't': return digits(2, hour_) && skip(":") && digits(2, minute_) && skip(":") && digits(2, second_);
            case 'g': return skip("GMT");
            default: return skip(std::string_view(&c, 1));
        }
    }

    bool skip(std::string_view expected) {
        if (!text_.starts_with(expected)) return false;
        text_.remove_prefix(expected.size());
        return true;
    }

    bool month() {
        for (const auto name : months) {
            ++month_;
            if (skip(name)) return true;
        }
        return false;
    }

    bool year_digits(std::size_t size) {
        unsigned value = 0;
        const bool done = digits(size, value);
        year_ = static_cast<int>(value);
        return done;
    }

    bool digits(std::size_t count, unsigned& value) {
        if (text_.size() < count || !std::ranges::all_of(text_.substr(0, count), is_digit)) return false;
        value = 0;
        for (const char c : text_.substr(0, count)) value = value * 10 + static_cast<unsigned>(c - '0');
        text_.remove_prefix(count);
        return true;
    }

    std::string_view text_;
    int year_ = 0;
    unsigned month_ = 0, day_ = 0, hour_ = 0, minute_ = 0, second_ = 0;
};

}  // namespace syntax

std::string date_text(std::chrono::sys_seconds when) {
    using namespace std::chrono;
    const auto day_start = floor<days>(when);
    const year_month_day date(day_start);
    const hh_mm_ss time(when - day_start);
    std::string made(syntax::weekdays[weekday(day_start).c_encoding()].substr(0, 3));
    const auto digits = [&](unsigned value, int width) {
        std::string text = std::to_string(value);
        made.append(static_cast<std::size_t>((std::max)(width - static_cast<int>(text.size()), 0)), '0').append(text);
    };
    made += ", ";
    digits(static_cast<unsigned>(date.day()), 2);
    made.append(" ").append(syntax::months[static_cast<unsigned>(date.month()) - 1]).append(" ");
    digits(static_cast<unsigned>(static_cast<int>(date.year())), 4);
    made += ' ';
    digits(static_cast<unsigned>(time.hours().count()), 2);
    made += ':';
    digits(static_cast<unsigned>(time.minutes().count()), 2);
    made += ':';
    digits(static_cast<unsigned>(time.seconds().count()), 2);
    return made += " GMT";
}

std::optional<std::chrono::sys_seconds> parse_date(std::string_view text, std::chrono::sys_seconds now) {
    if (syntax::date_reader in(text); in.read("D, d M y t g")) return in.result(in.year_number());
    if (syntax::date_reader in(text); in.read("D M s t y")) return in.result(in.year_number());
    syntax::date_reader in(text);
    if (!in.read("W, d-M-Y t g")) return std::nullopt;
    const auto this_year = static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now)).year());
    // Of the century of `now`; the one before where that is more than 50 years ahead, and the one behind where it is nearer.
    auto found = this_year - this_year % 100 + in.year_number();
    if (found > this_year + 50) found -= 100;
    if (found + 100 <= this_year + 50) found += 100;
    return in.result(found);
}

}  // namespace taskflux::http
