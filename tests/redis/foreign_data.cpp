#include "damage.hpp"

#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Somebody else writes into a queue's keys. Whatever it is: the server is not blocked, it is told of once, and other
// tasks are run.
namespace redis_foreign_data {

using namespace std::chrono_literals;
using namespace taskflux;
using words = std::vector<std::string>;

struct attack {
    const char* what;
    std::vector<words> commands;
    const char* told = nullptr;  ///< the field of `q` that tells of it
};

words in(const char* command, const char* key, words rest) {
    words all{command, std::string("tf:{q}:") + key};
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

const std::string huge = "99999999999999999999";

const std::vector<attack> attacks{
    {"a range of all numbers is to be forgotten", {in("ZADD", "f", {"0", "1-99999999999999"})}, "f 1-99999999999999"},
    {"a range without an end is to be forgotten", {in("ZADD", "f", {"0", "7-1e300"})}, "f 7-1e300"},
    {"no number is to be forgotten", {in("ZADD", "f", {"0", "junk,nan", "-inf", "x"})}, "f junk,nan"},
    {"a backward range is to be forgotten", {in("ZADD", "f", {"0", "9-3"})}},
    {"no number is scheduled", {in("ZADD", "d", {"0", "junk", "-inf", "nan", "inf", "inf"})}, "d junk"},
    {"a number without its zeros is scheduled", {in("ZADD", "d", {"0", "12"})}, "d 12"},
    {"no number is limited", {in("ZADD", "e", {"0", "1e300", "1", "0x10"})}, "e 1e300"},
    {"a consumer that never joined is dead", {in("ZADD", "C", {"0", "ghost"}), in("SADD", "a:ghost", {"junk", "nan", "1e300",
        "@junk", "@1e300:5", "@" + huge + ":5", "@1:" + huge})}},
    {"what a dead consumer holds is of another type", {in("ZADD", "C", {"0", "ghost"}), in("SET", "a:ghost", {"foreign"})},
        "a:ghost"},
    {"no task is unclaimed", {in("ZADD", "u", {"0", std::string("job\0junk", 8)})}, "u job"},
    {"a task is unclaimed that is not there", {in("ZADD", "u", {"0", std::string("job\0" "100\0" "00000000000077", 22)})}},
    {"somebody sleeps who has no name", {in("ZADD", "i", {"0", "junk"})}},
    {"a cancel names no task", {in("HSET", "x", {"junk", "1\n1\nw", "1e300", "2\n2\nw", "7", "junk"})}},
    {"a consumer's lease is none, and the server another", {in("HSET", "h", {"ghost", "junk"}), in("HSET", "c", {"run", "0123"})}},
    {"counters are none", {in("HSET", "c", {"n2", "junk", "n3", "nan", "n5", "1.5", "nu", "x"})}},
    {"nobody knows until when the watcher watches", {in("HSET", "c", {"watching", "junk", "watcher", "junk"})}},
    {"the lowest number is beyond all", {in("HSET", "c", {"low", "1e17"})}},
    {"lanes are listed twice, and some that can't be", {in("HSET", "c", {"lanes", ",0,0,junk,-0," + huge + ",101,-101,0,"})}},
    {"gaps are none", {in("HSET", "c", {"gaps", "junk,5-,9-3,1-" + huge})}},
    {"foreign members stand among a segment's numbers", {in("ZADD", "B", {"5", "junk", "6", "1:" + huge})}},
    {"a segment has no name", {in("ZADD", "B", {"0", "junk", "0", "1:" + huge, "0", huge + ":1"})}},
    {"a lane holds no tasks", {in("LPUSH", "l:0", {"@1:" + huge, "@" + huge + ":5", "nan", "-inf", "1e300", "-5", "0.5", "@",
        std::string("\0\xff", 2), ""})}, "l:0 nan"},
    {"a segment lies beyond all numbers", {in("LPUSH", "l:0", {"@" + huge + ":5"}),
        in("HSET", "b", {huge + "t", std::string(200, '\0')})}},
    {"a segment's retention is no time", {in("LPUSH", "l:0", {"@500:4"}), in("ZADD", "B", {"500", "500:4"}),
        in("HSET", "b", {"500t", '\0' + std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) + std::string(20, '\0')})}, "@500:4"},
    {"an outbox holds nothing that can be carried", {in("HSET", "o", {"D1", "x", "D2", std::string(40, '\xff'), "X", "junk", "S7",
        "x", "", "", "?", "?"})}},
    {"own ids lead nowhere", {in("HSET", "k", {"mine", "nan"})}},
    {"a unique key has no holder", {in("HSET", "y", {"key", "junk"})}},
};

}  // namespace redis_foreign_data

BOOST_FIXTURE_TEST_SUITE(redis_foreign_data, test::damage_fixture)

