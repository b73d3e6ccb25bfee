#include <taskflux/core/cron.hpp>
#include <taskflux/core/cron/clocks.hpp>
#include <taskflux/core/cron/parser.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace core_cron {

namespace data = boost::unit_test::data;
using namespace std::chrono;
using namespace std::chrono_literals;
using taskflux::cron;
using taskflux::zone;

/// "2026-03-29 01:30:00" as UTC.
taskflux::time_point at(const char* text) {
    int y = 0, mon = 0, d = 0, h = 0, min = 0, s = 0;
    BOOST_REQUIRE(std::sscanf(text, "%d-%d-%d %d:%d:%d", &y, &mon, &d, &h, &min, &s) == 6);
    return sys_days(year(y) / mon / d) + hours(h) + minutes(min) + seconds(s);
}

std::string text_of(std::optional<taskflux::time_point> when) {
    if (!when) return "never";
    const auto day = floor<days>(*when);
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(*when - day));
    std::array<char, 40> out{};
    std::snprintf(out.data(), out.size(), "%d-%02u-%02u %02d:%02d:%02d", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                  int(time.hours().count()), int(time.minutes().count()), int(time.seconds().count()));
    return out.data();
}

struct expectation {
    const char* text;
    const char* in;
    const char* after;
    std::vector<const char*> then;  // all in UTC

    friend std::ostream& operator<<(std::ostream& out, const expectation& e) {
        return out << e.text << " in " << e.in << " after " << e.after;
    }
};

