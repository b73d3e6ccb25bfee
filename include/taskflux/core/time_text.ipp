#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/time_text.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace taskflux {

namespace detail::written_time {

using namespace std::chrono;
using std::string;
using std::string_view;

inline constexpr std::array<string_view, 7> weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                        "Thursday", "Friday", "Saturday"};
inline constexpr std::array<string_view, 12> months = {"January", "February", "March",     "April",   "May",      "June",
                                                       "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::size_t short_name = 3;

/// The pattern that a conversion abbreviates; empty: it is none of these.
constexpr string_view longhand(char conversion) {
    switch (conversion) {
        case 'F': return "%Y-%m-%d";
        case 'T': return "%H:%M:%S";
        case 'R': return "%H:%M";
        default: return {};
    }
}

/// Gives a pattern's parts in order to `conversion(char)` and `literal(char)`.
template <class Conversion, class Literal>
void walk(string_view pattern, const Conversion& conversion, const Literal& literal) {
    constexpr string_view known = "YmdHMSfyjIpaAbBzZ%FTR";
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%') {
            literal(pattern[i]);
            continue;
        }
        const auto letter = ++i < pattern.size() ? pattern.substr(i, 1) : string_view();
        if (letter.empty() || known.find(letter) == string_view::npos) {
            string list;
            for (const char one : known) list.append(" %").append(1, one);
            throw error(errc::invalid_argument, "time pattern " + in_quotes(pattern) + " has %" + printable(letter) +
                                                    " at character " + std::to_string(i) + "; there are" + list);
        }
        if (letter == "%") literal('%');
        else if (const auto rest = longhand(letter[0]); !rest.empty()) walk(rest, conversion, literal);
        else conversion(letter[0]);
    }
}

inline void append_number(string& out, long long value, std::size_t width) {
    const auto digits = std::to_string(value);
    out.append(width > digits.size() ? width - digits.size() : 0, '0').append(digits);
}

/// Reads a text by a pattern.
class reader {
public:
    reader(string_view text, string_view pattern) : text_(text), pattern_(pattern) {}

    time_point read(const zone& in) {
        walk(pattern_, [this](char which) { read_part(which); }, [this](char wanted) { expect(wanted); });
        if (at_ != text_.size()) fail("the end");
        const local_days day = this->day();
        if (weekday_ && *weekday_ != weekday(day).c_encoding()) {
            refuse("is a " + string(weekdays[weekday(day).c_encoding()]) + ", not a " + string(weekdays[*weekday_]));
        }
        const local_seconds local = day + hours(hour()) + minutes(minute_) + seconds(second_);
        if (offset_) return sys_seconds(local.time_since_epoch() - *offset_) + fraction_;
        const auto found = in.first_at(local);
        return in.to_local(found) == local ? found + fraction_ : time_point(found);
    }

private:
    void read_part(char which) {
        switch (which) {
            case 'Y': year_ = number(4, 4, 0, 9999, "a year of four digits"); break;
            case 'y': year_ = number(2, 2, 0, 99, "the last two digits of a year"), year_ = *year_ + (*year_ < 69 ? 2000 : 1900); break;
            case 'm': month_ = number(1, 2, 1, 12, "a month from 1 to 12"); break;
            case 'd': day_ = number(1, 2, 1, 31, "a day from 1 to 31"); break;
            case 'j': day_of_year_ = number(1, 3, 1, 366, "a day of the year from 1 to 366"); break;
            case 'H': hour_ = number(1, 2, 0, 23, "an hour from 0 to 23"); break;
            case 'I': half_day_hour_ = number(1, 2, 1, 12, "an hour from 1 to 12"); break;
            case 'M': minute_ = number(1, 2, 0, 59, "a minute from 0 to 59"); break;
            case 'S': second_ = number(1, 2, 0, 60, "a second from 0 to 59"); break;  // 60: a leap second, the next one
            case 'f': fraction_ = decimals(); break;
            case 'p': is_afternoon_ = letters("PM") || (!letters("AM") && fail("AM or PM")); break;
            case 'a': weekday_ = name(weekdays, short_name, "a day of the week, such as Sat"); break;
            case 'A': weekday_ = name(weekdays, string::npos, "a day of the week, such as Saturday"); break;
            case 'b': month_ = int(name(months, short_name, "a month, such as Jan")) + 1; break;
            case 'B': month_ = int(name(months, string::npos, "a month, such as January")) + 1; break;
            case 'z': offset_ = ahead(); break;
            case 'Z':
                throw error(errc::invalid_argument, "time pattern " + in_quotes(pattern_) +
                                                        ": %Z can't be read, as several zones have one short name; use %z");
        }
    }

