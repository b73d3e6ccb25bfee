#include "many_queues.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Where a fetch falls asleep, and where it does not.
namespace redis_sleepers {

using namespace std::chrono_literals;
using namespace taskflux;
using fixture = test::many_queues_fixture;

}  // namespace redis_sleepers

BOOST_FIXTURE_TEST_SUITE(redis_sleepers, fixture)

BOOST_AUTO_TEST_CASE(who_sleeps_in_many_queues_tells_each_which_names_it_knows) {
    const auto queues = names(5);
    on.run(on.broker->join("w", queues, 24h));
    auto wanted = request(queues, 1h);
    wanted.names = std::make_shared<const name_set>(name_set{"job"});
    const auto fetching = fetch_in(on, wanted);
    for (const auto& name : queues) until([&] { return sleeps_in(name); });
    for (const auto& name : queues) {
        BOOST_TEST(server.command({"HVALS", key(name, "N")}).texts() == std::vector<std::string>{"job"}, boost::test_tools::per_element());
    }
    submit("q3");
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().queue == 3U);
}

BOOST_AUTO_TEST_CASE(who_has_found_something_falls_asleep_nowhere) {
    on.run(on.broker->join("w", {"a", "b"}, 24h));
    submit("a");
    BOOST_TEST(on.run(on.broker->fetch(request({"a", "b"}, 1h))).size() == 1U);
    BOOST_TEST(!sleeps_in("b"));
}

BOOST_AUTO_TEST_CASE(a_full_fetch_asks_no_other_queue) {
    on.run(on.broker->join("w", {"a", "b"}, 24h));
    auto small = request({"a", "b"}, 0s);
    small.max = 1;
    for (int i = 0; i < 3; ++i) {
        for (const auto* name : {"a", "b"}) submit(name);
    }
    std::int64_t scripts = 0;
    for (int round = 0; round < 3; ++round) {  // the first loads scripts and learns keys
        const auto before = scripts_run();
        const auto found = on.run(on.broker->fetch(small));
        scripts = scripts_run() - before;
        BOOST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found.front().queue == 0U);
    }
    BOOST_TEST(scripts == 1);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_does_not_wait_asks_though_no_message_has_come) {
    for (const auto& queues : {std::vector<std::string>(1, "alone"), names(5)}) {
        on.run(on.broker->join("w", queues, 24h));
        const auto before = put_to_sleep(queues);
        clock.advance(1h);
        until([&] { return before->has_ended; });
        server.command({"DEL", key(queues.front(), "i")});  // nobody is told
        submit(queues.front());
        BOOST_TEST(on.run(on.broker->fetch(request(queues, 0s))).size() == 1U);
        on.run(on.broker->leave("w", queues));
    }
}

BOOST_AUTO_TEST_CASE(who_leaves_sleeps_in_none_of_its_queues) {
    for (const std::size_t count : {1U, 5U}) {
        const auto queues = names(count);
        on.run(on.broker->join("w", queues, 24h));
        const auto fetching = put_to_sleep(queues);
        on.run(on.broker->leave("w", queues));
        for (const auto& name : queues) BOOST_TEST(!sleeps_in(name));
    }
}

BOOST_AUTO_TEST_CASE(a_fetch_of_nothing_sleeps_in_none_of_many_queues) {
    const auto queues = names(5);
    on.run(on.broker->join("w", queues, 24h));
    auto nothing = request(queues, 1h);
    nothing.max = 0;
    BOOST_TEST(on.run(on.broker->fetch(nothing)).empty());
    for (const auto& name : queues) BOOST_TEST(!sleeps_in(name));
}

BOOST_AUTO_TEST_SUITE_END()
