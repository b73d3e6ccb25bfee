#include "answering.hpp"

#include <taskflux/http/server/answer_head.hpp>

#include <boost/beast/zlib/inflate_stream.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace http_answer_head {

using namespace std::chrono;
using http_test::request;
using taskflux::detail::framing_of;
using taskflux::detail::head_text;
using taskflux::http::response;

constexpr taskflux::time_point now = sys_days(1994y / November / 6) + 8h + 49min + 37s + 999ms;

std::string unzipped(std::string_view bytes) {
    namespace zlib = boost::beast::zlib;
    zlib::inflate_stream stream;
    std::string out(1 << 20, '\0');
    zlib::z_params io;
    io.next_in = bytes.data() + 10;
    io.avail_in = bytes.size() - 18;
    io.next_out = out.data();
    io.avail_out = out.size();
    boost::system::error_code ec;
    stream.write(io, zlib::Flush::finish, ec);
    out.resize(io.total_out);
    return out;
}

bool takes(std::string_view encodings) {
    auto asked = request("GET /");
    asked.fields.add("Accept-Encoding", encodings);
    return taskflux::detail::takes_gzip(asked);
}

BOOST_AUTO_TEST_SUITE(http_answer_head)

BOOST_AUTO_TEST_CASE(an_answer_begins_with_its_status_and_headers) {
    response made(404, "text/plain", "none");
    made.header("X-Mine", "1").header("Content-Length", "99").header("connection", "upgrade").header("Transfer-Encoding", "gzip");
    const auto asked = request("GET /");
    BOOST_TEST(head_text(made, framing_of(made, asked, true), asked, now) ==
               "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nX-Mine: 1\r\nContent-Length: 4\r\n\r\n");
    BOOST_TEST(head_text(made, framing_of(made, asked, false), asked, now).ends_with("Content-Length: 4\r\nConnection: close\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(answers_without_a_body_say_nothing_of_its_length) {
    for (const unsigned status : {204U, 304U}) {
        response made(status, "text/plain", "text");
        const auto how = framing_of(made, request("GET /"), true);
        BOOST_TEST(!how.has_body);
        BOOST_TEST(!how.length.has_value());
        BOOST_TEST(!how.is_chunked);
    }
    response made(200, "text/plain", "text");
    const auto head = framing_of(made, request("HEAD /"), true);
    BOOST_TEST(!head.has_body);
    BOOST_TEST(head.length.value() == 4U);
    BOOST_TEST(framing_of(response(200), request("GET /"), true).length.value() == 0U);
}

BOOST_AUTO_TEST_CASE(a_streamed_body_is_chunked_or_ends_with_the_connection) {
    const auto made = response::stream(200, "text/plain", nullptr);
    BOOST_TEST(framing_of(made, request("GET /"), true).is_chunked);
    auto old = request("GET /");
    old.version = 10;
    const auto how = framing_of(made, old, true);
    BOOST_TEST(!how.is_chunked);
    BOOST_TEST(!how.keeps_alive);
    BOOST_TEST(taskflux::detail::chunk_head(255) == "ff\r\n");
}

BOOST_AUTO_TEST_CASE(texts_are_compressed_where_it_is_worth_it) {
    const std::string text(2000, 'a');
    BOOST_TEST(taskflux::detail::is_worth_compressing(response(200, "application/json; charset=utf-8", text)));
    BOOST_TEST(taskflux::detail::is_worth_compressing(response(200, "application/problem+json", text)));
    BOOST_TEST(!taskflux::detail::is_worth_compressing(response(200, "image/png", text)));
    BOOST_TEST(!taskflux::detail::is_worth_compressing(response(200, "text/html", text.substr(0, 1024))));
    response coded(200, "text/html", text);
    BOOST_TEST(!taskflux::detail::is_worth_compressing(coded.header("Content-Encoding", "br")));
}

BOOST_AUTO_TEST_CASE(a_client_says_whether_it_takes_gzip) {
    BOOST_TEST(takes("gzip, deflate, br"));
    BOOST_TEST(takes("deflate;q=0.5 , GZIP;q=0.001"));
    BOOST_TEST(takes("*"));
    BOOST_TEST(!takes("gzip;q=0, *"));
    BOOST_TEST(!takes("gzip; q=0.000"));
    BOOST_TEST(!takes("identity"));
    BOOST_TEST(!takes(""));
    BOOST_TEST(!taskflux::detail::takes_gzip(request("GET /")));
}

BOOST_AUTO_TEST_CASE(what_is_compressed_comes_back) {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919);
    for (const std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(2000), text.size()}) {
        const auto zipped = taskflux::detail::gzip(std::string_view(text).substr(0, size));
        BOOST_TEST(zipped.starts_with("\x1f\x8b\x08"));
        BOOST_TEST((unzipped(zipped) == text.substr(0, size)));
    }
    const auto sum = taskflux::detail::gzip("123456789");
    BOOST_TEST((sum.substr(sum.size() - 8) == std::string_view("\x26\x39\xf4\xcb\x09\0\0\0", 8)));  // the check value of CRC-32
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_answer_head
