#pragma once

#include <taskflux/core/cron/fields.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

/// Compares without regard to large and small letters. `small`: in small ones.
constexpr bool is_same_word(std::string_view given, std::string_view small) {
    return std::ranges::equal(given, small, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// Reads the fields of a cron expression. What is wrong is told with the field and the position in the text, from 1.
class cron_parser {
public:
    explicit cron_parser(std::string_view text) : text_(text) {}

    cron_fields parse() {
        if (text_.find_first_of("\r\n") != std::string_view::npos) refuse("", 0, "a line break is in it; an expression is one line");
        const auto words = split();
        const auto first = text_.substr(0, text_.find('='));
        if (first.size() < text_.size() && (is_same_word(first, "tz") || is_same_word(first, "cron_tz"))) {
            refuse("", 0, "a time zone is no part of it; give it as the schedule's zone, and leave it out here");
        }
        if (words.size() != 5 && words.size() != 6) {
            refuse("", 0, "it has " + std::to_string(words.size()) + (words.size() == 1 ? " field" : " fields") +
                              "; five are needed (minute hour day month weekday), or six with seconds in front" +
                              (words.size() == 7 ? "; there are none for years: leave the last one out" : ""));
        }
        cron_fields made;
        auto word = words.begin();
        if (words.size() == 6) made.seconds = read(second, *word++);
        made.minutes = read(minute, *word++);
        const bool is_star = text_[*word] == '*';
        made.hours = read(hour, *word++);
        made.any_hour = is_star || made.hours == range(hour.low, hour.high, 1);
        const auto day_at = *word++;
        made.any_day = text_[day_at] == '*' || text_[day_at] == '?';
        made.days = read(day, day_at, &made);
        made.months = read(month, *word++);
        made.any_weekday = text_[*word] == '*' || text_[*word] == '?';
        made.weekdays = read(weekday, *word, &made);
        if (!made.next(std::chrono::local_seconds{})) refuse(day.name, day_at, "no such date ever comes");
        if (!made.any_day && !made.any_weekday) {  // either of them suffices, so that the other may never come
            auto by_day = made;
            by_day.weekdays = by_day.last_weekdays = 0;
            by_day.nth_weekdays = {};
            if (!by_day.next(std::chrono::local_seconds{})) {
                refuse(day.name, day_at, "no such date ever comes; write * where the days of the week are meant alone");
            }
        }
        return made;
    }

    /// Throws `invalid_argument`. `part`: which one, or none; `at`: an index.
    [[noreturn]] void refuse(std::string_view part, std::size_t at, const std::string& what) const {
        std::string where;
        if (!part.empty()) where = ", " + std::string(part) + ", position " + std::to_string(at + 1);
        throw error(errc::invalid_argument, "cron " + in_quotes(text_, 200) + where + ": " + what);
    }

private:
    using names = std::span<const std::string_view>;

    struct field {
        std::string_view name;
        unsigned low, high;
        names values;  // of low, low + 1, …
    };

    static constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
    static constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    static constexpr field second{"second", 0, 59, {}};
    static constexpr field minute{"minute", 0, 59, {}};
    static constexpr field hour{"hour", 0, 23, {}};
    static constexpr field day{"day of month", 1, 31, {}};
    static constexpr field month{"month", 1, 12, month_names};
    static constexpr field weekday{"day of week", 0, 7, weekday_names};

    static bool is_space(char c) { return c == ' ' || c == '\t'; }

    /// Where the words begin.
    std::vector<std::size_t> split() const {
        std::vector<std::size_t> begins;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (!is_space(text_[i]) && (i == 0 || is_space(text_[i - 1]))) begins.push_back(i);
        }
        return begins;
    }

    bool is_end() const { return at_ == text_.size() || is_space(text_[at_]); }
    bool skip(char c) {
        if (is_end() || std::toupper(static_cast<unsigned char>(text_[at_])) != c) return false;
        return ++at_, true;
    }

    /// One field. `special`: where what only days can say goes.
    std::uint64_t read(const field& of, std::size_t from, cron_fields* special = nullptr) {
        at_ = from;
        std::uint64_t set = 0;
        do set |= item(of, special);
        while (skip(','));
        if (!is_end()) refuse(of.name, at_, "unexpected " + next_character());
        if (&of == &weekday && cron_fields::has(set, 7)) set = (set | 1) & 0x7f;
        return set;
    }

    std::uint64_t item(const field& of, cron_fields* special) {
        const auto begin = at_;
        const bool is_day = &of == &day;
        if (skip('*')) return range(of.low, highest(of), step(of));
        if (special && skip('?')) return range(of.low, highest(of), 1);
        if (is_day && skip('L')) return last_day(of, *special), 0;
        const auto first = value(of);
        if (is_day && skip('W')) return special->nearest_weekdays |= std::uint64_t(1) << first, 0;
        if (special && !is_day && skip('L')) return special->last_weekdays |= std::uint64_t(1) << first % 7, 0;
        if (special && !is_day && skip('#')) {
            const auto at = at_;
            const auto nth = number(of);
            if (nth < 1 || nth > 5) refuse(of.name, at, "a month has one to five of each day of the week");
            return special->nth_weekdays[first % 7] |= std::uint64_t(1) << nth, 0;
        }
        auto low = first, last = first;
        if (skip('-')) {
            last = value(of);
            if (&of == &weekday && last == 0 && first > 0) last = 7;  // … to Sunday
            if (&of == &weekday && first == 7 && last < 7) low = 0;   // Sunday to …
            if (last < low) refuse(of.name, begin, "the range runs backwards");
        } else if (!is_end() && text_[at_] == '/') {
            last = highest(of);
            if (low > last) low = of.low;  // from Sunday on
        }
        return range(low, last, step(of));
    }

    void last_day(const field& of, cron_fields& special) {
        if (skip('W')) {
            special.last_working_day = true;
            return;
        }
        unsigned before = 0;
        if (skip('-')) {
            const auto at = at_;
            before = number(of);
            if (before > 30) refuse(of.name, at, "no month has a day that long before its last");
        }
        special.days_from_last |= std::uint64_t(1) << before;
    }

    static unsigned highest(const field& of) { return &of == &weekday ? 6 : of.high; }

    unsigned step(const field& of) {
        if (!skip('/')) return 1;
        const auto at = at_;
        const auto by = number(of);
        if (by == 0) refuse(of.name, at, "a step of 0 never ends");
        const auto width = highest(of) - of.low + 1;
        if (by > width) {
            refuse(of.name, at, "a step of " + std::to_string(by) + " is wider than the field, of " + std::to_string(width) +
                                    "; a time that does not fit into it is written as @every, for instance @every 90m");
        }
        return by;
    }

    static std::uint64_t range(unsigned first, unsigned last, unsigned by) {
        std::uint64_t set = 0;
        for (std::uint64_t i = first; i <= last; i += by) set |= std::uint64_t(1) << i;
        return set;
    }

    /// A number or name within the field's limits.
    unsigned value(const field& of) {
        const auto begin = at_;
        if (!is_end() && std::isalpha(static_cast<unsigned char>(text_[at_])) && !of.values.empty()) return named(of);
        const auto given = number(of);
        if (given < of.low || given > of.high) {
            refuse(of.name, begin, std::to_string(given) + " is not within " + std::to_string(of.low) + " to " + std::to_string(of.high));
        }
        return given;
    }

    unsigned named(const field& of) {
        constexpr std::size_t length = 3;
        auto end = at_;
        while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end]))) ++end;
        const auto word = text_.substr(at_, end - at_);
        for (std::size_t i = 0; i < of.values.size(); ++i) {
            if (!is_same_word(word.substr(0, length), of.values[i])) continue;
            const bool is_last = &of == &weekday && is_same_word(word.substr(length), "l");  // FRIL
            if (word.size() > length && !is_last) {
                refuse(of.name, at_, in_quotes(word) + " is not known; names have three letters: use " + std::string(of.values[i]));
            }
            at_ += length;
            return of.low + static_cast<unsigned>(i);
        }
        refuse(of.name, at_, "no name is known there; use " + std::string(of.values.front()) + " to " + std::string(of.values.back()));
    }

    /// The whole character that comes next.
    std::string next_character() const {
        const auto size = (std::max)(utf8_sequence(text_.substr(at_)), std::size_t(1));
        return '\'' + printable(text_.substr(at_, size)) + '\'';
    }

    unsigned number(const field& of) {
        unsigned given = 0;
        const auto* const begin = text_.data() + at_;
        const auto [end, ec] = std::from_chars(begin, text_.data() + text_.size(), given);
        if (ec == std::errc::result_out_of_range) refuse(of.name, at_, "the number is too large");
        if (ec != std::errc()) {
            const auto found = is_end() ? std::string("the field ends") : "there is " + next_character();
            refuse(of.name, at_, "a number is needed, but " + found);
        }
        at_ += static_cast<std::size_t>(end - begin);
        return given;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace taskflux::detail
