#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

// A task that waits for the end of another with its unique key, where not all goes as it should: programs of a version that does
// not know of it, and data that somebody has damaged.
namespace redis_successors {

using namespace taskflux;
using namespace std::chrono_literals;

using kind = settlement::kind;

struct scene {
    scene() : eye(server.connect()), on(server.url(), test::patient().log(nullptr)) { on.run(on.broker->join("w", {"q"}, 1h)); }

    submitted submit(const std::string& payload, duplicate policy = duplicate::replace) {
        auto made = test::plain_task();
        made.unique_key = "k";
        made.on_duplicate = policy;
        made.payload = payload;
        return on.run(on.broker->submit("q", {made})).at(0);
    }

    delivery fetch() { return on.fetch("w", "q", 1).at(0); }

    effect complete(const delivery& which) {
        settlement end;
        end.key = which.key;
        end.token = which.token;
        return on.run(on.broker->settle("q", "w", {end})).at(0);
    }

    task_state state(task_key key) { return on.run(on.broker->get({"q", key})).value().state; }

    /// Has what falls due be looked after.
    void maintain() {
        auto soon = test::plain_task();
        soon.delay = 1h;
        on.run(on.broker->submit("q", {soon}));
        eye.command({"ZADD", "tf:{q}:d", "XX", "0", eye.command({"ZRANGE", "tf:{q}:d", "0", "0"}).texts().at(0)});
        on.run(on.broker->counts("q"));
        on.run(on.broker->get({"q", {1, 1}}));
    }

    std::string entry() { return eye.command({"HGET", "tf:{q}:y", "k"}).text; }

    test::redis_server server;
    test::redis_client eye;
    test::observer on;
};

}  // namespace redis_successors

BOOST_AUTO_TEST_SUITE(redis_successors)

BOOST_AUTO_TEST_CASE(an_older_version_reads_who_holds_the_key) {
    scene in;
    const auto first = in.submit("first").key;
    BOOST_TEST(in.entry() == std::to_string(first.sequence) + ":1000000000000000");
    in.fetch();
    const auto next = in.submit("second").key;
    BOOST_TEST(in.entry() == std::to_string(first.sequence) + ":01000000000000000");
    BOOST_TEST(in.eye.command({"HGET", "tf:{q}:Y", "k"}).text == std::to_string(next.sequence));
}

