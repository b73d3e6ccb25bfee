#include <taskflux/core/error.hpp>
#include <taskflux/core/time_text.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <random>
#include <string>

namespace core_time_text {

using namespace taskflux;
using namespace std::chrono_literals;
using std::chrono::January;
using std::chrono::sys_days;

const zone utc;

zone berlin() { return zone::named("Europe/Berlin"); }

constexpr time_point day(int year, unsigned month, unsigned number) {
    return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(number));
}

/// Expects `call` to be refused with a text that contains `part`.
template <class Call>
void refuses(Call call, const std::string& part) {
    BOOST_CHECK_EXCEPTION((void)call(), error, [&](const error& e) {
        BOOST_TEST(std::string(e.what()).find(part) != std::string::npos, e.what());
        return e.code() == errc::invalid_argument;
    });
}

}  // namespace core_time_text

BOOST_AUTO_TEST_SUITE(core_time_text)

BOOST_AUTO_TEST_CASE(a_time_is_written_as_clocks_in_a_zone_show_it) {
    const auto when = day(2026, 1, 31) + 23h + 5min + 9s + 250ms;
    BOOST_TEST(format_time(when) == "2026-01-31 23:05:09");
    BOOST_TEST(format_time(when, berlin()) == "2026-02-01 00:05:09");
    BOOST_TEST(format_time(when, zone::named("Asia/Shanghai"), "%d.%m.%Y") == "01.02.2026");
}

BOOST_AUTO_TEST_CASE(every_part_of_a_pattern_is_written) {
    const auto when = day(2026, 1, 31) + 12h + 5min + 9s + 250ms;
    const auto expect = [&](const std::string& pattern, const std::string& text) {
        BOOST_TEST(format_time(when, berlin(), pattern) == text);
    };
    expect("%Y %y %m %d %j", "2026 26 01 31 031");
    expect("%H %I %M %S %f %p", "13 01 05 09 250000 PM");
    expect("%a %A %b %B", "Sat Saturday Jan January");
    expect("%z %Z", "+0100 CET");
    expect("%F|%T|%R|%%", "2026-01-31|13:05:09|13:05|%");
    BOOST_TEST(format_time(when, utc, "%I %p %z %Z") == "12 PM +0000 UTC");
    BOOST_TEST(format_time(day(2026, 1, 1), utc, "%I %p") == "12 AM");
    BOOST_TEST(format_time(when, zone::named("America/St_Johns"), "%z") == "-0330");
}

BOOST_AUTO_TEST_CASE(times_of_any_precision_are_written) {
    using namespace std::chrono;
    BOOST_TEST(format_time(sys_days(2026y / January / 2)) == "2026-01-02 00:00:00");
    BOOST_TEST(format_time(sys_time<nanoseconds>(-1ns), utc, "%F %T.%f") == "1969-12-31 23:59:59.999000");
    const auto now = std::chrono::system_clock::now();
    BOOST_TEST(format_time(now) == format_time(floor<milliseconds>(now)));
}

BOOST_AUTO_TEST_CASE(a_text_is_read_as_clocks_in_a_zone_show_it) {
    BOOST_TEST((parse_time("2026-01-31 23:05:09") == day(2026, 1, 31) + 23h + 5min + 9s));
    BOOST_TEST((parse_time("2026-02-01 00:05:09", berlin()) == day(2026, 1, 31) + 23h + 5min + 9s));
    BOOST_TEST((parse_time("1.2.2026", berlin(), "%d.%m.%Y") == day(2026, 1, 31) + 23h));
}

