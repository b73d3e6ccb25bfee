#include <taskflux/http/negotiation.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace http_negotiation {

using namespace taskflux::http;

constexpr std::array<std::string_view, 3> offered = {"application/json", "text/html", "text/plain"};

std::string chosen(std::optional<std::string_view> accept) {
    const auto found = choose_type(accept, offered);
    return found ? std::string(offered.at(*found)) : "none";
}

}  // namespace http_negotiation

BOOST_AUTO_TEST_SUITE(http_negotiation)

BOOST_AUTO_TEST_CASE(the_type_that_is_liked_most_is_chosen) {
    BOOST_TEST(chosen("text/html") == "text/html");
    BOOST_TEST(chosen("text/html;q=0.5, text/plain;q=0.501") == "text/plain");
    BOOST_TEST(chosen("TEXT/Plain ; Q=1.000") == "text/plain");
    BOOST_TEST(chosen("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8") == "text/html");
    BOOST_TEST(chosen("image/png, */*;q=0.1") == "application/json");
    BOOST_TEST(chosen("text/*") == "text/html");
    BOOST_TEST(chosen("text/html, application/json") == "application/json");
    BOOST_TEST(chosen("text/plain;format=\"a,b;q=0\"") == "text/plain");
}

BOOST_AUTO_TEST_CASE(the_closest_range_counts) {
    BOOST_TEST(chosen("*/*, application/json;q=0, text/html;q=0.2, text/*;q=0.1") == "text/html");
    BOOST_TEST(chosen("application/json;q=0, */*") == "text/html");
    BOOST_TEST(chosen("application/*;q=0, text/*;q=0, */*") == "none");
}

BOOST_AUTO_TEST_CASE(a_field_that_says_nothing_accepts_all) {
    BOOST_TEST(chosen(std::nullopt) == "application/json");
    for (const std::string_view text :
         {"", ",", "x", "/", "text/html;q=2", "text/html;q=", "text/html;q=0.1234", "text/html;q=1.001", ";q=1"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(chosen(text) == "application/json");
    }
}

BOOST_AUTO_TEST_CASE(nothing_that_is_acceptable_is_told_with_what_there_is) {
    BOOST_TEST(chosen("image/png") == "none");
    BOOST_TEST(chosen("text/html;q=0") == "none");
    const auto refused = not_acceptable(offered);
    BOOST_TEST(refused.status() == 406U);
    BOOST_TEST(refused.text().ends_with("accept application/json, text/html or text/plain"));
}

BOOST_AUTO_TEST_CASE(members_are_bounded) {
    std::string many;
    for (int i = 0; i < 64; ++i) many += "image/png,";
    BOOST_TEST(chosen(many + "text/html") == "none");
}

BOOST_AUTO_TEST_CASE(a_coding_is_used_where_it_is_wanted) {
    const auto is_gzip = [](std::string_view text) { return choose_coding(text) == content_coding::gzip; };
    for (const std::string_view text :
         {"gzip", "gzip, deflate, br", "GZIP;q=0.5", "x-gzip", "*", "gzip;q=0.5, identity;q=0.5", "identity;q=0, *;q=0.1"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(is_gzip(text));
    }
    for (const std::string_view text :
         {"", "br", "gzip;q=0", "gzip;q=0, *", "identity, gzip;q=0.5", "*;q=0.5, gzip;q=0", "identity"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(bool(choose_coding(text) == content_coding::identity));
    }
    BOOST_TEST(bool(choose_coding(std::nullopt) == content_coding::identity));
    BOOST_TEST(bool(choose_coding("identity;q=0") == content_coding::none));
    BOOST_TEST(bool(choose_coding("*;q=0") == content_coding::none));
    BOOST_TEST(bool(choose_coding("*;q=0, identity;q=0.5") == content_coding::identity));
}

BOOST_AUTO_TEST_CASE(json_is_asked_for_by_its_type) {
    for (const std::string_view type :
         {"application/json", "Application/JSON; charset=UTF-8", "application/problem+json", "application/json;charset=\"utf-8\"",
          "application/json;", "application/json; charset=us-ascii"}) {
        BOOST_TEST_CONTEXT(type) BOOST_TEST(!refused_unless_json(type).has_value());
    }
    for (const std::string_view type :
         {"", "json", "text/json", "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
          "application/json; charset=utf-16", "application/json x", "application /json", "application/json; x", "image/a+json"}) {
        BOOST_TEST_CONTEXT(type) BOOST_TEST(refused_unless_json(type).value().status() == 415U);
    }
    BOOST_TEST(refused_unless_json(std::nullopt).value().text().starts_with("the body has no Content-Type"));
}

BOOST_AUTO_TEST_CASE(a_media_type_has_its_parameters) {
    const auto type = media_type::parse("Text/HTML; Charset=\"a\\\"b;c\" ;level=1; charset=second");
    BOOST_TEST_REQUIRE(type.has_value());
    BOOST_TEST(type->essence() == "text/html");
    BOOST_TEST(*type->parameter("charset") == "a\"b;c");
    BOOST_TEST(*type->parameter("level") == "1");
    BOOST_TEST(type->parameter("other") == nullptr);
    std::string many = "a/b";
    for (int i = 0; i < 16; ++i) many += ";x=1";
    BOOST_TEST(media_type::parse(many).has_value());
    BOOST_TEST(!media_type::parse(many + ";x=1").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
