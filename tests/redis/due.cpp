#include <support/observer.hpp>
#include <support/redis_server.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Many tasks fall due at once: that is done bit by bit, and what can start meanwhile is handed out.
namespace redis_due {

using namespace std::chrono_literals;
using namespace taskflux;

struct fixture {
    fixture() { on.run(on.broker->join("w", queues, 24h)); }

    void add(const std::string& queue, std::size_t count, duration delay = {}, run_policy policy = {}) {
        auto one = test::plain_task();
        auto spec = std::make_shared<task_spec>(*one.spec);
        spec->policy = policy;
        one.spec = std::move(spec);
        one.delay = delay;
        on.run(on.broker->submit(queue, std::vector<new_task>(count, one)));
    }

    std::vector<delivery> fetch(std::size_t most, duration wait = {}) {
        fetch_request request;
        request.consumer = "w";
        request.queues = queues;
        request.max = most;
        request.wait = wait;
        return on.run(on.broker->fetch(request));
    }

    /// How many have fallen due, and have not been promoted yet.
    std::int64_t left() { return server.command({"ZCARD", "tf:{many}:d"}).integer(); }

    test::redis_server server{test::redis_server_options().frozen_clock()};
    test::observer on{server.url()};
    const std::vector<std::string> queues{"many", "few"};
};

constexpr std::size_t many = 3000;
constexpr std::size_t very_many = 20'000;

}  // namespace redis_due

BOOST_FIXTURE_TEST_SUITE(redis_due, fixture)

BOOST_AUTO_TEST_CASE(a_queue_where_much_falls_due_at_once_does_not_keep_others_waiting) {
    on.run(on.broker->pause("many"));
    add("many", very_many, 1s);
    add("few", 1);
    server.advance(1s);
    const auto found = fetch(10, 1h);
    BOOST_TEST(left() > std::int64_t(very_many / 2));
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_TEST(found[0].queue == 1U);
}

BOOST_AUTO_TEST_CASE(what_has_fallen_due_is_handed_out_before_all_of_it_has_been_promoted) {
    add("many", very_many, 1s);
    server.advance(1s);
    BOOST_TEST(fetch(10).size() == 10U);
    BOOST_TEST(left() > std::int64_t(very_many / 2));
}

BOOST_AUTO_TEST_CASE(each_of_many_that_fall_due_at_once_is_handed_out_once) {
    add("many", many, 1s);
    server.advance(1s);
    std::set<std::uint64_t> all;
    for (auto found = fetch(70); !found.empty(); found = fetch(70)) {
        for (const auto& one : found) BOOST_TEST(all.insert(one.key.sequence).second);
    }
    BOOST_TEST(all.size() == many);
    BOOST_TEST(on.counts("many").running == many);
    BOOST_TEST(on.counts("many").waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_waits_finds_the_one_that_can_start_behind_many_that_are_paused_or_over) {
    add("many", many, 0s, run_policy{.expires_in = 1s});
    add("many", 1);
    server.advance(1s);
    const auto found = fetch(10, 1h);
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_TEST(found[0].key.sequence == many + 1);
}

BOOST_AUTO_TEST_CASE(a_task_whose_time_is_over_is_not_handed_out_though_others_were_given_up_before_it) {
    add("many", 500, 0s, run_policy{.expires_in = 1s});
    add("many", 500, 0s, run_policy{.deadline = 1s});
    server.advance(1s);
    while (true) {
        const auto found = fetch(50);
        BOOST_TEST(found.empty());
        if (found.empty()) break;
    }
    BOOST_TEST(on.counts("many").expired == 1000U);
    BOOST_TEST(on.counts("many").waiting == 0U);
    BOOST_TEST(server.command({"LLEN", "tf:{many}:l:0"}).integer() == 0);
    add("many", 3);
    BOOST_TEST(fetch(50).size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