BOOST_AUTO_TEST_CASE(every_part_of_a_pattern_but_a_short_name_is_read) {
    const auto expect = [](const std::string& text, const std::string& pattern, time_point when) {
        BOOST_TEST((parse_time(text, utc, pattern) == when), text);
    };
    expect("260131", "%y%m%d", day(2026, 1, 31));
    expect("69 1 1", "%y %m %d", day(1969, 1, 1));
    expect("68 1 1", "%y %m %d", day(2068, 1, 1));
    expect("2024/366", "%Y/%j", day(2024, 12, 31));
    expect("2026-1-2 3:4:5", "%F %T", day(2026, 1, 2) + 3h + 4min + 5s);
    expect("2026-01-02 12 am 30", "%F %I %p %M", day(2026, 1, 2) + 30min);
    expect("2026-01-02 12PM", "%F %I%p", day(2026, 1, 2) + 12h);
    expect("2026-01-02 09:08", "%F %R", day(2026, 1, 2) + 9h + 8min);
    expect("sat, 31 JAN 2026", "%a, %d %b %Y", day(2026, 1, 31));
    expect("Saturday January 31, 2026", "%A %B %d, %Y", day(2026, 1, 31));
    expect("2026-01-02 00:00:00.5", "%F %T.%f", day(2026, 1, 2) + 500ms);
    expect("2026-01-02 00:00:00.123999999", "%F %T.%f", day(2026, 1, 2) + 123ms);
    expect("100% 2026-01-02", "100%% %F", day(2026, 1, 2));
    expect("2016-12-31 23:59:60", "%F %T", day(2017, 1, 1));  // a leap second
}

BOOST_AUTO_TEST_CASE(an_offset_in_the_text_counts_instead_of_the_zone) {
    for (const std::string offset : {"+0530", "+05:30"}) {
        BOOST_TEST((parse_time("2026-01-02 05:30" + offset, berlin(), "%F %R%z") == day(2026, 1, 2)));
    }
    BOOST_TEST((parse_time("2026-01-01 18:30-0530", berlin(), "%F %R%z") == day(2026, 1, 2)));
    BOOST_TEST((parse_time("2026-01-02T00:00:00Z", berlin(), "%FT%T%z") == day(2026, 1, 2)));
}

BOOST_AUTO_TEST_CASE(a_time_that_clocks_skip_is_when_they_skip_it) {
    const auto change = day(2026, 3, 29) + 1h;
    BOOST_TEST((parse_time("2026-03-29 02:30:00", berlin()) == change));
    BOOST_TEST((parse_time("2026-03-29 02:30:00.7", berlin(), "%F %T.%f") == change));
    BOOST_TEST((parse_time("2026-03-29 01:59:59.7", berlin(), "%F %T.%f") == change - 300ms));
    BOOST_TEST((parse_time("2026-03-29 03:00:00.7", berlin(), "%F %T.%f") == change + 700ms));
}

BOOST_AUTO_TEST_CASE(a_time_that_clocks_show_twice_is_the_first_of_them) {
    BOOST_TEST((parse_time("2026-10-25 02:30:00", berlin()) == day(2026, 10, 25) + 30min));
    BOOST_TEST((parse_time("2026-10-25 02:30:00 +0100", berlin(), "%F %T %z") == day(2026, 10, 25) + 90min));
}

