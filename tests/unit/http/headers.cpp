#include <taskflux/core/error.hpp>
#include <taskflux/http/headers.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace http_headers {

using namespace std::string_view_literals;
using taskflux::http::headers;

BOOST_AUTO_TEST_SUITE(http_headers)

BOOST_AUTO_TEST_CASE(names_count_in_any_case_and_the_first_value_is_found) {
    headers all;
    all.add("Accept", "a").add("X-Other", "b").add("aCCEPT", "c");
    BOOST_TEST(all["ACCEPT"] == "a");
    BOOST_TEST(all.count("accept") == 2U);
    BOOST_TEST(all["Host"] == "");
    BOOST_TEST(!all.contains("Host"));
    BOOST_TEST(all.name(2) == "aCCEPT");
    BOOST_TEST(all.value(1) == "b");
}

BOOST_AUTO_TEST_CASE(a_header_that_is_set_takes_the_place_of_all_of_its_name) {
    headers all;
    all.add("A", "1").add("B", "2").add("a", "3");
    all.set("A", all["B"]);  // a view of what is there
    BOOST_TEST(all.count("A") == 1U);
    BOOST_TEST(all["A"] == "2");
    all.remove("B");
    BOOST_TEST(all.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_value_can_not_begin_another_header) {
    headers all;
    for (const std::string_view value : {"a\r\nSet-Cookie: x"sv, "a\n"sv, "\r"sv, "\0"sv, "\x7f"sv}) {
        BOOST_CHECK_THROW(all.add("A", value), taskflux::error);
    }
    for (const std::string_view name : {"", "a b", "a:", "a\r\n", "\xc3\xa4"}) BOOST_CHECK_THROW(all.add(name, "x"), taskflux::error);
    BOOST_TEST(all.size() == 0U);
    BOOST_CHECK_NO_THROW(all.add("A", "\xc3\xa4\t "));
}

BOOST_AUTO_TEST_CASE(lists_are_read_over_all_headers_of_a_name) {
    headers all;
    all.add("Connection", "Upgrade , keep-alive;x=1").add("connection", "close");
    BOOST_TEST(all.has_token("Connection", "upgrade"));
    BOOST_TEST(all.has_token("Connection", "Keep-Alive"));
    BOOST_TEST(all.has_token("Connection", "close"));
    BOOST_TEST(!all.has_token("Connection", "alive"));
    BOOST_TEST(!all.has_token("Other", "close"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_headers
