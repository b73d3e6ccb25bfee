#include <taskflux/http/range.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace http_range {

using namespace taskflux::http;

/// "0-9 20-29", "whole" or "unsatisfiable".
std::string chosen(std::string_view range, std::uint64_t size = 100) {
    const auto choice = choose_ranges(range, size);
    switch (choice.is()) {
        case range_choice::kind::whole: return "whole";
        case range_choice::kind::unsatisfiable: return "unsatisfiable";
        case range_choice::kind::partial: break;
    }
    std::string made;
    for (const auto& one : choice.ranges())
        made.append(made.empty() ? "" : " ").append(std::to_string(one.first) + '-' + std::to_string(one.last));
    return made;
}

}  // namespace http_range

BOOST_AUTO_TEST_SUITE(http_range)

BOOST_AUTO_TEST_CASE(ranges_are_read) {
    BOOST_TEST(chosen("bytes=0-9") == "0-9");
    BOOST_TEST(chosen("Bytes=0-0") == "0-0");
    BOOST_TEST(chosen("bytes=90-") == "90-99");
    BOOST_TEST(chosen("bytes=90-1000") == "90-99");
    BOOST_TEST(chosen("bytes=-10") == "90-99");
    BOOST_TEST(chosen("bytes=-1000") == "0-99");
    BOOST_TEST(chosen("bytes=0-99999999999999999999999") == "0-99");
    BOOST_TEST(chosen("bytes=-99999999999999999999999") == "0-99");
    BOOST_TEST(chosen("bytes= 0-9 ,, 20-29,") == "0-9 20-29");
    BOOST_TEST(chosen("bytes=20-29,0-9,-1") == "20-29 0-9 99-99");
    BOOST_TEST(byte_range({10, 19}).size() == 10U);
    constexpr auto largest = (std::numeric_limits<std::uint64_t>::max)();
    BOOST_TEST(chosen("bytes=0-,5-", largest) == "0-" + std::to_string(largest - 1));
}

BOOST_AUTO_TEST_CASE(what_overlaps_or_touches_is_one_range_in_the_place_of_the_first) {
    BOOST_TEST(chosen("bytes=0-9,10-19") == "0-19");
    BOOST_TEST(chosen("bytes=0-9,11-19") == "0-9 11-19");
    BOOST_TEST(chosen("bytes=50-59,0-9,5-70,90-") == "0-70 90-99");
    BOOST_TEST(chosen("bytes=20-29,40-49,30-39") == "20-49");
    BOOST_TEST(chosen("bytes=0-,0-,0-,0-") == "0-99");
}

BOOST_AUTO_TEST_CASE(what_is_no_range_does_not_count) {
    for (const std::string_view text :
         {"", "bytes", "bytes=", "bytes=,", "items=0-9", "bytes=a-b", "bytes=9-0", "bytes=-", "bytes=0-9,x", "bytes=1",
          "bytes=0 - 9", "bytes=--1", "bytes=0-9-", "bytes=+0-9", "bytes 0-9"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(chosen(text) == "whole");
    }
}

BOOST_AUTO_TEST_CASE(ranges_behind_the_end_are_unsatisfiable_unless_another_is_not) {
    BOOST_TEST(chosen("bytes=100-") == "unsatisfiable");
    BOOST_TEST(chosen("bytes=99999999999999999999999-") == "unsatisfiable");
    BOOST_TEST(chosen("bytes=-0") == "unsatisfiable");
    BOOST_TEST(chosen("bytes=100-200,0-0") == "0-0");
    BOOST_TEST(chosen("bytes=0-0", 0) == "unsatisfiable");
    BOOST_TEST(chosen("bytes=-5", 0) == "whole");
}

BOOST_AUTO_TEST_CASE(their_number_is_bounded) {
    std::string text = "bytes=0-0";
    for (int i = 1; i < 16; ++i) text += ',' + std::to_string(2 * i) + '-' + std::to_string(2 * i);
    BOOST_TEST(choose_ranges(text, 100).ranges().size() == 16U);
    BOOST_TEST(chosen(text + ",0-0") == "whole");
    BOOST_TEST(bool(choose_ranges("bytes=0-0,5-5", 100, 1).is() == range_choice::kind::whole));
}

BOOST_AUTO_TEST_CASE(answers_say_which_range_they_are) {
    BOOST_TEST(content_range({0, 9}, 100) == "bytes 0-9/100");
    BOOST_TEST(unsatisfied_range(100) == "bytes */100");
    BOOST_TEST(range_head("b", "text/plain", {0, 9}, 100) ==
               "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-9/100\r\n\r\n");
    BOOST_TEST(range_head("b", "", {0, 9}, 100) == "\r\n--b\r\nContent-Range: bytes 0-9/100\r\n\r\n");
    BOOST_TEST(range_end("b") == "\r\n--b--\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
