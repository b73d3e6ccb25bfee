#include <taskflux/http/date.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace http_date {

using namespace taskflux::http;
using namespace std::chrono;

constexpr sys_seconds now = sys_days(year(2026) / 11 / 30);
constexpr sys_seconds written = sys_days(year(1994) / 11 / 6) + 8h + 49min + 37s;

std::optional<sys_seconds> read(std::string_view text) {
    return parse_date(text, now);
}

}  // namespace http_date

BOOST_AUTO_TEST_SUITE(http_date)

BOOST_AUTO_TEST_CASE(a_date_is_written_in_one_form) {
    BOOST_TEST(date_text(written) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(date_text(sys_seconds()) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(date_text(sys_seconds(-1s)) == "Wed, 31 Dec 1969 23:59:59 GMT");
    BOOST_TEST(date_text(sys_days(year(800) / 2 / 29)) == "Tue, 29 Feb 0800 00:00:00 GMT");
}

BOOST_AUTO_TEST_CASE(three_forms_are_read) {
    BOOST_TEST(bool(read("Sun, 06 Nov 1994 08:49:37 GMT") == written));
    BOOST_TEST(bool(read("Sunday, 06-Nov-94 08:49:37 GMT") == written));
    BOOST_TEST(bool(read("Sun Nov  6 08:49:37 1994") == written));
    BOOST_TEST(bool(read("Wed Nov 16 08:49:37 1994") == written + days(10)));
    for (auto when = sys_seconds(sys_days(year(2023) / 12 / 1)); when < now; when += 11h + 59min + 7s)
        BOOST_TEST(bool(read(date_text(when)) == when));
    BOOST_TEST(bool(read("Sat, 31 Dec 2016 23:59:60 GMT") == sys_days(year(2017) / 1 / 1)));
}

BOOST_AUTO_TEST_CASE(a_year_of_two_digits_is_at_most_fifty_years_ahead) {
    const auto of = [](std::string_view text, int at) {
        const auto read = parse_date(text, sys_days(year(at) / 6 / 1));
        return read ? static_cast<int>(year_month_day(floor<days>(*read)).year()) : 0;
    };
    BOOST_TEST(of("Sunday, 06-Nov-76 08:49:37 GMT", 2026) == 2076);
    BOOST_TEST(of("Sunday, 06-Nov-77 08:49:37 GMT", 2026) == 1977);
    BOOST_TEST(of("Sunday, 06-Nov-00 08:49:37 GMT", 2026) == 2000);
    BOOST_TEST(of("Sunday, 06-Nov-10 08:49:37 GMT", 2098) == 2110);
    BOOST_TEST(of("Sunday, 06-Nov-49 08:49:37 GMT", 2098) == 2049);
}

BOOST_AUTO_TEST_CASE(what_is_no_date_is_not_read) {
    for (const std::string_view text :
         {"", "Sun", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
          "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 UTC",
          "Sonntag, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "1994-11-06T08:49:37Z"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(!read(text).has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()
