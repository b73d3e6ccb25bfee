#include <taskflux/http/conditional.hpp>
#include <taskflux/http/file_answer.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace http_file_answer {

using namespace taskflux::http;

constexpr std::chrono::sys_seconds changed = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);

file_answer answer(const file_question& asked, std::uint64_t size = 100) {
    const file_subject file{"a.txt", "text/plain", size, validators{entity_tag("t"), changed}};
    return answer_file(asked, file, "b", changed + std::chrono::hours(1));
}

file_question ranges(std::string_view range) {
    file_question made;
    made.range = range;
    return made;
}

std::string field(const file_answer& of, std::string_view name) {
    for (const auto& [key, value] : of.fields) {
        if (key == name) return value;
    }
    return {};
}

/// The body, of a file whose bytes are dots.
std::string body(const file_answer& of) {
    std::string made;
    for (const auto& piece : of.body) made += piece.range ? std::string(piece.range->size(), '.') : piece.text;
    BOOST_TEST(made.size() == of.length);
    return made;
}

}  // namespace http_file_answer

BOOST_AUTO_TEST_SUITE(http_file_answer)

BOOST_AUTO_TEST_CASE(a_file_is_sent_whole) {
    const auto made = answer({});
    BOOST_TEST(made.status == 200U);
    BOOST_TEST(field(made, "ETag") == "\"t\"");
    BOOST_TEST(field(made, "Last-Modified") == "Fri, 02 Jan 2026 00:00:00 GMT");
    BOOST_TEST(field(made, "Accept-Ranges") == "bytes");
    BOOST_TEST(field(made, "Content-Type") == "text/plain");
    BOOST_TEST(field(made, "Content-Disposition") == "attachment; filename=\"a.txt\"");
    BOOST_TEST(field(made, "X-Content-Type-Options") == "nosniff");
    BOOST_TEST(body(made) == std::string(100, '.'));
    BOOST_TEST(answer({}, 0).length == 0U);
    BOOST_TEST(body(answer({}, 0)).empty());
}

BOOST_AUTO_TEST_CASE(a_range_is_sent_as_it_is) {
    const auto made = answer(ranges("bytes=10-19"));
    BOOST_TEST(made.status == 206U);
    BOOST_TEST(field(made, "Content-Range") == "bytes 10-19/100");
    BOOST_TEST(field(made, "Content-Type") == "text/plain");
    BOOST_TEST(made.body.at(0).range.value().first == 10U);
    BOOST_TEST(body(made) == "..........");
}

BOOST_AUTO_TEST_CASE(several_ranges_are_sent_as_parts) {
    const auto made = answer(ranges("bytes=0-1,10-12"));
    BOOST_TEST(made.status == 206U);
    BOOST_TEST(field(made, "Content-Type") == "multipart/byteranges; boundary=b");
    BOOST_TEST(field(made, "Content-Range").empty());
    BOOST_TEST(body(made) ==
               "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/100\r\n\r\n..\r\n--b\r\n"
               "Content-Type: text/plain\r\nContent-Range: bytes 10-12/100\r\n\r\n...\r\n--b--\r\n");
}

BOOST_AUTO_TEST_CASE(a_range_behind_the_end_is_told_the_size) {
    const auto made = answer(ranges("bytes=100-"));
    BOOST_TEST(made.status == 416U);
    BOOST_TEST(field(made, "Content-Range") == "bytes */100");
    BOOST_TEST(body(made).empty());
}

BOOST_AUTO_TEST_CASE(conditions_come_first) {
    auto asked = ranges("bytes=100-");
    asked.conditions.if_none_match = "\"t\"";
    BOOST_TEST(answer(asked).status == 304U);
    BOOST_TEST(field(answer(asked), "ETag") == "\"t\"");
    BOOST_TEST(answer(asked).body.empty());
    asked.conditions.if_none_match.reset();
    asked.conditions.if_match = "\"x\"";
    BOOST_TEST(answer(asked).status == 412U);
    auto resumed = ranges("bytes=10-19");
    resumed.if_range = "\"t\"";
    BOOST_TEST(answer(resumed).status == 206U);
    resumed.if_range = "\"x\"";
    BOOST_TEST(answer(resumed).status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()
