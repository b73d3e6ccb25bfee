#include <taskflux/core/error.hpp>
#include <taskflux/http/cookies.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace http_cookies {

using namespace taskflux::http;
using list = std::vector<std::string_view>;

bool refuses(auto make) {
    try {
        make();
    } catch (const taskflux::error& e) {
        return e.code() == taskflux::errc::invalid_argument;
    }
    return false;
}

}  // namespace http_cookies

BOOST_AUTO_TEST_SUITE(http_cookies)

BOOST_AUTO_TEST_CASE(cookies_are_found_by_their_name) {
    BOOST_TEST(bool(cookies_named("a=1; b=2; a=3", "a") == list{"1", "3"}));
    BOOST_TEST(bool(cookies_named("a=\"x=y\";b", "a") == list{"x=y"}));
    BOOST_TEST(bool(cookies_named(" a = 1 ;", "a") == list{"1"}));
    BOOST_TEST(bool(cookies_named("a=", "a") == list{""}));
    BOOST_TEST(cookies_named("A=1; aa=2; a; =a; a=b c; a=\x01; a=\xFF", "a").empty());
    BOOST_TEST(cookies_named("", "a").empty());
    std::string many;
    for (int i = 0; i < 100; ++i) many += "a=1;";
    BOOST_TEST(cookies_named(many, "a").size() == 16U);
}

BOOST_AUTO_TEST_CASE(a_cookie_is_safe_unless_otherwise_asked) {
    BOOST_TEST(set_cookie("s", "v").text() == "s=v; Path=/; Secure; HttpOnly; SameSite=Strict");
    BOOST_TEST(
        set_cookie("s", "v").path("/x").max_age(std::chrono::hours(1)).secure(false).http_only(false).site(same_site::lax).text() ==
        "s=v; Path=/x; Max-Age=3600; SameSite=Lax");
    BOOST_TEST(set_cookie("s", "v").secure(false).site(same_site::none).text() == "s=v; Path=/; Secure; HttpOnly; SameSite=None");
    BOOST_TEST(set_cookie::removal("s").text() == "s=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
}

BOOST_AUTO_TEST_CASE(what_would_end_the_field_is_refused) {
    for (const std::string_view value : {"a;b", "a b", "a\r\nb", "a\"", "a,b", "a\\", "\xC3\xBC"}) {
        BOOST_TEST_CONTEXT(value) BOOST_TEST(refuses([&] { set_cookie("s", std::string(value)); }));
    }
    for (const std::string_view name : {"", "a b", "a=", "a;"}) BOOST_TEST(refuses([&] { set_cookie(std::string(name), ""); }));
    for (const std::string_view path : {"", "x", "/a;b", "/a\r\n"})
        BOOST_TEST(refuses([&] { set_cookie("s", "v").path(std::string(path)); }));
}

BOOST_AUTO_TEST_SUITE_END()