BOOST_AUTO_TEST_CASE(a_text_is_converted_from_one_zone_to_another) {
    const auto shanghai = zone::named("Asia/Shanghai");
    BOOST_TEST(convert_time("2026-07-01 12:00:00", shanghai, berlin()) == "2026-07-01 06:00:00");
    BOOST_TEST(convert_time("01.07. 2026", shanghai, utc, "%d.%m. %Y") == "30.06. 2026");
    BOOST_TEST(convert_time("2026-07-01 12:00", shanghai, utc, "%F %R", "%I %p") == "04 AM");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told_with_its_place) {
    const auto expect = [](const std::string& text, const std::string& pattern, const std::string& part) {
        refuses([&] { return parse_time(text, utc, pattern); }, part);
    };
    expect("2026-13-01", "%Y-%m-%d",
           "time \"2026-13-01\" of the pattern \"%Y-%m-%d\" does not fit: expected a month from 1 to 12 at character 6");
    expect("26-01-01", "%F", "expected a year of four digits at character 1");
    expect("2026/01-01", "%F", "expected '-' at character 5");
    expect("2026-01-01x", "%F", "expected the end at character 11");
    expect("2026-01-", "%F", "expected a day from 1 to 31 at character 9");
    expect("2026-01-32", "%F", "expected a day from 1 to 31");
    expect("2026-02-29", "%F", "has a day that its month has not");
    expect("2026 366", "%Y %j", "has a day that its year has not");
    expect("2026-01-01 24:00:00", "%F %T", "expected an hour from 0 to 23");
    expect("2026-01-01 00:00:61", "%F %T", "expected a second");
    expect("2026-01-01 13 PM", "%F %I %p", "expected an hour from 1 to 12");
    expect("2026-01-01 1 XM", "%F %I %p", "expected AM or PM at character 14");
    expect("2026-01-01 .", "%F .%f", "expected decimals");
    expect("2026-01-01 0100", "%F %z", "expected an offset such as");
    expect("2026-01-01 +1", "%F %z", "expected an offset such as");
    expect("Sun 2026-01-31", "%a %F", "is a Saturday, not a Sunday");
    expect("Foo 2026-01-31", "%a %F", "expected a day of the week");
    expect("2026-Foo-31", "%Y-%b-%d", "expected a month, such as Jan at character 6");
    expect("", "%F", "expected a year");
}

BOOST_AUTO_TEST_CASE(a_wrong_pattern_is_told) {
    refuses([] { return format_time(time_point(), utc, "%Y %Q"); }, "time pattern \"%Y %Q\" has %Q at character 4; there are %Y %m");
    refuses([] { return format_time(time_point(), utc, "100%"); }, "has % at character 4");
    refuses([] { return parse_time("x", utc, "%E"); }, "has %E");
    refuses([] { return parse_time("CET", utc, "%Z"); }, "%Z can't be read");
    refuses([] { return parse_time("12:00:00", utc, "%T"); }, "needs a year (%Y or %y) and a day");
    refuses([] { return parse_time("2026-01", utc, "%Y-%m"); }, "needs a year");
    refuses([] { return parse_time("2026-01-01 3", utc, "%F %I"); }, "has %I without %p: add %p, or use %H");
}

BOOST_AUTO_TEST_CASE(times_outside_of_four_digit_years_are_not_written) {
    for (const auto when : {never, (time_point::min)(), day(10000, 1, 1), day(-1, 12, 31)}) {
        refuses([&] { return format_time(when); }, "outside of the years 0 to 9999");
    }
    refuses([] { return format_time(day(10000, 1, 1) - 1s, zone::named("Asia/Tokyo")); }, "outside of the years");
    BOOST_TEST(format_time(day(10000, 1, 1) - 1s) == "9999-12-31 23:59:59");
    BOOST_TEST(format_time(day(0, 1, 1)) == "0000-01-01 00:00:00");
    BOOST_TEST((parse_time("0000-01-01 00:00:00", berlin()) < day(0, 1, 2)));
    BOOST_TEST((parse_time("9999-12-31 23:59:59", berlin()) > day(9999, 12, 31)));
}

BOOST_AUTO_TEST_CASE(what_is_written_with_its_offset_is_read_as_it_was) {
    std::mt19937_64 random(6);
    const auto apia = zone::named("Pacific/Apia");
    for (int i = 0; i < 2000; ++i) {
        const auto when = day(1970, 1, 1) + duration(random() % (24ULL * 3600 * 1000 * 365 * 100));
        for (const auto& in : {utc, berlin(), apia}) {
            const auto text = format_time(when, in, "%A %d %B %Y %I:%M:%S.%f %p %z");
            BOOST_REQUIRE_MESSAGE(parse_time(text, zone(), "%A %d %B %Y %I:%M:%S.%f %p %z") == when, text);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
