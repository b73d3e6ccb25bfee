#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>

namespace taskflux::detail {

/// What the fields of a cron expression allow, as sets of bits.
struct cron_fields {
    std::uint64_t seconds = 1;
    std::uint64_t minutes = 0;
    std::uint64_t hours = 0;
    std::uint64_t days = 0;                        ///< of the month, 1 to 31
    std::uint64_t months = 0;                      ///< 1 to 12
    std::uint64_t weekdays = 0;                    ///< 0 to 6 from Sunday
    std::uint64_t days_from_last = 0;              ///< L, L-3: so many before the month's last one
    std::uint64_t nearest_weekdays = 0;            ///< 15W: the working day next to it
    std::uint64_t last_weekdays = 0;               ///< 5L: the month's last of that day of the week
    std::array<std::uint64_t, 7> nth_weekdays{};   ///< 5#3: the month's third; by day of the week
    bool last_working_day = false;                 ///< LW
    bool any_day = false;                          ///< the field begins with * or ?
    bool any_weekday = false;
    bool any_hour = false;

    static constexpr bool has(std::uint64_t set, unsigned value) { return (set >> value & 1) != 0; }

    /// The smallest element that is not below `from`.
    static constexpr std::optional<unsigned> at_least(std::uint64_t set, unsigned from) {
        if (from > 63 || set >> from == 0) return std::nullopt;
        return from + static_cast<unsigned>(std::countr_zero(set >> from));
    }

    /// The days of that month that match. Both day fields must match where one of them begins with a star, as in Vixie's
    /// cron; else one of them.
    std::uint64_t days_in(std::chrono::year_month month) const {
        const auto last = unsigned((month / std::chrono::last).day());
        const auto first = std::chrono::weekday(std::chrono::sys_days(month / 1)).c_encoding();
        const auto all = ((std::uint64_t(1) << last) - 1) << 1;
        const auto weekday = [&](unsigned day) { return (first + day - 1) % 7; };
        auto by_day = days;
        for (unsigned before = 0; before < last; ++before) {
            if (has(days_from_last, before)) by_day |= std::uint64_t(1) << (last - before);
        }
        for (unsigned day = 1; day <= last && nearest_weekdays != 0; ++day) {
            if (has(nearest_weekdays, day)) by_day |= std::uint64_t(1) << working_day(day, last, weekday(day));
        }
        if (last_working_day) by_day |= std::uint64_t(1) << working_day(last, last, weekday(last));
        std::uint64_t by_weekday = 0;
        for (unsigned day = 1; day <= last; ++day) {
            const auto which = weekday(day);
            const bool matches = has(weekdays, which) || has(nth_weekdays[which], (day + 6) / 7) ||
                                 (has(last_weekdays, which) && day + 7 > last);
            if (matches) by_weekday |= std::uint64_t(1) << day;
        }
        return (any_day || any_weekday ? by_day & by_weekday : by_day | by_weekday) & all;
    }

    /// The first local time from `from` on that matches; nothing within 400 years, after which the calendar repeats.
    std::optional<std::chrono::local_seconds> next(std::chrono::local_seconds from) const {
        using namespace std::chrono;
        const auto today = floor<std::chrono::days>(from);
        const year_month_day date(today);
        auto month = date.year() / date.month();
        auto day = unsigned(date.day());
        auto time = static_cast<unsigned>((from - today).count());
        for (const auto end = month + years(400); month <= end; month += std::chrono::months(1), day = 1, time = 0) {
            if (!has(months, unsigned(month.month()))) continue;
            const auto matching = days_in(month);
            for (auto found = at_least(matching, day); found; found = at_least(matching, *found + 1)) {
                if (*found != day) time = 0;
                if (const auto then = next_time(time)) {
                    return local_days(month / static_cast<int>(*found)) + std::chrono::seconds(*then);
                }
            }
        }
        return std::nullopt;
    }

private:
    /// The working day (Monday to Friday) nearest to `day` within the month.
    static unsigned working_day(unsigned day, unsigned last, unsigned weekday) {
        constexpr unsigned saturday = 6, sunday = 0;
        if (weekday == saturday) return day > 1 ? day - 1 : day + 2;
        if (weekday == sunday) return day < last ? day + 1 : day - 2;
        return day;
    }

    /// The first matching second of a day from `from` on.
    std::optional<unsigned> next_time(unsigned from) const {
        const auto hour = from / 3600, minute = from / 60 % 60, second = from % 60;
        for (auto h = at_least(hours, hour); h; h = at_least(hours, *h + 1)) {
            for (auto m = at_least(minutes, *h == hour ? minute : 0); m; m = at_least(minutes, *m + 1)) {
                const bool is_now = *h == hour && *m == minute;
                if (const auto s = at_least(seconds, is_now ? second : 0)) return *h * 3600 + *m * 60 + *s;
            }
        }
        return std::nullopt;
    }
};

}  // namespace taskflux::detail