    local_days day() const {
        if (!year_ || !((month_ && day_) || day_of_year_)) {
            throw error(errc::invalid_argument, "time pattern " + in_quotes(pattern_) +
                                                    " needs a year (%Y or %y) and a day (%m and %d, or %j)");
        }
        if (day_of_year_ && !day_) {
            const year_month_day date(local_days(year(*year_) / January / 1) + days(*day_of_year_ - 1));
            if (date.year() != year(*year_)) refuse("has a day that its year has not");
            return local_days(date);
        }
        const year_month_day date(year(*year_), month(static_cast<unsigned>(*month_)), std::chrono::day(static_cast<unsigned>(*day_)));
        if (!date.ok()) refuse("has a day that its month has not");
        return local_days(date);
    }

    int hour() const {
        if (!half_day_hour_) return hour_;
        if (!is_afternoon_) {
            throw error(errc::invalid_argument, "time pattern " + in_quotes(pattern_) + " has %I without %p: add %p, or use %H");
        }
        return *half_day_hour_ % 12 + (*is_afternoon_ ? 12 : 0);
    }

    std::optional<int> digit() {
        if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') return std::nullopt;
        return text_[at_++] - '0';
    }

    int number(int fewest, int most, int least, int greatest, string_view what) {
        const auto begin = at_;
        int value = 0, count = 0;
        while (count < most) {
            const auto next = digit();
            if (!next) break;
            value = value * 10 + *next;
            ++count;
        }
        if (count >= fewest && value >= least && value <= greatest) return value;
        at_ = begin;
        return fail(what), 0;
    }

    milliseconds decimals() {
        int value = 0, count = 0;
        for (; count < 9; ++count) {
            const auto next = digit();
            if (!next) break;
            if (count < 3) value = value * 10 + *next;
        }
        if (count == 0) fail("decimals of a second");
        for (; count < 3; ++count) value *= 10;
        return milliseconds(value);
    }

    seconds ahead() {
        constexpr string_view what = "an offset such as +0100, +01:00 or Z";
        if (letters("Z")) return {};
        const bool is_behind = letters("-");
        if (!is_behind && !letters("+")) fail(what);
        const auto whole = hours(number(2, 2, 0, 23, what));
        letters(":");
        const seconds offset = whole + minutes(number(2, 2, 0, 59, what));
        return is_behind ? -offset : offset;
    }

    static char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

    /// Takes these letters, large or small, if they come next.
    bool letters(string_view wanted) {
        if (text_.size() - at_ < wanted.size()) return false;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (small(text_[at_ + i]) != small(wanted[i])) return false;
        }
        at_ += wanted.size();
        return true;
    }

    unsigned name(std::span<const string_view> names, std::size_t length, string_view what) {
        for (unsigned i = 0; i < names.size(); ++i) {
            if (letters(names[i].substr(0, length))) return i;
        }
        return fail(what), 0U;
    }

    void expect(char wanted) {
        if (at_ == text_.size() || text_[at_] != wanted) fail('\'' + printable(string_view(&wanted, 1)) + '\'');
        ++at_;
    }

    [[noreturn]] bool fail(string_view expected) const {
        refuse("does not fit: expected " + string(expected) + " at character " + std::to_string(at_ + 1));
    }

    [[noreturn]] void refuse(const string& why) const {
        throw error(errc::invalid_argument, "time " + in_quotes(text_) + " of the pattern " +
                                                in_quotes(pattern_) + ' ' + why);
    }

    const string_view text_;
    const string_view pattern_;
    std::size_t at_ = 0;
    std::optional<int> year_, month_, day_, day_of_year_, half_day_hour_;
    std::optional<bool> is_afternoon_;
    std::optional<unsigned> weekday_;
    std::optional<seconds> offset_;
    int hour_ = 0, minute_ = 0, second_ = 0;
    milliseconds fraction_{};
};

