#include <taskflux/core/error.hpp>
#include <taskflux/http/session.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace http_session {

using namespace taskflux::http;
using namespace std::chrono_literals;

const taskflux::time_point now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
const std::string one(32, 'a'), other(32, 'b');

sessions with(std::vector<std::string> secrets) {
    return sessions(session_secrets(std::move(secrets)), 1h);
}

}  // namespace http_session

BOOST_AUTO_TEST_SUITE(http_session)

BOOST_AUTO_TEST_CASE(a_session_is_read_until_it_ends_by_every_gateway_with_its_secret) {
    const auto cookie = with({one}).begin("ann:\n", "stamp", now);
    const auto read = with({one}).read(cookie, now + 1h - 1ms);
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(read->user == "ann:\n");
    BOOST_TEST(bool(read->expires == now + 1h));
    BOOST_TEST(!with({one}).read(cookie, now + 1h).has_value());
    BOOST_TEST(!with({other}).read(cookie, now).has_value());
    BOOST_TEST(cookie.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos);
    BOOST_TEST(with({one}).begin("ann:\n", "stamp", now) != cookie);
}

BOOST_AUTO_TEST_CASE(whatever_is_changed_in_a_cookie_makes_it_none) {
    const auto all = with({one});
    const auto cookie = all.begin("ann", "stamp", now);
    for (std::size_t i = 0; i < cookie.size(); ++i) {
        auto changed = cookie;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST_CONTEXT(i) BOOST_TEST(!all.read(changed, now).has_value());
        BOOST_TEST(!all.read(cookie.substr(0, i), now).has_value());
    }
    for (const std::string_view text : {"", ".", "a.b", "....", "%"}) BOOST_TEST(!all.read(text, now).has_value());
    BOOST_TEST(!all.read(cookie + '=', now).has_value());
    BOOST_TEST(!all.read(std::string(100'000, 'A') + '.' + cookie, now).has_value());
}

BOOST_AUTO_TEST_CASE(a_new_password_ends_a_session) {
    const auto all = with({one});
    const auto read = all.read(all.begin("ann", "stamp", now), now).value();
    BOOST_TEST(all.is_current(read, "stamp"));
    BOOST_TEST(!all.is_current(read, "another"));
    BOOST_TEST(!with({other}).is_current(read, "stamp"));
    BOOST_TEST(read.stamp.find("stamp") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_secret_is_replaced_while_sessions_go_on) {
    const auto cookie = with({one}).begin("ann", "stamp", now);
    const auto both = with({other, one});
    const auto read = both.read(cookie, now);
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(both.is_current(*read, "stamp"));
    BOOST_TEST(both.is_csrf_token(*read, with({one}).csrf_token(*read)));
    BOOST_TEST(with({other}).read(both.begin("ann", "stamp", now), now).has_value());
}

BOOST_AUTO_TEST_CASE(a_csrf_token_is_of_one_session) {
    const auto all = with({one});
    const auto mine = all.read(all.begin("ann", "stamp", now), now).value(),
               others = all.read(all.begin("ann", "stamp", now), now).value();
    const auto token = all.csrf_token(mine);
    BOOST_TEST(all.is_csrf_token(mine, token));
    BOOST_TEST(all.csrf_token(mine) == token);
    BOOST_TEST(!all.is_csrf_token(others, token));
    for (const std::string& text : {std::string(), token.substr(1), token + 'A', std::string("x")})
        BOOST_TEST(!all.is_csrf_token(mine, text));
}

BOOST_AUTO_TEST_CASE(secrets_are_long_enough_or_random) {
    const auto refuses = [](std::vector<std::string> secrets) {
        try {
            session_secrets made(std::move(secrets));
        } catch (const taskflux::error& e) {
            return e.code() == taskflux::errc::invalid_argument;
        }
        return false;
    };
    BOOST_TEST(refuses({}));
    BOOST_TEST(refuses({one, std::string(31, 'a')}));
    BOOST_TEST(!refuses({one}));
    BOOST_TEST(session_secrets::random().all() != session_secrets::random().all());
    BOOST_TEST(sessions::cookie_name(true) == "__Host-taskflux");
    BOOST_TEST(sessions::cookie_name(false) == "taskflux");
}

BOOST_AUTO_TEST_SUITE_END()
