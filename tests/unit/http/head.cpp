#include <taskflux/http/problem.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/server/head.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

namespace http_head {

namespace data = boost::unit_test::data;
using namespace std::string_view_literals;
using taskflux::detail::head_limits;
using taskflux::detail::message_reader;
using taskflux::http::problem;
using taskflux::http::request;

struct refused {
    std::string_view text;
    std::string_view why;
};
std::ostream& operator<<(std::ostream& out, const refused& one) { return out << one.why; }

/// The status of the problem with a head; 0: none.
unsigned status_of(std::string_view text, std::string* why = nullptr) {
    message_reader reader;
    request into;
    try {
        const auto size = taskflux::detail::find_head(text, head_limits());
        reader.read_head(text.substr(0, size), head_limits(), into);
    } catch (const problem& e) {
        BOOST_TEST(e.is_closing());
        if (why) *why = e.what();
        return e.status();
    }
    return 0;
}

std::string with(std::string_view fields) { return std::string("POST /a HTTP/1.1\r\n").append(fields).append("\r\n"); }

const refused cases[] = {
    {"GET / HTTP/1.1\nHost: x\r\n\r\n"sv, "LF alone"},
    {"GET / HTTP/1.1\r\nHost: x\n\r\n"sv, "LF alone"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: b\n\n"sv, "LF alone"},
    {"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"sv, "a CR without LF"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"sv, "goes on in the next line"},
    {"GET / HTTP/1.1\r\n Host: x\r\n\r\n"sv, "goes on in the next line"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n"sv, "goes on in the next line"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"sv, "control character"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n"sv, "control character"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: \xff\r\n\r\n"sv, "not UTF-8"},
    {"GET / HTTP/1.1\r\n\r\n"sv, "no header Host"},
    {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"sv, "several headers Host"},
    {"GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"sv, "Host is"},
    {"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"sv, "Host is"},
    {"GET / HTTP/1.1\r\nHost : x\r\n\r\n"sv, "bad field"},
    {"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"sv, "bad field"},
    {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n"sv, "bad field"},
    {"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"sv, "bad field"},
    {"GET / HTTP/2.0\r\nHost: x\r\n\r\n"sv, "version"},
    {"GET / HTTP/1.2\r\nHost: x\r\n\r\n"sv, "version"},
    {"GET / http/1.1\r\nHost: x\r\n\r\n"sv, "version"},
    {"GET /\r\n\r\n"sv, ""},
    {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n"sv, ""},
    {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n"sv, "version"},
    {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n"sv, ""},
    {" GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv, ""},
    {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"sv, "can't be read"},
    {"GET a HTTP/1.1\r\nHost: x\r\n\r\n"sv, "begin with /"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"sv, "several headers Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"sv, "one Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n"sv, "send one number"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n"sv, "one Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"sv, "one Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n"sv, "one Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n"sv, "one Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"sv, "Content-Length"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "not both"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"sv, "not both"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv, "only chunked"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n"sv, "Transfer-Encoding: chunked"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n"sv, "Transfer-Encoding: chunked"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "not both"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"sv, "Transfer-Encoding: chunked"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0b"
     "chunked\r\n\r\n"sv,
     "control character"},
};

std::string fields_of(int count) {
    std::string text = "Host: x\r\n";
    for (int i = 1; i < count; ++i) text += "A: b\r\n";
    return text;
}

BOOST_AUTO_TEST_SUITE(http_head)

BOOST_DATA_TEST_CASE(what_two_servers_could_read_differently_is_refused, data::make(cases), one) {
    std::string why;
    BOOST_TEST(status_of(one.text, &why) == 400U);
    BOOST_TEST(why.find(one.why) != std::string::npos, why << " has no " << one.why);
}

BOOST_AUTO_TEST_CASE(what_is_right_is_taken) {
    for (const auto text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv, "GET / HTTP/1.1\r\nhost:x:80\r\nA:\r\nB: \xc3\xa4\t\r\n\r\n"sv,
                            "GET / HTTP/1.0\r\n\r\n"sv, "GET /a|b[c]^ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"sv,
                            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"sv, "BREW / HTTP/1.1\r\nHost:\r\n\r\n"sv}) {
        BOOST_TEST(status_of(text) == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_head_is_read_into_a_request) {
    message_reader reader;
    request into;
    const auto text = "PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-One:  two \r\nContent-Length: 3\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n"sv;
    reader.read_head(text, head_limits(), into);
    BOOST_TEST(into.method == "PUT");
    BOOST_TEST(into.segments.at(0) == "a b");
    BOOST_TEST(*into.parameter("c") == "d");
    BOOST_TEST(into.fields["x-one"] == "two");
    BOOST_TEST(into.version == 11U);
    BOOST_TEST(reader.content_length().value() == 3U);
    BOOST_TEST(reader.expects_continue());
    BOOST_TEST(!reader.keeps_alive());
    BOOST_TEST(!reader.is_done());
}

BOOST_AUTO_TEST_CASE(another_expectation_is_417) { BOOST_TEST(status_of(with("Host: x\r\nExpect: wonders\r\n")) == 417U); }

BOOST_AUTO_TEST_CASE(a_head_is_found_at_its_end_and_not_before) {
    const auto text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest"sv;
    for (std::size_t size = 0; size < text.size() - 4; ++size) {
        BOOST_TEST(taskflux::detail::find_head(text.substr(0, size), head_limits()) == 0U);
    }
    BOOST_TEST(taskflux::detail::find_head(text, head_limits()) == text.size() - 4);
    BOOST_TEST(taskflux::detail::empty_lines("\r\n\r\n\r\nGET") == 4U);
    BOOST_TEST(taskflux::detail::empty_lines("\rGET") == 0U);
}

BOOST_AUTO_TEST_CASE(a_head_beyond_the_limits_is_refused_while_it_comes) {
    const head_limits most;
    const auto status = [&](const std::string& text) {
        try {
            taskflux::detail::find_head(text, most);
        } catch (const problem& e) {
            return e.status();
        }
        return 0U;
    };
    const std::string line = "GET /" + std::string(most.line - 5, 'a');
    BOOST_TEST(status(line) == 0U);
    BOOST_TEST(status(line + 'a') == 414U);
    const std::string begin = "GET / HTTP/1.1\r\nA: ";
    BOOST_TEST(status(begin + std::string(most.whole - begin.size(), 'a')) == 0U);
    BOOST_TEST(status(begin + std::string(most.whole - begin.size() + 1, 'a')) == 431U);
    const std::string whole = begin + std::string(most.whole - begin.size() - 4, 'a') + "\r\n\r\n";
    BOOST_TEST(status(whole + "body that is not of the head") == 0U);
    BOOST_TEST(status(begin + 'a' + whole.substr(begin.size())) == 431U);
    BOOST_TEST(status_of(with(fields_of(100))) == 0U);
    BOOST_TEST(status_of(with(fields_of(101))) == 431U);
}

struct read_body {
    std::string text;
    std::size_t left;
    bool is_done;
};

/// Reads a body that comes in pieces of `size`; what is not taken comes again, with the next.
read_body body_of(std::string_view fields, std::string_view bytes, std::size_t size) {
    message_reader reader;
    request into;
    reader.read_head(with(std::string("Host: x\r\n").append(fields)), head_limits(), into);
    read_body made{{}, 0, false};
    std::string held;
    for (; !bytes.empty(); bytes.remove_prefix((std::min)(size, bytes.size()))) {
        held += bytes.substr(0, size);
        held.erase(0, reader.read_body(held, made.text));
    }
    made.left = held.size();
    made.is_done = reader.is_done();
    return made;
}

BOOST_AUTO_TEST_CASE(a_sized_body_is_read_and_what_follows_is_left) {
    for (const std::size_t size : {1U, 2U, 3U, 100U}) {
        const auto made = body_of("Content-Length: 5\r\n", "helloGET", size);
        BOOST_TEST(made.text == "hello");
        BOOST_TEST(made.left == 3U);
        BOOST_TEST(made.is_done);
    }
    BOOST_TEST(!body_of("Content-Length: 5\r\n", "hell", 1).is_done);
    BOOST_TEST(body_of("Content-Length: 0\r\n", "x", 1).left == 1U);
    BOOST_TEST(body_of("", "x", 1).left == 1U);
}

BOOST_AUTO_TEST_CASE(chunks_are_read_however_they_come) {
    const auto bytes = "3\r\nabc\r\nA;name=\"v\"\r\n0123456789\r\n0\r\nContent-Length: 7\r\nTrailer: x\r\n\r\nGET"sv;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        const auto made = body_of("Transfer-Encoding: chunked\r\n", bytes, size);
        BOOST_TEST(made.text == "abc0123456789");
        BOOST_TEST(made.left == 3U);
        BOOST_TEST(made.is_done);
    }
}

BOOST_AUTO_TEST_CASE(a_broken_chunk_is_not_taken) {
    BOOST_CHECK_THROW(body_of("Transfer-Encoding: chunked\r\n", "x\r\nabc\r\n", 1), problem);
    BOOST_CHECK_THROW(body_of("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n", 1), problem);
    BOOST_CHECK_THROW(body_of("Transfer-Encoding: chunked\r\n", "3 ;a=b\r\n", 1), problem);
    for (const auto bytes : {"x\r\nabc\r\n"sv, "-3\r\nabc\r\n"sv, "3\nabc\n"sv, "3\r\nabcd\r\n"sv, "3 \r\nabc\r\n0\r\n\r\n"sv, "0x3\r\nabc\r\n"sv,
                             "fffffffffffffffff\r\n"sv, "3\r\nabc\r\n0\r\nbad trailer\r\n\r\n"sv, ";a=b\r\n"sv}) {
        try {
            BOOST_TEST(!body_of("Transfer-Encoding: chunked\r\n", bytes, 1).is_done);  // waits for what never comes
        } catch (const problem& e) {
            BOOST_TEST(e.status() == 400U);
            BOOST_TEST(e.is_closing());
        }
    }
}

BOOST_AUTO_TEST_CASE(trailers_have_a_limit) {
    std::string endless = "0\r\n";
    for (int i = 0; i < 4000; ++i) endless += "Trailer: x\r\n";
    BOOST_CHECK_THROW(body_of("Transfer-Encoding: chunked\r\n", endless, 100), problem);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_head