BOOST_AUTO_TEST_CASE(whatever_others_write_into_a_queue_it_is_told_of_once_and_tasks_are_run) {
    list_query mine_only;
    mine_only.queue = "q";
    for (const auto& [what, commands, told] : attacks) {
        BOOST_TEST_CONTEXT(what) {
            server.command({"FLUSHALL"});
            said.clear();
            run(broker->join("w", queue_names, 1h));
            has_joined = true;
            add(1);
            for (const auto& command : commands) server.command(command);
            auto mine = test::plain_task();
            mine.own_id = "mine";
            mine.unique_key = "key";
            run(broker->submit("q", std::vector<new_task>(1, mine)));
            add(1);
            const auto segment = field(add_together(5));
            std::vector<settlement> ends;
            for (int round = 0; round < 3 && ends.size() < 8; ++round) {
                for (const auto& one : fetch(20)) {
                    settlement& end = ends.emplace_back();
                    end.key = one.key;
                    end.token = one.token;
                    end.data = "1";
                }
            }
            BOOST_TEST(ends.size() == 8U);
            for (const auto done : run(broker->settle("q", "w", ends))) BOOST_CHECK(done == effect::done);
            for (const auto& end : ends) BOOST_CHECK(run(broker->wait({"q", end.key}, 0ms)).has_value());
            run(broker->renew("w", queue_names, 1h));
            BOOST_TEST(run(broker->list(mine_only)).tasks.size() == 8U);
            BOOST_CHECK_NO_THROW(counts());
            run(broker->clear("q", std::nullopt, 100));
            BOOST_TEST(run(broker->list(mine_only)).tasks.empty());
            BOOST_TEST(server.command(in("HEXISTS", "b", {segment})).integer() == 0);
            BOOST_TEST(server.command(in("ZSCORE", "B", {segment + ":5"})).is_nil());
            if (told) {
                const auto fields = server.command({"HKEYS", "tf:{q}:q"});
                const auto is_told = [&](const auto& one) { return one.text.starts_with(told); };
                BOOST_TEST(std::ranges::count_if(fields.items, is_told) == 1);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_queue_whose_last_number_is_damaged_refuses_tasks_and_says_why) {
    add(1);
    for (const char* number : {"junk", "1e300", "nan", "-1", "1.5", "10000000000000"}) {
        server.command({"HSET", "tf:{q}:c", "seq", number});
        const auto names_the_field = [](const boost::system::system_error& e) {
            return std::string_view(e.what()).find("seq") != std::string_view::npos;
        };
        BOOST_CHECK_EXCEPTION(add(1), boost::system::system_error, names_the_field);
        BOOST_CHECK_EXCEPTION(add_together(5), boost::system::system_error, names_the_field);
        BOOST_CHECK_EXCEPTION(run(broker->list({})), boost::system::system_error, names_the_field);
    }
    BOOST_TEST(server.command({"HLEN", "tf:{q}:r"}).integer() == 1);
    server.command({"HSET", "tf:{q}:c", "seq", "5"});
    BOOST_TEST(add(1) == 6U);
    server.command({"HSET", "tf:{q}:c", "seq", "9999999999999"});
    BOOST_TEST(add(1) == 10'000'000'000'000U);
}

BOOST_AUTO_TEST_CASE(a_dead_consumer_does_not_take_tasks_from_those_that_hold_them) {
    const auto first = add(2);
    const auto mine = fetch(1);
    BOOST_REQUIRE(mine.size() == 1U);
    server.command({"SADD", "tf:{q}:a:ghost", field(first), field(first + 1)});
    server.command({"ZADD", "tf:{q}:C", "0", "ghost"});
    BOOST_TEST(counts().running == 1U);
    const auto kept = run(broker->get({"q", mine.front().key}));
    BOOST_REQUIRE(kept.has_value());
    BOOST_TEST(kept->crashes == 0U);
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:a:ghost"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(a_time_that_is_none_in_a_state_or_record_is_told_of_and_other_tasks_end) {
    auto limited = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*limited.spec);
    spec->policy.retention = 2h;
    limited.spec = spec;
    limited.own_id = "mine";
    const auto bad = run(broker->submit("q", std::vector<new_task>(1, limited))).front().key.sequence;
    add(1);
    const std::string nan("\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
    auto record = server.command({"HGET", "tf:{q}:r", field(bad)}).text;
    server.command({"HSET", "tf:{q}:r", field(bad), record.replace(14 + 3 + 16, 8, nan)});
    const auto found = fetch(5);
    BOOST_TEST(found.size() == 1U);
    BOOST_TEST(has_said(field(bad) + " is set aside"), said);
    BOOST_TEST(server.command({"HGET", "tf:{q}:q", field(bad)}).text == "its record is damaged");
}

BOOST_AUTO_TEST_CASE(a_task_whose_record_makes_it_its_own_ancestor_is_shown_once) {
    std::vector<new_task> one(1, test::plain_task());
    const task_id id{"q", run(broker->submit("q", one)).front().key};
    const auto before = server.command(in("HGET", "r", {field(id.key.sequence)})).text;
    one.front().own_id = "mine";
    one.front().parent = parent_link{id, child_key("1")};
    const auto record = before.substr(0, taskflux::redis::stored_size::time) + taskflux::redis::encode_record(one.front(), id.key.nonce);
    server.command(in("HSET", "r", {field(id.key.sequence), record}));
    const auto tree = run(taskflux::inspector(broker).tree(id));
    BOOST_TEST(tree.ancestors.size() == 1U);
    BOOST_TEST((tree.node.task.id == id));
}

BOOST_AUTO_TEST_SUITE_END()
