#include "damage.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;

// A task without retention ends while the process that waits for it can't hear: its record stays for a while.
BOOST_FIXTURE_TEST_SUITE(redis_unheard, test::damage_fixture)

// Each with a broker of its own, which has not learned yet that its shorter ways do not lead to the end.
BOOST_DATA_TEST_CASE_F(test::damage_fixture, a_result_that_nobody_can_hear_is_kept_for_a_minute,
                       data::make({1U, 5U}) * data::make({true, false}), count, is_heard) {
    using namespace std::chrono_literals;
    using namespace taskflux;
    auto one = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*one.spec);
    spec->policy.retention = 0ms;
    one.spec = spec;
    const auto stored = run(broker->submit("q", std::vector<new_task>(count, one)));
    for (const auto& each : stored) {
        const auto channel = is_heard ? server.command({"PUBSUB", "CHANNELS"}).items.at(0).text : "tf:in:gone";
        server.command({"HSET", "tf:{q}:w", field(each.key.sequence), channel + "\n"});
    }
    std::vector<settlement> ends;
    for (const auto& each : fetch(10)) {
        auto& end = ends.emplace_back();
        end.key = each.key;
        end.token = each.token;
        end.data = "42";
    }
    BOOST_TEST(ends.size() == count);
    for (const auto done : run(broker->settle("q", "w", ends))) BOOST_CHECK(done == effect::done);
    for (const auto& each : stored) {
        const auto record = run(broker->get({"q", each.key}));
        BOOST_TEST(record.has_value() == !is_heard);
        if (record) BOOST_TEST(record->result == "42");
        const auto due = server.command({"ZCARD", "tf:{q}:f"}).integer();
        BOOST_TEST((is_heard || due > 0));
    }
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_has_heard_yet_is_kept_for_a_minute_where_a_reply_replaces_it) {
    using namespace std::chrono_literals;
    using namespace taskflux;
    auto one = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*one.spec);
    spec->policy.retention = 0ms;
    one.spec = spec;
    const auto stored = run(broker->submit("q", std::vector<new_task>(1, one)));
    server.command({"HSET", "tf:{q}:w", field(stored[0].key.sequence), "tf:in:gone\n"});
    task_reply what;
    what.task.key = stored[0].key;
    what.scope = reply_scope::any;
    for (const char* result : {"1", "2"}) {
        what.result = result;
        BOOST_CHECK(run(broker->reply("q", what)) == effect::done);
        const auto record = run(broker->get({"q", stored[0].key}));
        BOOST_REQUIRE(record.has_value());
        BOOST_TEST(record->result == result);
    }
    const auto now = std::stoll(server.command({"TIME"}).items.at(0).text);
    const auto till = std::stod(server.command({"ZRANGE", "tf:{q}:f", "0", "0", "WITHSCORES"}).items.at(1).text);
    BOOST_TEST(till / 1000 >= double(now + 30));
}

BOOST_AUTO_TEST_CASE(a_result_that_is_too_large_for_its_clients_connection_is_kept_and_asked_for) {
    using namespace std::chrono_literals;
    using namespace taskflux;
    server.command({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1048576 0 0"});
    auto one = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*one.spec);
    spec->policy.retention = spec->policy.failed_retention = duration::zero();
    one.spec = spec;
    one.is_awaited = true;
    for (const auto how : {settlement::kind::complete, settlement::kind::fail}) {
        const auto stored = run(broker->submit("q", std::vector<new_task>(1, one)));
        settlement end;
        end.key = stored.front().key;
        end.token = fetch(1).at(0).token;
        end.how = how;
        end.data = std::string(8 << 20, 'x');
        const std::vector<settlement> ends(1, end);
        BOOST_CHECK(run(broker->settle("q", "w", ends)).at(0) == effect::done);
        const auto outcome = run(broker->wait({"q", end.key}, 1h));
        BOOST_REQUIRE(outcome.has_value());
        BOOST_TEST(((how == settlement::kind::complete ? outcome->result : outcome->error) == end.data));
    }
}

BOOST_AUTO_TEST_SUITE_END()
