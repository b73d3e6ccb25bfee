#include "folder.hpp"

#include <taskflux/clock.hpp>
#include <taskflux/http/basic.hpp>
#include <taskflux/http/logins.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http_logins {

using namespace taskflux::http;
using namespace std::chrono_literals;
using kind = login::kind;

struct fixture {
    test::folder folder;
    taskflux::manual_clock clock;
    boost::asio::thread_pool pool{2};
    std::string token;
    std::shared_ptr<users> passwords;
    std::shared_ptr<tokens> bearers;
    std::shared_ptr<const sessions> cookies = std::make_shared<const sessions>(session_secrets::random(), 1h);
    std::shared_ptr<logins> all;

    fixture() {
        add_user(folder.path("users"), "ann", "long enough", permission::control, secrets::scrypt_cost(4, 1, 1));
        token = add_token(folder.path("tokens"), "ci", permission::submit);
        passwords = std::make_shared<users>(folder.path("users"), clock.wall(), users_options(), nullptr);
        bearers = std::make_shared<tokens>(folder.path("tokens"), clock.wall(), 1s, nullptr);
        all = make({passwords, bearers, cookies});
    }

    std::shared_ptr<logins> make(login_sources sources) {
        return std::make_shared<logins>(std::move(sources), pool.get_executor(), clock.shared(),
                                        throttle_options().free_trials(2).delays(4s, 60s));
    }

    std::vector<login> check_all(int count, std::optional<std::string> authorization, std::string cookie = {}) {
        boost::asio::io_context context;
        std::vector<std::future<login>> running;
        for (int i = 0; i < count; ++i) {
            auto one = all->check(credentials::parse(authorization), cookie, boost::asio::ip::make_address("192.0.2.1"));
            running.push_back(boost::asio::co_spawn(context, std::move(one), boost::asio::use_future));
        }
        context.run();
        std::vector<login> made;
        for (auto& one : running) made.push_back(one.get());
        return made;
    }
    login check(std::optional<std::string> authorization, std::string cookie = {}) {
        return check_all(1, std::move(authorization), std::move(cookie)).front();
    }
};

const std::string right = "Basic YW5uOmxvbmcgZW5vdWdo", wrong = "Basic YW5uOmxvbmcgZW5vdWdoPw==";  // ann:long enough, and with a ?

}  // namespace http_logins

BOOST_FIXTURE_TEST_SUITE(http_logins, fixture)

BOOST_AUTO_TEST_CASE(passwords_tokens_and_sessions_log_in) {
    const auto by_password = check(right);
    BOOST_TEST(bool(by_password.is() == kind::passed));
    BOOST_TEST(by_password.name() == "ann");
    BOOST_TEST(bool(by_password.may() == permission::control));
    BOOST_TEST(!by_password.by_cookie().has_value());
    const auto by_token = check("Bearer " + token);
    BOOST_TEST(by_token.name() == "ci");
    BOOST_TEST(bool(by_token.may() == permission::submit));
    const auto cookie = cookies->begin("ann", passwords->find("ann", clock.wall())->stamp, clock.wall());
    const auto by_cookie = check(std::nullopt, "other=1; __Host-taskflux=x; __Host-taskflux=" + cookie);
    BOOST_TEST(by_cookie.name() == "ann");
    BOOST_TEST_REQUIRE(by_cookie.by_cookie().has_value());
    BOOST_TEST(all->may_change(by_cookie, cookies->csrf_token(*by_cookie.by_cookie())));
    BOOST_TEST(!all->may_change(by_cookie, "x"));
    BOOST_TEST(!all->may_change(by_cookie, std::nullopt));
    BOOST_TEST(all->may_change(by_password, std::nullopt));
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_told_from_what_is_wrong) {
    BOOST_TEST(bool(check(std::nullopt).is() == kind::missing));
    BOOST_TEST(bool(check("a token without a scheme").is() == kind::missing));
    BOOST_TEST(bool(check("Basic x").is() == kind::wrong));
    BOOST_TEST(bool(check("Basic Og==").is() == kind::wrong));
    BOOST_TEST(bool(check("Bearer x").is() == kind::wrong));
    BOOST_TEST(bool(check(std::nullopt, "__Host-taskflux=x").is() == kind::wrong));
    const auto cookie = cookies->begin("ann", passwords->find("ann", clock.wall())->stamp, clock.wall());
    BOOST_TEST(bool(check(std::nullopt, "taskflux=" + cookie).is() == kind::missing));
    BOOST_TEST(bool(check("Bearer x", "__Host-taskflux=" + cookie).is() == kind::wrong));
    all = make({});
    BOOST_TEST(bool(check(right).is() == kind::wrong));
    BOOST_TEST(bool(check("Bearer " + token).is() == kind::wrong));
    BOOST_TEST(bool(check(std::nullopt, "__Host-taskflux=" + cookie).is() == kind::missing));
}

BOOST_AUTO_TEST_CASE(a_session_ends_with_its_users_password) {
    const auto cookie = "__Host-taskflux=" + cookies->begin("ann", passwords->find("ann", clock.wall())->stamp, clock.wall());
    add_user(folder.path("users"), "ann", "another one", permission::control, secrets::scrypt_cost(4, 1, 1));
    clock.advance(2s);
    BOOST_TEST(bool(check(std::nullopt, cookie).is() == kind::wrong));
    remove_user(folder.path("users"), "ann");
    clock.advance(2s);
    BOOST_TEST(bool(check(std::nullopt, cookie).is() == kind::wrong));
}

BOOST_AUTO_TEST_CASE(wrong_passwords_are_slowed_down_and_right_ones_that_are_remembered_are_not) {
    BOOST_TEST(bool(check(right).is() == kind::passed));
    for (int i = 0; i < 3; ++i) BOOST_TEST(bool(check(wrong).is() == kind::wrong));
    const auto slowed = check(wrong);
    BOOST_TEST(bool(slowed.is() == kind::slowed));
    BOOST_TEST(slowed.retry_after().count() == 4);
    BOOST_TEST(bool(check(right).is() == kind::passed));
    BOOST_TEST(bool(check("Bearer " + token).is() == kind::passed));
    clock.advance(4s);
    BOOST_TEST(bool(check(wrong).is() == kind::wrong));
    clock.advance(1h);
    BOOST_TEST(bool(check(right).is() == kind::passed));
}

BOOST_AUTO_TEST_CASE(many_first_requests_of_one_client_all_pass) {
    for (const auto& one : check_all(30, right)) BOOST_TEST(bool(one.is() == kind::passed));
}

BOOST_AUTO_TEST_SUITE_END()