/// A time as clocks somewhere show it.
class writer {
public:
    writer(time_point when, const zone& in) : in_(in) {
        // A day more on both sides, as clocks may be ahead or behind; and so that integers suffice for what follows.
        constexpr time_point first = sys_days(year(0) / January / 1) - days(1);
        constexpr time_point past = sys_days(year(10000) / January / 1) + days(1);
        if (when < first || when >= past) refuse();
        second_ = floor<seconds>(when);
        fraction_ = when - second_;
        local_ = in.to_local(second_);
        day_ = floor<days>(local_);
        date_ = year_month_day(day_);
        time_ = hh_mm_ss<seconds>(local_ - day_);
        if (date_.year() < year(0) || date_.year() > year(9999)) refuse();
    }

    string write(string_view pattern) const {
        string out;
        walk(pattern, [&](char which) { append(out, which); }, [&](char c) { out.push_back(c); });
        return out;
    }

private:
    void append(string& out, char which) const {
        const auto hour = time_.hours().count();
        const auto name = weekdays[weekday(day_).c_encoding()];
        const auto month = months[static_cast<unsigned>(date_.month()) - 1];
        switch (which) {
            case 'Y': return append_number(out, int(date_.year()), 4);
            case 'y': return append_number(out, int(date_.year()) % 100, 2);
            case 'm': return append_number(out, unsigned(date_.month()), 2);
            case 'd': return append_number(out, unsigned(date_.day()), 2);
            case 'j': return append_number(out, (day_ - local_days(date_.year() / January / 1)).count() + 1, 3);
            case 'H': return append_number(out, hour, 2);
            case 'I': return append_number(out, hour % 12 == 0 ? 12 : hour % 12, 2);
            case 'M': return append_number(out, time_.minutes().count(), 2);
            case 'S': return append_number(out, time_.seconds().count(), 2);
            case 'f': return append_number(out, microseconds(fraction_).count(), 6);
            case 'p': out += hour < 12 ? "AM" : "PM"; return;
            case 'a': out += name.substr(0, short_name); return;
            case 'A': out += name; return;
            case 'b': out += month.substr(0, short_name); return;
            case 'B': out += month; return;
            case 'z': return append_offset(out, floor<minutes>(local_.time_since_epoch() - second_.time_since_epoch()));
            case 'Z': out += in_.abbreviation(second_); return;
        }
    }

    static void append_offset(string& out, minutes ahead) {
        out.push_back(ahead < minutes(0) ? '-' : '+');
        append_number(out, abs(ahead).count() / 60 * 100 + abs(ahead).count() % 60, 4);
    }

    [[noreturn]] static void refuse() {
        throw error(errc::invalid_argument, "a time can't be written: it is outside of the years 0 to 9999");
    }

    const zone& in_;
    sys_seconds second_{};
    milliseconds fraction_{};
    local_seconds local_;
    local_days day_;
    year_month_day date_{};
    hh_mm_ss<seconds> time_;
};

}  // namespace detail::written_time

std::string format_time(time_point when, const zone& in, std::string_view pattern) {
    return detail::written_time::writer(when, in).write(pattern);
}

time_point parse_time(std::string_view text, const zone& in, std::string_view pattern) {
    return detail::written_time::reader(text, pattern).read(in);
}

std::string convert_time(std::string_view text, const zone& from, const zone& to, std::string_view pattern) {
    return convert_time(text, from, to, pattern, pattern);
}

std::string convert_time(std::string_view text, const zone& from, const zone& to, std::string_view pattern,
                         std::string_view written_as) {
    return format_time(parse_time(text, from, pattern), to, written_as);
}

}  // namespace taskflux