BOOST_AUTO_TEST_CASE(nothing_of_a_successor_is_left_when_all_have_ended) {
    scene in;
    in.submit("first");
    const auto running = in.fetch();
    in.submit("second");
    BOOST_TEST((in.complete(running) == effect::done));
    BOOST_TEST((in.complete(in.fetch()) == effect::done));
    BOOST_TEST(in.eye.command({"EXISTS", "tf:{q}:y", "tf:{q}:Y"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(a_successor_starts_though_an_older_version_has_ended_the_task_before_it) {
    scene in;
    in.submit("first");
    const auto running = in.fetch();
    const auto next = in.submit("second").key;
    in.eye.command({"HDEL", "tf:{q}:y", "k"});  // as that version does
    BOOST_TEST((in.complete(running) == effect::done));
    BOOST_TEST((in.state(next) == task_state::held));
    in.maintain();
    BOOST_TEST((in.state(next) == task_state::waiting));
    BOOST_TEST(in.entry() == std::to_string(next.sequence) + ":1000000000000000");
    BOOST_TEST(in.eye.command({"EXISTS", "tf:{q}:Y"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(a_successor_waits_for_the_task_that_has_taken_the_key_meanwhile) {
    scene in;
    in.submit("first");
    const auto running = in.fetch();
    const auto next = in.submit("second").key;
    in.eye.command({"HDEL", "tf:{q}:y", "k"});
    BOOST_TEST((in.complete(running) == effect::done));
    const auto third = in.submit("third", duplicate::join);  // as the older version submits
    BOOST_TEST(!third.duplicate);
    const auto other = in.fetch();
    BOOST_TEST((other.key == third.key));
    in.maintain();
    BOOST_TEST((in.state(next) == task_state::held));
    BOOST_TEST((in.complete(other) == effect::done));
    BOOST_TEST((in.state(next) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE(what_names_no_successor_is_none) {
    const std::vector<std::string> damages{"junk", "-1", "1e300", "nan", "99999", "99999999999999999999", "holder", "ended"};
    for (const auto& damage : damages) {
        BOOST_TEST_CONTEXT(damage) {
            scene in;
            const auto ended = in.submit("ended").key;
            BOOST_TEST((in.complete(in.fetch()) == effect::done));
            const auto first = in.submit("first").key;
            const auto running = in.fetch();
            in.submit("second");
            const auto written = damage == "holder" ? std::to_string(first.sequence)
                                 : damage == "ended" ? std::to_string(ended.sequence)
                                                     : damage;
            in.eye.command({"HSET", "tf:{q}:Y", "k", written});
            in.maintain();
            const auto third = in.submit("third");  // nobody knows of the second one any more
            BOOST_TEST(!third.duplicate);
            BOOST_TEST((in.state(third.key) == task_state::held));
            BOOST_TEST((in.complete(running) == effect::done));
            BOOST_TEST((in.state(third.key) == task_state::waiting));
        }
    }
}

BOOST_AUTO_TEST_CASE(many_successors_that_an_older_version_has_left_start_some_at_a_time) {
    scene in;
    std::vector<new_task> tasks(30, test::plain_task());
    for (std::size_t n = 0; n < tasks.size(); ++n) {
        tasks[n].unique_key = "k" + std::to_string(n);
        tasks[n].on_duplicate = duplicate::replace;
    }
    in.on.run(in.on.broker->submit("q", tasks));
    const auto running = in.on.fetch("w", "q", tasks.size());
    BOOST_REQUIRE_EQUAL(running.size(), tasks.size());
    in.on.run(in.on.broker->submit("q", tasks));
    in.eye.command({"DEL", "tf:{q}:y"});
    for (const auto& one : running) BOOST_TEST((in.complete(one) == effect::done));
    BOOST_TEST(in.on.counts("q").held == 30U);
    in.maintain();
    BOOST_TEST(in.on.counts("q").held == 10U);
    in.maintain();
    BOOST_TEST(in.on.counts("q").held == 0U);
}

BOOST_AUTO_TEST_CASE(a_submission_that_replaces_starts_the_successor_that_an_older_version_has_left) {
    scene in;
    in.submit("first");
    const auto running = in.fetch();
    const auto next = in.submit("second").key;
    in.eye.command({"HDEL", "tf:{q}:y", "k"});
    BOOST_TEST((in.complete(running) == effect::done));
    BOOST_TEST((in.submit("third").key == next));
    BOOST_TEST((in.state(next) == task_state::waiting));
    BOOST_TEST(in.fetch().payload == "third");
    BOOST_TEST(in.eye.command({"EXISTS", "tf:{q}:Y"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(a_successor_stays_one_though_who_holds_the_key_is_not_marked) {
    scene in;
    const auto first = in.submit("first").key;
    const auto running = in.fetch();
    const auto next = in.submit("second").key;
    in.eye.command({"HSET", "tf:{q}:y", "k", std::to_string(first.sequence) + ":1000000000000000"});
    BOOST_TEST((in.submit("third").key == next));
    BOOST_TEST((in.state(next) == task_state::held));
    BOOST_TEST((in.complete(running) == effect::done));
    BOOST_TEST(in.fetch().payload == "third");
}

BOOST_AUTO_TEST_CASE(a_task_that_does_not_have_the_key_is_neither_replaced_nor_cancelled) {
    scene in;
    auto other = test::plain_task();
    other.payload = "other";
    other.unique_key = "another";
    const auto waiting = in.on.run(in.on.broker->submit("q", {other})).at(0).key;
    in.eye.command({"HSET", "tf:{q}:y", "k", std::to_string(waiting.sequence) + ":1000000000000000"});
    const auto first = in.submit("first");
    BOOST_TEST(!first.duplicate);
    BOOST_TEST((in.state(first.key) == task_state::waiting));
    BOOST_TEST(in.fetch().payload == "other");
    const auto running = in.fetch();
    BOOST_TEST(running.payload == "first");
    BOOST_TEST((in.complete(running) == effect::done));
    in.eye.command({"HSET", "tf:{q}:y", "k", std::to_string(first.key.sequence) + ":1000000000000000"});
    const auto second = in.submit("second", duplicate::restart);
    BOOST_TEST(!second.duplicate);
    BOOST_TEST((in.state(first.key) == task_state::succeeded));
    BOOST_TEST((in.state(second.key) == task_state::waiting));
    BOOST_TEST(in.eye.command({"HEXISTS", "tf:{q}:q", "y k"}).integer() == 1);
}

BOOST_AUTO_TEST_CASE(many_successors_cost_no_writes_where_nothing_has_changed) {
    scene in;
    std::vector<new_task> tasks(700, test::plain_task());
    for (std::size_t n = 0; n < tasks.size(); ++n) {
        tasks[n].unique_key = "k" + std::to_string(n);
        tasks[n].on_duplicate = duplicate::replace;
    }
    in.on.run(in.on.broker->submit("q", tasks));
    std::size_t running = 0;
    while (running < tasks.size()) running += in.on.fetch("w", "q", tasks.size()).size();
    in.on.run(in.on.broker->submit("q", tasks));
    const auto changes = [&] { return in.eye.command({"INFO", "persistence"}).text; };
    const auto count = [&] {
        const auto said = changes();
        const auto at = said.find("rdb_changes_since_last_save:") + std::string("rdb_changes_since_last_save:").size();
        return std::stol(said.substr(at));
    };
    in.maintain();
    const auto before = count();
    in.maintain();
    BOOST_TEST(count() - before < 20);  // what falls due itself
}

BOOST_AUTO_TEST_SUITE_END()
