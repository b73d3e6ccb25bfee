#include "folder.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/tokens.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace http_tokens {

using namespace taskflux::http;
using namespace std::chrono_literals;

const taskflux::time_point start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

struct fixture {
    test::folder folder;
    std::vector<std::string> lines;
    taskflux::time_point now = start;

    std::string file() const { return folder.path("tokens.json"); }
    tokens open() {
        return tokens(file(), now, 1s, [this](std::string_view line) { lines.emplace_back(line); });
    }
};

}  // namespace http_tokens

BOOST_FIXTURE_TEST_SUITE(http_tokens, fixture)

BOOST_AUTO_TEST_CASE(a_token_says_who_has_it_until_it_expires) {
    const auto token = add_token(file(), "ci", permission::submit, now + 1h), other = add_token(file(), "ops", permission::admin);
    BOOST_TEST(token.starts_with("tfx_"));
    BOOST_TEST(token.size() == 47U);
    auto all = open();
    BOOST_TEST_REQUIRE(all.verify(token, now).has_value());
    BOOST_TEST(all.verify(token, now)->name == "ci");
    BOOST_TEST(bool(all.verify(token, now)->may == permission::submit));
    BOOST_TEST(all.verify(token, now + 1h - 1ms).has_value());
    BOOST_TEST(!all.verify(token, now + 1h).has_value());
    BOOST_TEST(bool(all.verify(other, now + 24h * 3650)->may == permission::admin));
    for (const std::string& text : {std::string(), token.substr(1), token + 'x', std::string("tfx_")})
        BOOST_TEST(!all.verify(text, now).has_value());
    BOOST_TEST(folder.read("tokens.json").find(token.substr(4)) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_token_is_replaced_and_removed_by_its_name) {
    const auto first = add_token(file(), "ci", permission::submit);
    auto all = open();
    const auto second = add_token(file(), "ci", permission::read);
    now += 2s;
    BOOST_TEST(!all.verify(first, now).has_value());
    BOOST_TEST(all.verify(second, now).has_value());
    BOOST_TEST(remove_token(file(), "ci"));
    BOOST_TEST(!remove_token(file(), "ci"));
    BOOST_TEST(!all.verify(second, now += 2s).has_value());
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_valid_is_refused) {
    const std::string hash = R"("sha256": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY")";
    const auto is_taken = [&](const std::string& text) {
        folder.write("tokens.json", text, now - 1h);
        try {
            open();
        } catch (const taskflux::error& e) {
            BOOST_TEST(bool(e.code() == taskflux::errc::invalid_argument));
            return false;
        }
        return true;
    };
    BOOST_TEST(is_taken(R"({"a": {)" + hash + R"(, "permission": "read"}})"));
    BOOST_TEST(is_taken(R"({"a": {)" + hash + R"(, "permission": "read", "expires": "2026-01-01T00:00:00+01:00"}})"));
    BOOST_TEST(is_taken(""));
    for (const std::string& text :
         {std::string(R"({"a": "token"})"), R"({"a": {)" + hash + "}}", std::string(R"({"a": {"permission": "read"}})"),
          std::string(R"({"a": {"sha256": "AAAA", "permission": "read"}})"),
          R"({"a": {)" + hash + R"(, "permission": "read", "expires": 5}})",
          R"({"a": {)" + hash + R"(, "permission": "read", "expires": "2026"}})",
          R"({"a": {)" + hash + R"(, "permission": "read", "x": 1}})",
          R"({"a": {)" + hash + R"(, "permission": "read"}, "b": {)" + hash + R"(, "permission": "read"}})"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(!is_taken(text));
    }
    BOOST_CHECK_THROW(add_token(file(), "", permission::read), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()
