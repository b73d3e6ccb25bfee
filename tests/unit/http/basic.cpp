#include <taskflux/http/basic.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace http_basic {

using namespace taskflux::http;
using kind = credentials::kind;

bool is_malformed(std::string_view text) {
    return credentials::parse(text).is() == kind::malformed;
}

}  // namespace http_basic

BOOST_AUTO_TEST_SUITE(http_basic)

BOOST_AUTO_TEST_CASE(name_and_password_are_read) {
    const auto read = credentials::parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    BOOST_TEST(bool(read.is() == kind::basic));
    BOOST_TEST(read.name() == "Aladdin");
    BOOST_TEST(read.secret() == "open sesame");
    const auto colons = credentials::parse("bAsIc   YTpiOmPDvA==");
    BOOST_TEST(colons.name() == "a");
    BOOST_TEST(colons.secret() == "b:c\xC3\xBC");
}

BOOST_AUTO_TEST_CASE(the_empty_name_and_password_of_FastTasks_client_are_read) {
    const auto read = credentials::parse("Basic Og==");
    BOOST_TEST(bool(read.is() == kind::basic));
    BOOST_TEST(read.name().empty());
    BOOST_TEST(read.secret().empty());
}

BOOST_AUTO_TEST_CASE(tokens_are_read) {
    const auto read = credentials::parse("Bearer aZ0-._~+/==");
    BOOST_TEST(bool(read.is() == kind::bearer));
    BOOST_TEST(read.secret() == "aZ0-._~+/==");
    const auto bare = credentials::parse(" a token ");
    BOOST_TEST(bool(bare.is() == kind::other));
    BOOST_TEST(bare.secret() == "a token");
    BOOST_TEST(bool(credentials::parse(std::nullopt).is() == kind::none));
}

BOOST_AUTO_TEST_CASE(what_is_not_exactly_that_is_malformed) {
    for (const std::string_view text :
         {"Basic", "Basic ", "Basic Og", "Basic Og=", "Basic Og==x", "Basic Oh==", "Basic O g==", "Basic YQ==",  // "a"
          "Basic YQA6Yg==",                                                                                      // "a\0:b"
          "Basic YTr/", "Basic YTpiCg==", "Bearer", "Bearer a b", "Bearer =", "Bearer a=b", "Bearer \"a\""}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(is_malformed(text));
    }
    BOOST_TEST(is_malformed("Bearer " + std::string(8192, 'a')));
    BOOST_TEST(!is_malformed("Bearer " + std::string(8185, 'a')));
}

BOOST_AUTO_TEST_CASE(a_challenge_names_its_realm) {
    BOOST_TEST(basic_challenge("taskflux") == "Basic realm=\"taskflux\", charset=\"UTF-8\"");
}

BOOST_AUTO_TEST_SUITE_END()
