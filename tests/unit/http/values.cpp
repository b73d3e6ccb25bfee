#include <taskflux/core/codec.hpp>
#include <taskflux/http/values.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace http_values {

using namespace std::chrono_literals;
using taskflux::http::moment;
using taskflux::http::span;

std::string text(taskflux::duration given) { return taskflux::encode(span(given)); }
long read(std::string_view json) { return static_cast<long>(taskflux::decode<span>(json).value().count()); }

BOOST_AUTO_TEST_SUITE(http_values)

BOOST_AUTO_TEST_CASE(durations_are_written_as_seconds) {
    BOOST_TEST(text(0ms) == "0");
    BOOST_TEST(text(1500ms) == "1.5");
    BOOST_TEST(text(1ms) == "0.001");
    BOOST_TEST(text(60s) == "60");
    BOOST_TEST(text(10010ms) == "10.01");
    BOOST_TEST(text(-1500ms) == "-1.5");
    BOOST_TEST(text((taskflux::duration::min)()) == "-9223372036854775.808");
}

BOOST_AUTO_TEST_CASE(durations_are_read_with_a_unit_or_as_seconds) {
    BOOST_TEST(read(R"("1.5s")") == 1500);
    BOOST_TEST(read(R"("250ms")") == 250);
    BOOST_TEST(read(R"("2m")") == 120'000);
    BOOST_TEST(read(R"("1h")") == 3'600'000);
    BOOST_TEST(read(R"("1d")") == 86'400'000);
    BOOST_TEST(read(R"("5")") == 5000);
    BOOST_TEST(read("5") == 5000);
    BOOST_TEST(read("0.0015") == 2);
    BOOST_TEST(read("100000.0") == 100'000'000);
}

BOOST_AUTO_TEST_CASE(what_is_no_duration_is_refused) {
    for (const std::string_view json : {R"("")", R"("s")", R"("1x")", R"("1 s")", R"("-1s")", "-1", R"("1e99s")", R"("nan")", R"("inf")", "1e300", "true",
                                        "null", R"("999999d")"}) {
        BOOST_CHECK_THROW(read(json), taskflux::decode_error);
    }
}

BOOST_AUTO_TEST_CASE(times_have_milliseconds) {
    using namespace std::chrono;
    const taskflux::time_point day = sys_days(2026y / January / 31) + 12h;
    BOOST_TEST(taskflux::encode(moment(day)) == R"("2026-01-31T12:00:00.000Z")");
    BOOST_TEST(taskflux::encode(moment(day + 50ms)) == R"("2026-01-31T12:00:00.050Z")");
    BOOST_TEST(taskflux::encode(moment(taskflux::time_point(-1ms))) == R"("1969-12-31T23:59:59.999Z")");
    BOOST_TEST((taskflux::decode<moment>(R"("2026-01-31T14:00:00.05+02:00")").value() == day + 50ms));
    BOOST_CHECK_THROW(taskflux::decode<moment>(R"("yesterday")"), taskflux::decode_error);
    BOOST_CHECK_THROW(taskflux::encode(moment(taskflux::never)), taskflux::encode_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_values