const expectation table[] = {
    {"* * * * *", "UTC", "2026-01-01 00:00:00", {"2026-01-01 00:01:00", "2026-01-01 00:02:00"}},
    {"*/15 * * * *", "UTC", "2026-01-01 00:44:59", {"2026-01-01 00:45:00", "2026-01-01 01:00:00"}},
    {"30 5 * * * *", "UTC", "2026-01-01 00:05:30", {"2026-01-01 01:05:30"}},
    {"*/20 * * * * *", "UTC", "2026-01-01 00:00:59", {"2026-01-01 00:01:00", "2026-01-01 00:01:20"}},
    {"5/20 * * * *", "UTC", "2026-01-01 00:00:00", {"2026-01-01 00:05:00", "2026-01-01 00:25:00", "2026-01-01 00:45:00", "2026-01-01 01:05:00"}},
    {"0 9-17/4 * * MON-FRI", "UTC", "2026-01-02 13:00:00", {"2026-01-02 17:00:00", "2026-01-05 09:00:00"}},
    {"0 0 29 2 *", "UTC", "2026-01-01 00:00:00", {"2028-02-29 00:00:00", "2032-02-29 00:00:00"}},
    {"0 0 29 2 *", "UTC", "2096-03-01 00:00:00", {"2104-02-29 00:00:00"}},  // 2100 is no leap year
    {"0 0 1,15 * 5", "UTC", "2026-05-01 00:00:00", {"2026-05-08 00:00:00", "2026-05-15 00:00:00", "2026-05-22 00:00:00"}},
    {"0 0 */2 * 5", "UTC", "2026-05-01 00:00:00", {"2026-05-15 00:00:00", "2026-05-29 00:00:00"}},  // a star: both
    {"0 0 L * *", "UTC", "2026-01-31 00:00:00", {"2026-02-28 00:00:00", "2026-03-31 00:00:00"}},
    {"0 0 L-2 * ?", "UTC", "2028-02-01 00:00:00", {"2028-02-27 00:00:00", "2028-03-29 00:00:00"}},
    {"0 0 15W * ?", "UTC", "2026-02-01 00:00:00", {"2026-02-16 00:00:00", "2026-03-16 00:00:00", "2026-04-15 00:00:00"}},
    {"0 0 1W * ?", "UTC", "2026-07-15 00:00:00", {"2026-08-03 00:00:00"}},   // the 1st is a Saturday: not in July
    {"0 0 31W * ?", "UTC", "2026-04-01 00:00:00", {"2026-05-29 00:00:00"}},  // no 31st in April, and a Sunday in May
    {"0 0 LW * ?", "UTC", "2026-02-01 00:00:00", {"2026-02-27 00:00:00", "2026-03-31 00:00:00"}},
    {"0 0 ? * 5L", "UTC", "2026-01-01 00:00:00", {"2026-01-30 00:00:00", "2026-02-27 00:00:00"}},
    {"0 0 ? * FRI#3", "UTC", "2026-01-01 00:00:00", {"2026-01-16 00:00:00", "2026-02-20 00:00:00"}},
    {"0 0 ? * MON#5", "UTC", "2026-01-01 00:00:00", {"2026-03-30 00:00:00", "2026-06-29 00:00:00"}},
    {"0 0 * * 7", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-11 00:00:00"}},
    {"0 0 * * 0", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
    {"0 0 * * 5-7", "UTC", "2026-01-01 00:00:00", {"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-09 00:00:00"}},
    {"0 0 * * sat-sun", "UTC", "2026-01-01 00:00:00", {"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-10 00:00:00"}},
    {"0 0 * * 7-7", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-11 00:00:00"}},
    {"0 0 * * 7-2", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-05 00:00:00", "2026-01-06 00:00:00", "2026-01-11 00:00:00"}},
    {"0 0 * * 7,3", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-01-07 00:00:00", "2026-01-11 00:00:00"}},
    {"0 0 * * 7/3", "UTC", "2026-01-01 00:00:00", {"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-07 00:00:00", "2026-01-10 00:00:00"}},
    {"0 0 * * 3-7/2", "UTC", "2026-01-01 00:00:00", {"2026-01-02 00:00:00", "2026-01-04 00:00:00", "2026-01-07 00:00:00"}},
    {"0 0 * * 7-6/3", "UTC", "2026-01-01 00:00:00", {"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-07 00:00:00"}},
    {"0 0 13 * 7/6", "UTC", "2026-01-01 00:00:00", {"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-10 00:00:00", "2026-01-11 00:00:00", "2026-01-13 00:00:00"}},
    {"0 0 ? * 5L", "UTC", "2025-01-01 00:00:00", {"2025-01-31 00:00:00", "2025-02-28 00:00:00"}},
    {"0 0 ? * 7L", "UTC", "2026-01-01 00:00:00", {"2026-01-25 00:00:00"}},
    {"0 0 ? * 7#1", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00", "2026-02-01 00:00:00"}},
    {"0 0 ? * FRIL", "UTC", "2026-01-01 00:00:00", {"2026-01-30 00:00:00"}},
    {"*/60 */24 */31 */12 *", "UTC", "2026-01-01 00:00:00", {"2027-01-01 00:00:00"}},
    {"0 0 * * */7", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
    {"0 0 1 jan,JUL *", "UTC", "2026-01-01 00:00:00", {"2026-07-01 00:00:00", "2027-01-01 00:00:00"}},
    {"@yearly", "UTC", "2026-01-01 00:00:00", {"2027-01-01 00:00:00"}},
    {"@monthly", "UTC", "2026-01-01 00:00:00", {"2026-02-01 00:00:00"}},
    {"@weekly", "UTC", "2026-01-01 00:00:00", {"2026-01-04 00:00:00"}},
    {" @DAILY\r\n", "UTC", "2026-01-01 00:00:00", {"2026-01-02 00:00:00"}},
    {"0 0 * * *\n", "UTC", "2026-01-01 00:00:00", {"2026-01-02 00:00:00"}},
    {"\n@Every 90s\t", "UTC", "1970-01-01 00:01:00", {"1970-01-01 00:01:30"}},
    {" @daily ", "UTC", "2026-01-01 00:00:00", {"2026-01-02 00:00:00"}},
    {"@hourly", "UTC", "2026-01-01 00:00:00", {"2026-01-01 01:00:00"}},
    {"@every 90s", "UTC", "1970-01-01 00:01:00", {"1970-01-01 00:01:30", "1970-01-01 00:03:00"}},
    {"@every 1h30m", "UTC", "1970-01-01 00:00:00", {"1970-01-01 01:30:00"}},
    // Berlin: 02:00 becomes 03:00 on 29 March 2026 at 01:00 UTC; 03:00 becomes 02:00 on 25 October at 01:00 UTC.
    {"30 2 * * *", "Europe/Berlin", "2026-03-28 00:00:00", {"2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"}},
    {"0,30 2 * * *", "Europe/Berlin", "2026-03-28 02:00:00", {"2026-03-29 01:00:00", "2026-03-30 00:00:00"}},
    {"30 2 * * *", "Europe/Berlin", "2026-03-29 00:59:59", {"2026-03-29 01:00:00"}},
    {"30 2 * * *", "Europe/Berlin", "2026-10-24 12:00:00", {"2026-10-25 00:30:00", "2026-10-26 01:30:00"}},
    {"30 2 * * *", "Europe/Berlin", "2026-10-25 01:10:00", {"2026-10-26 01:30:00"}},
    {"30 * * * *", "Europe/Berlin", "2026-03-29 00:00:00", {"2026-03-29 00:30:00", "2026-03-29 01:30:00"}},
    {"30 * * * *", "Europe/Berlin", "2026-10-24 23:45:00", {"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"}},
    {"*/30 0-23 * * *", "Europe/Berlin", "2026-03-29 00:30:00", {"2026-03-29 01:00:00", "2026-03-29 01:30:00"}},
    {"30 0-23 * * *", "Europe/Berlin", "2026-10-25 00:00:00", {"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"}},
    {"30 0-11,12-23/1 * * *", "Europe/Berlin", "2026-10-25 00:00:00", {"2026-10-25 00:30:00", "2026-10-25 01:30:00"}},
    {"30 0-22 * * *", "Europe/Berlin", "2026-10-25 00:00:00", {"2026-10-25 00:30:00", "2026-10-25 02:30:00"}},
    {"0 */2 * * *", "Europe/Berlin", "2026-03-28 23:30:00", {"2026-03-29 02:00:00"}},  // 02:00 is not there
    {"0 9 * * *", "America/New_York", "2026-03-07 00:00:00", {"2026-03-07 14:00:00", "2026-03-08 13:00:00"}},
    {"30 1 * * *", "America/New_York", "2026-11-01 00:00:00", {"2026-11-01 05:30:00", "2026-11-02 06:30:00"}},
    {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03 00:00:00", {"2026-10-03 15:30:00", "2026-10-04 15:15:00"}},  // half an hour
    {"0 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00:00", {"2018-11-04 03:00:00", "2018-11-05 02:00:00"}},  // no midnight
    {"0 12 * * *", "Pacific/Apia", "2011-12-29 00:00:00", {"2011-12-29 22:00:00", "2011-12-30 10:00:00", "2011-12-30 22:00:00"}},
    {"0 12 * * *", "Asia/Kolkata", "2026-01-01 00:00:00", {"2026-01-01 06:30:00"}},
};

struct mistake {
    const char* text;
    const char* part;  // of the message

    friend std::ostream& operator<<(std::ostream& out, const mistake& m) { return out << '"' << m.text << '"'; }
};

const mistake mistakes[] = {
    {"", "it has 0 fields"},
    {"* * * *", "it has 4 fields"},
    {"0 9 * *\n", "it has 4 fields"},
    {"* * * * * * *", "it has 7 fields"},
    {"* * * * * * * *", "it has 8 fields; five"},
    {"60 * * * *", "minute, position 1: 60 is not within 0 to 59"},
    {"* 24 * * *", "hour, position 3: 24 is not within 0 to 23"},
    {"* * 0 * *", "day of month, position 5: 0 is not within 1 to 31"},
    {"* * * 13 *", "month, position 7: 13 is not within 1 to 12"},
    {"* * * * 8", "day of week, position 9: 8 is not within 0 to 7"},
    {"* * * foo *", "month, position 7: no name is known there; use jan to dec"},
    {"* * * * mo", "day of week, position 9: no name is known there; use sun to sat"},
    {"*/0 * * * *", "minute, position 3: a step of 0 never ends"},
    {"5-1 * * * *", "minute, position 1: the range runs backwards"},
    {"1, * * * *", "minute, position 3: a number is needed, but the field ends"},
    {"1-x * * * *", "minute, position 3: a number is needed, but there is 'x'"},
    {"? * * * *", "minute, position 1: a number is needed, but there is '?'"},
    {"*5 * * * *", "minute, position 2: unexpected '5'"},
    {"* * L5 * *", "day of month, position 6: unexpected '5'"},
    {"* * L-31 * *", "day of month, position 7: no month"},
    {"* * * * 5#6", "day of week, position 11: a month has one to five"},
    {"99999999999 * * * *", "minute, position 1: the number is too large"},
    {"0 0 30 2 5#1", "day of month, position 5: no such date ever comes; write * where the days of the week are meant alone"},
    {"0 0 30 2 5L", "day of month, position 5: no such date ever comes; write * where the days of the week are meant alone"},
    {"0 0 30 2 *", "day of month, position 5: no such date ever comes"},
    {"0 0 31 4,6,9,11 *", "day of month, position 5: no such date ever comes"},
    {"0  15 10\tL-29 feb *", "day of month, position 10: no such date ever comes"},
    {"0 0 */30 2 1#5", "day of month, position 5: no such date ever comes"},
    {"@sometimes", "name, position 1: not known; use @yearly"},
    {"@every", "how often?"},
    {"@every 5", "period, position 9: the unit is missing; use d, h, m, s or ms after a whole number, without spaces: 1h30m"},
    {"@every 5 s", "period, position 9: the unit is not known: \" s\"; use d, h, m, s or ms"},
    {"@every 1h 30m", "period, position 9: the unit is not known: \"h \""},
    {"@every 1h5x", "period, position 11: the unit is not known: \"x\""},
    {"@every 5min", "period, position 9: the unit is not known: \"min\""},
    {"@every 5M", "period, position 9: the unit is not known: \"M\""},
    {"@every 1.5h", "period, position 9: the unit is not known: \".\""},
    {"@every -5m", "period, position 8: a whole number and a unit are needed"},
    {"@every s", "a whole number and a unit are needed"},
    {"@every 0s", "longer than nothing"},
    {"@every 99999999d", "longer than ten years"},
    {"@every 99999999999999999999d", "longer than ten years"},
    {"@every 213503982335d", "period, position 8: longer than ten years"},  // 2^64 ms and some hours
    {"@every 3650d1ms", "period, position 13: longer than ten years, all together"},
    {"@everyone", "name, position 1: not known; use @yearly"},
    {"@every5m", "name, position 1: not known; use @yearly"},
    {"@daily 5", "name, position 1: not known; use @yearly"},
    {"hourly", "it has 1 field; five"},
    {"0 0 9 ? * MON 2027", "it has 7 fields; five are needed (minute hour day month weekday), or six with seconds in front; "
                           "there are none for years: leave the last one out"},
    {"TZ=Europe/Berlin 0 9 * * *", "a time zone is no part of it; give it as the schedule's zone"},
    {"CRON_TZ=Europe/Berlin 0 9 * * *", "a time zone is no part of it"},
    {"cron_tz=UTC @daily", "a time zone is no part of it"},
    {"* * * * Monday", "day of week, position 9: \"Monday\" is not known; names have three letters: use mon"},
    {"* * * * fri-sunday", "day of week, position 13: \"sunday\" is not known; names have three letters: use sun"},
    {"* * * sept *", "month, position 7: \"sept\" is not known; names have three letters: use sep"},
    {"* * * * monl5", "day of week, position 13: unexpected '5'"},
    {"*/90 * * * *", "minute, position 3: a step of 90 is wider than the field, of 60; a time that does not fit into it is written "
                     "as @every, for instance @every 90m"},
    {"*/61 * * * *", "minute, position 3: a step of 61 is wider"},
    {"5/100 * * * *", "minute, position 3: a step of 100 is wider"},
    {"1-9/61 * * * *", "minute, position 5: a step of 61 is wider"},
    {"*/90 * * * * *", "second, position 3: a step of 90 is wider than the field, of 60"},
    {"0 */25 * * *", "hour, position 5: a step of 25 is wider than the field, of 24"},
    {"0 0 */32 * *", "day of month, position 7: a step of 32 is wider than the field, of 31"},
    {"0 0 1 */13 *", "month, position 9: a step of 13 is wider than the field, of 12"},
    {"0 0 * * */8", "day of week, position 11: a step of 8 is wider than the field, of 7"},
    {"0 0 31 2,4 MON", "day of month, position 5: no such date ever comes; write * where the days of the week are meant alone"},
    {"0 0 30 2 *", "day of month, position 5: no such date ever comes"},
    {"0 0 * * *\n0 1 * * *", "a line break is in it; an expression is one line"},
    {"\xc3\xa4 * * * *", "minute, position 1: a number is needed, but there is '\xc3\xa4'"},
    {"5\xe2\x82\xac * * * *", "minute, position 2: unexpected '\xe2\x82\xac'"},
    {"5\xe2 * * * *", "minute, position 2: unexpected '\\xe2'"},
};

// --- the oracle: looks at every minute, and at nothing twice ------------------------------------------------

struct plain_field {
    std::string text;
    std::vector<bool> allowed;
    bool is_star = false;
};

/// A field of stars, lists, ranges and steps, with what it allows.
plain_field draw_field(std::mt19937& random, int low, int high, int star_of) {
    plain_field made;
    made.allowed.resize(static_cast<std::size_t>(high) + 1);
    const auto between = [&](int a, int b) { return std::uniform_int_distribution<int>(a, b)(random); };
    if (between(1, star_of) > 1) {
        made.is_star = true;
        const auto step = between(0, 2) == 0 ? between(2, 7) : 1;
        made.text = step == 1 ? "*" : "*/" + std::to_string(step);
        for (int i = low; i <= high; i += step) made.allowed[static_cast<std::size_t>(i)] = true;
        return made;
    }
    const auto items = between(1, 3);
    for (int n = 0; n < items; ++n) {
        const auto first = between(low, high), last = between(first, high), step = between(1, 5);
        if (n > 0) made.text += ',';
        switch (between(0, 2)) {
            case 0:
                made.text += std::to_string(first);
                made.allowed[static_cast<std::size_t>(first)] = true;
                break;
            case 1:
                made.text += std::to_string(first) + '-' + std::to_string(last);
                for (int i = first; i <= last; ++i) made.allowed[static_cast<std::size_t>(i)] = true;
                break;
            default:
                made.text += std::to_string(first) + '-' + std::to_string(last) + '/' + std::to_string(step);
                for (int i = first; i <= last; i += step) made.allowed[static_cast<std::size_t>(i)] = true;
        }
    }
    return made;
}

/// A zone's spans, each asked for once: libc++ computes them anew at each question.
class known_clocks {
public:
    explicit known_clocks(const zone& in) : in_(in) {}

    zone::span at(sys_seconds when) const {
        for (const auto& one : spans_) {
            if (one.begin <= when && when < one.end) return one;
        }
        return spans_.emplace_back(in_.at(when));
    }
    local_seconds to_local(sys_seconds when) const { return local_seconds(when.time_since_epoch() + at(when).offset); }

private:
    zone in_;
    mutable std::vector<zone::span> spans_;
};

struct oracle {
    explicit oracle(std::mt19937& random)
        : minutes(draw_field(random, 0, 59, 2)), hours(draw_field(random, 0, 23, 2)), days(draw_field(random, 1, 31, 3)),
          months(draw_field(random, 1, 12, 4)), weekdays(draw_field(random, 0, 6, 3)) {}

    std::string text() const {
        return minutes.text + ' ' + hours.text + ' ' + days.text + ' ' + months.text + ' ' + weekdays.text;
    }

    bool matches(local_seconds local) const {
        const auto day = floor<std::chrono::days>(local);
        const year_month_day date(day);
        const hh_mm_ss time(local - day);
        const auto is = [](const plain_field& of, auto value) { return static_cast<bool>(of.allowed[static_cast<std::size_t>(value)]); };
        const bool by_day = is(days, unsigned(date.day())), by_weekday = is(weekdays, weekday(day).c_encoding());
        return is(minutes, time.minutes().count()) && is(hours, time.hours().count()) && is(months, unsigned(date.month())) &&
               (days.is_star || weekdays.is_star ? by_day && by_weekday : by_day || by_weekday);
    }

    /// Whether it happens in the minute that begins then.
    bool happens(sys_seconds when, const known_clocks& in) const {
        const auto now = in.at(when);
        const local_seconds local(when.time_since_epoch() + now.offset);
        if (hours.is_star) return matches(local);
        const auto before = in.at(when - 1s);
        if (when == now.begin) {  // what has been skipped
            for (auto skipped = local_seconds(when.time_since_epoch() + before.offset); skipped < local; skipped += 1min) {
                if (matches(skipped)) return true;
            }
        }
        if (!matches(local)) return false;
        // Not if clocks have shown it before.
        for (auto earlier = when - 1min; earlier > when - 25h; earlier -= 1min) {
            if (in.to_local(earlier) == local) return false;
        }
        return true;
    }

    plain_field minutes, hours, days, months, weekdays;
};

}  // namespace core_cron

BOOST_AUTO_TEST_SUITE(core_cron)

BOOST_DATA_TEST_CASE(times_follow_each_other_as_expected, data::make(table), expected) {
    const cron when(expected.text);
    const auto in = zone::named(expected.in);
    auto last = at(expected.after);
    for (const auto* then : expected.then) {
        const auto next = when.next(last, in);
        BOOST_TEST(text_of(next) == then);
        if (!next) break;
        last = *next;
    }
}

BOOST_DATA_TEST_CASE(a_mistake_is_told_with_field_and_position, data::make(mistakes), wrong) {
    BOOST_CHECK_EXCEPTION(cron{wrong.text}, taskflux::error, [&](const taskflux::error& e) {
        BOOST_TEST(std::string(e.what()).find(wrong.part) != std::string::npos, e.what());
        return e.code() == taskflux::errc::invalid_argument;
    });
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line_of_whole_characters_whatever_the_text_is) {
    const auto what = [](const std::string& text) {
        try {
            const cron made(text);
        } catch (const taskflux::error& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    std::string euros;
    for (int i = 0; i < 67; ++i) euros += "€";  // three bytes each: a cut at 200 falls inside of one
    BOOST_TEST(what(euros).starts_with("cron \"" + euros.substr(0, 66 * 3) + "\"…: it has 1 field;"));
    BOOST_TEST(what(std::string("0 0 * *\0 *", 10)) == R"(cron "0 0 * *\x00 *", month, position 8: unexpected '\x00')");
    BOOST_TEST(what("0 0 * *\r\n*") == R"(cron "0 0 * *\r\n*": a line break is in it; an expression is one line)");
    BOOST_TEST(what("0 0 \xff\x1b[2J * *") == R"(cron "0 0 \xff\x1b[2J * *", day of month, position 5: a number is needed, but there is '\xff')");
    for (const auto& text : {std::string("\x00\n\x80", 3), std::string("@every 5\n\0s", 11), std::string("a\u0085\u2028b")}) {
        for (const char c : what(text)) BOOST_TEST(static_cast<unsigned char>(c) >= 0x20);
    }
}

BOOST_AUTO_TEST_CASE(what_clocks_show_a_second_time_is_passed_over_at_once) {
    struct counting_zone {
        zone in;
        mutable int asked = 0;

        zone::span at(sys_seconds when) const { return ++asked, in.at(when); }
        local_seconds to_local(sys_seconds when) const { return ++asked, in.to_local(when); }
        sys_seconds first_at(local_seconds local) const { return ++asked, in.first_at(local); }
    };
    const auto fields = taskflux::detail::cron_parser("* * 0-22 * * *").parse();  // each second, but for one hour
    const auto first_after = [&](const char* name, const char* set_back) {
        const counting_zone counted{zone::named(name)};
        const auto from = floor<seconds>(at(set_back));
        const auto next = taskflux::detail::next_by_local_time(fields, from, counted);
        BOOST_TEST(counted.asked < 10, "asked the zone " << counted.asked << " times");
        return text_of(taskflux::time_point(*next));
    };
    BOOST_TEST(first_after("Europe/Berlin", "2026-10-25 01:00:00") == "2026-10-25 02:00:00");
    BOOST_TEST(first_after("Europe/Berlin", "2026-10-25 01:59:59") == "2026-10-25 02:00:00");
    BOOST_TEST(first_after("Australia/Lord_Howe", "2026-04-04 15:00:00") == "2026-04-04 15:30:00");
    // Clocks of a whole day are shown twice: Alaska moved to this side of the date line.
    BOOST_TEST(first_after("America/Juneau", "1867-10-19 15:33:32") == text_of(cron("* * 0-22 * * *").next(
                   at("1867-10-19 15:33:31"), zone::named("America/Juneau"))));
}

BOOST_AUTO_TEST_CASE(every_date_that_comes_only_in_some_leap_years_is_found) {
    const cron when("0 0 ? 2 MON#5");  // a 29 February that is a Monday
    BOOST_TEST(text_of(when.next(at("2024-02-01 00:00:00"))) == "2044-02-29 00:00:00");
    BOOST_TEST(text_of(when.next(at("2072-03-01 00:00:00"))) == "2112-02-29 00:00:00");
}

BOOST_AUTO_TEST_CASE(the_last_times_of_the_calendar_end_in_nothing) {
    BOOST_TEST(text_of(cron("* * * * *").next(taskflux::never)) == "never");
    BOOST_TEST(text_of(cron("@every 1s").next(taskflux::never)) == "never");
    const taskflux::time_point latest = sys_days(year(30000) / 1 / 1);
    for (const auto* text : {"* * * * * *", "@every 1s"}) {
        BOOST_TEST(text_of(cron(text).next(latest)) == "never");
        BOOST_TEST((cron(text).next(latest - 1s) == latest));
    }
}

BOOST_AUTO_TEST_CASE(a_time_before_the_first_of_the_calendar_counts_as_that) {
    const taskflux::time_point first = std::chrono::sys_days(std::chrono::year(-30000) / 1 / 1);
    for (const auto after : {(taskflux::time_point::min)(), first - std::chrono::years(10000), first - 1ms, first}) {
        BOOST_TEST((cron("0 0 * * *").next(after) == first + 24h));
        BOOST_TEST((cron("@every 1h").next(after) == first + 1h));
        BOOST_TEST((cron("0 0 * * *").next(after, taskflux::zone::named("Europe/Berlin")) < first + 25h));
    }
}

BOOST_AUTO_TEST_CASE(milliseconds_are_rounded_up) {
    BOOST_TEST(text_of(cron("* * * * * *").next(at("2026-01-01 00:00:00") + 1ms)) == "2026-01-01 00:00:01");
    BOOST_TEST((cron("@every 250ms").next(at("2026-01-01 00:00:00")) == at("2026-01-01 00:00:00") + 250ms));
}

BOOST_AUTO_TEST_CASE(it_agrees_with_one_who_looks_at_every_minute) {
    const char* zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"};
    std::mt19937 random(20261122);
    int seen = 0;
    for (int round = 0; round < 240; ++round) {
        const oracle one(random);
        std::optional<cron> when;
        try {
            when.emplace(one.text());
        } catch (const taskflux::error&) {
            continue;  // a date that never comes
        }
        const auto in = zone::named(zones[round % 6]);
        // A day somewhere in 60 years; every second time one at which clocks may change.
        const auto any = sys_days(year(1990) / 1 / 1) + days(std::uniform_int_distribution<int>(0, 60 * 365)(random));
        auto from = sys_seconds(any);
        if (const auto now = in.at(from); round % 2 == 0 && now.end < sys_days(year(2060) / 1 / 1)) from = floor<minutes>(now.end) - 12h;
        const auto till = from + 40h;
        std::optional<taskflux::time_point> next = when->next(from - 1s, in);
        const known_clocks clocks(in);
        for (auto minute = from; minute < till; minute += 1min) {
            const bool happens = one.happens(minute, clocks);
            BOOST_REQUIRE_MESSAGE(happens == (next == taskflux::time_point(minute)),
                                  one.text() << " in " << in.name() << " at " << text_of(minute) << ": expected " << happens
                                             << ", and cron says " << text_of(next));
            if (happens) next = when->next(minute, in), ++seen;
        }
    }
    BOOST_TEST(seen > 1000);
}

BOOST_AUTO_TEST_CASE(a_period_may_be_as_long_as_ten_years) {
    const auto ten_years = days(3650);
    for (const auto* text : {"@every 3650d", "@every 3649d24h", "@every 87600h", "@every 315360000000ms"}) {
        BOOST_TEST((cron(text).next(taskflux::time_point()) == taskflux::time_point(ten_years)), text);
    }
    BOOST_TEST((cron("@every 1d1h1m1s1ms").next(taskflux::time_point()) == taskflux::time_point(24h + 1h + 1min + 1s + 1ms)));
}

BOOST_AUTO_TEST_CASE(expressions_are_equal_by_their_texts) {
    BOOST_TEST((cron(" @daily ") == cron("@daily")));
    BOOST_TEST((cron("@daily") != cron("@hourly")));
    BOOST_TEST(cron(" * * * * *\n").text() == "* * * * *");
}

BOOST_AUTO_TEST_SUITE_END()
