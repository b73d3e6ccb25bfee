#include "answering.hpp"

#include <taskflux/http/problem.hpp>
#include <taskflux/http/request.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace http_request {

using http_test::request;
using texts = std::vector<std::string>;

std::string refusal(std::string_view target) {
    try {
        request("GET " + std::string(target));
    } catch (const taskflux::http::problem& e) {
        BOOST_TEST(e.status() == 400U);
        return e.what();
    }
    return "none";
}

BOOST_AUTO_TEST_SUITE(http_request)

BOOST_AUTO_TEST_CASE(segments_hold_any_character_that_was_encoded) {
    BOOST_TEST(request("GET /v1/tasks/a%2Fb%3Ac%20d").segments == (texts{"v1", "tasks", "a/b:c d"}), boost::test_tools::per_element());
    BOOST_TEST(request("GET /").segments == texts{""}, boost::test_tools::per_element());
    BOOST_TEST(request("GET /a//b/").segments == (texts{"a", "", "b", ""}), boost::test_tools::per_element());
    BOOST_TEST(request("GET /%2E%2E/x+y").segments == (texts{"..", "x+y"}), boost::test_tools::per_element());
    BOOST_TEST(request("GET /%C3%A4").segments == texts{"\xc3\xa4"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_query_is_read_as_forms_are_sent) {
    const auto made = request("GET /x?a=1+2&b=%26%3D&c&a=3&&d=x=y&e=a|b[c]");
    BOOST_TEST(*made.parameter("a") == "1 2");
    BOOST_TEST(*made.parameter("b") == "&=");
    BOOST_TEST(*made.parameter("c") == "");
    BOOST_TEST(*made.parameter("d") == "x=y");
    BOOST_TEST(*made.parameter("e") == "a|b[c]");  // as browsers send them
    BOOST_TEST(!made.parameter("f"));
    BOOST_TEST(made.query.size() == 6U);
    BOOST_TEST(made.path() == "/x");
}

BOOST_AUTO_TEST_CASE(the_form_for_proxies_is_taken) {
    BOOST_TEST(request("GET http://host:80/a/b?c=d").segments == (texts{"a", "b"}), boost::test_tools::per_element());
    BOOST_TEST(request("GET HTTPS://host").segments == texts{""}, boost::test_tools::per_element());
    BOOST_TEST(*request("GET http://host?c=d").parameter("c") == "d");
    BOOST_TEST(request("OPTIONS *").segments.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_target_is_refused_with_what_would_be_right) {
    BOOST_TEST(refusal("/a%2").find("encode % as %25") != std::string::npos);
    BOOST_TEST(refusal("/a%zz") != "none");
    BOOST_TEST(refusal("/a%ff") != "none");
    BOOST_TEST(refusal("/a\xff") != "none");
    BOOST_TEST(refusal("/x?a=%C3") != "none");
    BOOST_TEST(refusal("/a/../b").find("..") != std::string::npos);
    BOOST_TEST(refusal("/./b") != "none");
    BOOST_TEST(refusal("a/b") != "none");
    BOOST_TEST(refusal("*") != "none");
    BOOST_TEST(refusal("ftp://host/") != "none");
    BOOST_TEST(refusal("") != "none");
}

BOOST_AUTO_TEST_CASE(what_is_encoded_comes_back) {
    const std::string all = "a/b:c?d&e=f%g h\"\xc3\xa4~._-";
    BOOST_TEST(taskflux::http::percent_encoded("a b/:") == "a%20b%2F%3A");
    BOOST_TEST(*taskflux::http::percent_decoded(taskflux::http::percent_encoded(all)) == all);
    BOOST_TEST(!taskflux::http::percent_decoded("%"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_request
