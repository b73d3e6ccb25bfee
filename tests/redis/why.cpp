#include "damage.hpp"

#include <taskflux/admin/inspector.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

// Why a task is not running that can't be read.
BOOST_FIXTURE_TEST_SUITE(redis_why, test::damage_fixture)

using namespace test;

BOOST_AUTO_TEST_CASE(a_damaged_task_says_what_is_wrong_with_it_before_anybody_has_met_it) {
    std::vector<new_task> one;
    one.push_back(plain_task());
    const auto key = run(broker->submit("q", std::move(one))).front().key;
    server.command({"HSET", "tf:{q}:s", std::to_string(key.sequence), "\x22 whatever"});
    const inspector look(broker);
    const auto now = run(look.why({"q", key}));
    BOOST_REQUIRE_EQUAL(now.reasons.size(), 1U);
    BOOST_TEST((now.reasons[0].what == why_reason::damaged));
    BOOST_TEST(now.reasons[0].text == "its state has version 2");
    BOOST_TEST(to_string(now).ends_with(": it is set aside, as it is damaged: its state has version 2"));
}

BOOST_AUTO_TEST_SUITE_END()
