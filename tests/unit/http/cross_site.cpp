#include <taskflux/http/cross_site.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string_view>

BOOST_AUTO_TEST_SUITE(http_cross_site)

using namespace taskflux::http;

BOOST_AUTO_TEST_CASE(a_browser_says_which_site_asks) {
    for (const std::string_view site : {"cross-site", "same-site", "", "Same-Origin"}) {
        BOOST_TEST_CONTEXT(site) BOOST_TEST(is_cross_site(site, "https://a.example", "a.example"));
    }
    for (const std::string_view site : {"same-origin", "none"})
        BOOST_TEST(!is_cross_site(site, "https://evil.example", "a.example"));
}

BOOST_AUTO_TEST_CASE(an_older_browser_names_the_origin) {
    BOOST_TEST(!is_cross_site(std::nullopt, "https://A.example:8443", "a.example:8443"));
    for (const std::string_view origin :
         {"https://a.example", "https://evil.example:8443", "null", "", "a.example:8443", "https://a.example:8443.evil"}) {
        BOOST_TEST_CONTEXT(origin) BOOST_TEST(is_cross_site(std::nullopt, origin, "a.example:8443"));
    }
}

BOOST_AUTO_TEST_CASE(a_program_is_no_site) {
    BOOST_TEST(!is_cross_site(std::nullopt, std::nullopt, "a.example"));
}

BOOST_AUTO_TEST_SUITE_END()
