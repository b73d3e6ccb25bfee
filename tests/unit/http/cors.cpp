#include "answering.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/cors.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace http_cors {

using namespace http_test;
using http::cors;

http::response applied(const cors& by, std::string_view what, std::string_view origin, std::string_view method = {}, std::string_view wanted = {}) {
    auto asked = request(what);
    if (!origin.empty()) asked.fields.add("Origin", origin);
    if (!method.empty()) asked.fields.add("Access-Control-Request-Method", method);
    if (!wanted.empty()) asked.fields.add("Access-Control-Request-Headers", wanted);
    http::response made(204);
    made.header("Allow", "GET, PUT");
    by.apply(asked, made);
    return made;
}

BOOST_AUTO_TEST_SUITE(http_cors)

BOOST_AUTO_TEST_CASE(nothing_is_allowed_unless_it_is_configured) {
    BOOST_TEST(applied(cors(), "GET /", "https://a.org").fields().size() == 1U);
    const auto made = applied(cors().allow("https://b.org"), "GET /", "https://a.org");
    BOOST_TEST(!made.fields().contains("Access-Control-Allow-Origin"));
    BOOST_TEST(made.fields()["Vary"] == "Origin");
}

BOOST_AUTO_TEST_CASE(an_origin_that_is_named_is_allowed) {
    const auto by = cors().allow("https://a.org").allow("http://localhost:3000").with_credentials();
    const auto made = applied(by, "GET /", "http://localhost:3000");
    BOOST_TEST(made.fields()["Access-Control-Allow-Origin"] == "http://localhost:3000");
    BOOST_TEST(made.fields()["Access-Control-Allow-Credentials"] == "true");
    BOOST_TEST(made.fields()["Vary"] == "Origin");
    BOOST_TEST(!applied(by, "GET /", "https://a.org.evil.example").fields().contains("Access-Control-Allow-Origin"));
    BOOST_TEST(!applied(by, "GET /", "null").fields().contains("Access-Control-Allow-Origin"));
}

BOOST_AUTO_TEST_CASE(a_preflight_learns_the_methods_and_headers) {
    const auto made = applied(cors().allow("https://a.org"), "OPTIONS /", "https://a.org", "PUT", "content-type");
    BOOST_TEST(made.fields()["Access-Control-Allow-Methods"] == "GET, PUT");
    BOOST_TEST(made.fields()["Access-Control-Allow-Headers"] == "content-type");
    BOOST_TEST(made.fields()["Access-Control-Max-Age"] == "600");
}

BOOST_AUTO_TEST_CASE(any_origin_never_comes_with_credentials) {
    const auto made = applied(cors().allow_any(), "GET /", "https://a.org");
    BOOST_TEST(made.fields()["Access-Control-Allow-Origin"] == "*");
    BOOST_TEST(!made.fields().contains("Access-Control-Allow-Credentials"));
    BOOST_CHECK_THROW(cors().allow_any().with_credentials(), taskflux::error);
    BOOST_CHECK_THROW(cors().with_credentials().allow_any(), taskflux::error);
}

BOOST_AUTO_TEST_CASE(what_is_no_origin_is_refused) {
    for (const std::string origin : {"*", "a.org", "https://", "https://a.org/", "https://*.a.org", "ftp://a.org", "https://a.org, https://b.org"}) {
        BOOST_CHECK_THROW(cors().allow(origin), taskflux::error);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_cors
