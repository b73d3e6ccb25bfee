#include <taskflux/http/login_throttle.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace http_login_throttle {

using namespace taskflux::http;
using namespace std::chrono_literals;

const taskflux::time_point start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

boost::asio::ip::address at(std::string_view text) {
    return boost::asio::ip::make_address(std::string(text));
}

/// A throttle with a clock of its own.
struct fixture {
    login_throttle throttle{
        throttle_options().free_trials(2).free_in_all(4).delays(1s, 8s).longest_for_name(2s).forget_after(60s).most_under_way(3)};
    taskflux::time_point now = start;

    /// How many seconds to wait; 0: it was tried, and has failed.
    long fail(std::string_view from, std::string_view name) {
        const auto wait = throttle.begin(at(from), name, now);
        if (wait) return wait->count();
        throttle.failed(at(from), name, now);
        return 0;
    }
    bool pass(std::string_view from, std::string_view name) {
        if (throttle.begin(at(from), name, now)) return false;
        throttle.passed(at(from), name, now);
        return true;
    }
};

}  // namespace http_login_throttle

BOOST_FIXTURE_TEST_SUITE(http_login_throttle, fixture)

BOOST_AUTO_TEST_CASE(failures_after_the_free_ones_double_the_wait) {
    for (int i = 0; i < 3; ++i) BOOST_TEST(fail("1.1.1.1", "ann") == 0);
    for (const long wait : {1L, 2L, 4L, 8L, 8L}) {
        BOOST_TEST(fail("1.1.1.1", "ann") == wait);
        now += std::chrono::seconds(wait) - 1ms;
        BOOST_TEST(fail("1.1.1.1", "ann") == 1);  // rounded up
        now += 1ms;
        BOOST_TEST(fail("1.1.1.1", "ann") == 0);
    }
}

BOOST_AUTO_TEST_CASE(others_are_not_slowed_down) {
    for (int i = 0; i < 3; ++i) fail("1.1.1.1", "ann");
    BOOST_TEST(fail("1.1.1.1", "ann") == 1);
    BOOST_TEST(pass("1.1.1.1", "bob"));
    BOOST_TEST(pass("2.2.2.2", "ann"));
}

BOOST_AUTO_TEST_CASE(one_address_with_many_names_is_slowed_down) {
    for (int i = 0; i < 5; ++i) BOOST_TEST(fail("1.1.1.1", "name" + std::to_string(i)) == 0);
    BOOST_TEST(fail("1.1.1.1", "another") == 1);
    BOOST_TEST(fail("2.2.2.2", "another") == 0);
}

BOOST_AUTO_TEST_CASE(one_name_from_many_addresses_is_slowed_down_but_not_locked_out) {
    for (int i = 0; i < 50; ++i) {
        now += 2s;
        BOOST_TEST(fail("1.1.1." + std::to_string(i), "ann") == 0);
    }
    BOOST_TEST(fail("2.2.2.2", "ann") == 2);
    BOOST_TEST(pass("2.2.2.2", "bob"));
}

BOOST_AUTO_TEST_CASE(strangers_do_not_slow_down_an_address_where_the_login_was_right) {
    BOOST_TEST(pass("9.9.9.9", "ann"));
    for (int i = 0; i < 10; ++i) fail("1.1.1." + std::to_string(i), "ann");
    BOOST_TEST(fail("2.2.2.2", "ann") > 0);
    BOOST_TEST(pass("9.9.9.9", "ann"));
}

BOOST_AUTO_TEST_CASE(a_right_login_forgets_the_failures_of_its_pair_alone) {
    for (int i = 0; i < 2; ++i) fail("1.1.1.1", "ann");
    BOOST_TEST(pass("1.1.1.1", "ann"));
    for (int i = 0; i < 2; ++i) BOOST_TEST(fail("1.1.1.1", "ann") == 0);
    BOOST_TEST(pass("1.1.1.1", "bob"));
    BOOST_TEST(fail("1.1.1.1", "cid") == 0);  // the address' fifth
    BOOST_TEST(fail("1.1.1.1", "cid") == 1);
}

BOOST_AUTO_TEST_CASE(failures_are_forgotten_after_a_while) {
    for (int i = 0; i < 3; ++i) fail("1.1.1.1", "ann");
    now += 60s;
    for (int i = 0; i < 3; ++i) BOOST_TEST(fail("1.1.1.1", "ann") == 0);
    BOOST_TEST(fail("1.1.1.1", "ann") == 1);
}

BOOST_AUTO_TEST_CASE(one_network_of_IPv6_is_one_client) {
    for (int i = 0; i < 5; ++i) fail("2001:db8::" + std::to_string(i), "n" + std::to_string(i));
    BOOST_TEST(fail("2001:db8::ffff:1", "x") == 1);
    BOOST_TEST(fail("2001:db8:0:1::1", "x") == 0);
    for (int i = 0; i < 5; ++i) fail("::ffff:1.1.1.1", "n" + std::to_string(i));
    BOOST_TEST(fail("1.1.1.1", "x") == 1);
}

BOOST_AUTO_TEST_CASE(trials_under_way_are_bounded) {
    for (int i = 0; i < 3; ++i) BOOST_TEST(!throttle.begin(at("1.1.1.1"), "ann", now).has_value());
    BOOST_TEST(throttle.begin(at("1.1.1.1"), "bob", now).value().count() == 1);
    throttle.gave_up(at("1.1.1.1"));
    BOOST_TEST(!throttle.begin(at("1.1.1.1"), "bob", now).has_value());
    throttle.passed(at("1.1.1.1"), "bob", now);
    BOOST_TEST(!throttle.begin(at("1.1.1.1"), "bob", now).has_value());
    throttle.failed(at("1.1.1.1"), "bob", now);
    BOOST_TEST(!throttle.begin(at("1.1.1.1"), "bob", now).has_value());
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_and_what_was_seen_last_stays) {
    login_throttle small(throttle_options().free_trials(0).most_kept(10));
    small.failed(at("1.1.1.1"), "ann", now);
    for (int i = 0; i < 1000; ++i) {
        small.failed(at("2.2.2." + std::to_string(i % 200)), "name" + std::to_string(i), now);
        small.failed(at("1.1.1.1"), "ann", now);
    }
    BOOST_TEST(small.size() <= 30U);
    BOOST_TEST(small.begin(at("1.1.1.1"), "ann", now).has_value());
    BOOST_TEST(!small.begin(at("2.2.2.0"), "name0", now).has_value());
    small.failed(at("3.3.3.3"), std::string(100'000, 'x'), now);
    BOOST_TEST(small.begin(at("3.3.3.3"), std::string(100'001, 'x'), now).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
