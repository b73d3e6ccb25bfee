#include "many_queues.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// A consumer of many queues: it asks those that have something to do, and what is wrong with one stays with it.
namespace redis_many_queues {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace taskflux;
using fixture = test::many_queues_fixture;

}  // namespace redis_many_queues

BOOST_FIXTURE_TEST_SUITE(redis_many_queues, fixture)

BOOST_AUTO_TEST_CASE(a_task_costs_no_more_scripts_on_many_queues_than_on_one) {
    const auto cost_on = [&](std::size_t count) {
        const auto queues = names(count);
        on.run(on.broker->join("w", queues, 24h));
        std::int64_t scripts = 0;
        for (int round = 0; round < 3; ++round) {  // the first loads scripts and learns keys
            auto fetching = start(queues);
            until([&] { return sleeps_in(queues.back()) && sleeps_in(queues.front()); });
            const auto before = scripts_run();
            submit(queues.back());
            until([&] { return fetching->has_ended; });
            BOOST_TEST(fetching->found.size() == 1U);
            fetching = start(queues);
            until([&] { return sleeps_in(queues.back()); });
            scripts = scripts_run() - before;
            submit(queues.front());
            until([&] { return fetching->has_ended; });
        }
        on.run(on.broker->leave("w", queues));
        server.command({"FLUSHALL"});
        return scripts;
    };
    const auto on_one = cost_on(1);
    BOOST_TEST(cost_on(300) == on_one);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_finds_nothing_leaves_its_queues_to_the_next_one) {
    const auto queues = names(300);
    on.run(on.broker->join("w", queues, 24h));
    auto fetching = start(queues);
    for (const auto& name : queues) until([&] { return sleeps_in(name); });
    const auto before = scripts_run();
    clock.advance(1h);
    until([&] { return fetching->has_ended; });
    BOOST_TEST(fetching->found.empty());
    fetching = start(queues);
    submit("q200");
    until([&] { return fetching->has_ended; });
    BOOST_TEST(fetching->found.size() == 1U);
    BOOST_TEST(scripts_run() - before < 600);  // it looks once into each queue, but neither leaves nor enters it
}

BOOST_AUTO_TEST_CASE(a_task_whose_message_got_lost_is_found_on_many_queues) {
    const auto queues = names(300);
    on.run(on.broker->join("w", queues, 24h));
    const auto fetching = put_to_sleep(queues);
    server.command({"DEL", key("q270", "i")});  // nobody is told
    submit("q270");
    while (!fetching->has_ended) {
        advance(1s);
        on.run(on.broker->counts("q0"));
    }
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().queue == 270U);
}

BOOST_AUTO_TEST_CASE(a_task_of_many_queues_that_falls_due_is_found_by_who_watches_for_it) {
    const auto queues = names(300);
    on.run(on.broker->join("w", queues, 24h));
    const auto fetching = put_to_sleep(queues);
    submit("q299", 2s);
    until([&] { return server.command({"HEXISTS", key("q299", "c"), "watching"}).integer() == 1; });
    until([&] { return sleeps_in("q299"); });
    BOOST_TEST(!fetching->has_ended);
    advance(2s);
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().queue == 299U);
}

BOOST_AUTO_TEST_CASE(tasks_of_many_queues_that_were_stored_before_are_all_found) {
    const auto queues = names(300);
    for (const auto& name : {"q1", "q150", "q299"}) submit(name);
    on.run(on.broker->pause("q150"));
    on.run(on.broker->join("w", queues, 24h));
    const auto found = on.run(on.broker->fetch(request(queues, 1h)));
    BOOST_REQUIRE(found.size() == 2U);
    BOOST_TEST(found[0].queue == 1U);
    BOOST_TEST(found[1].queue == 299U);
    const auto fetching = start(queues);
    on.run(on.broker->resume("q150"));
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().queue == 150U);
}

BOOST_AUTO_TEST_CASE(who_loses_the_connection_asks_for_what_it_was_given_in_any_of_many_queues) {
    const auto queues = names(300);
    on.run(on.broker->join("w", queues, 24h));
    const auto fetching = put_to_sleep(queues);
    const auto member = server.command({"ZRANGE", key("q9", "i"), "0", "0"}).texts().front();
    test::redis_client thief(server.port());
    thief.command({"SUBSCRIBE", "elsewhere"});
    server.command({"DEL", key("q9", "i")});
    server.command({"ZADD", key("q9", "i"), "1", "elsewhere" + member.substr(member.find('\n'))});
    submit("q9");
    thief.receive();
    server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().queue == 9U);
}

BOOST_AUTO_TEST_CASE(what_a_full_fetch_was_called_for_as_well_is_done_by_others_at_once) {
    on.run(on.broker->join("w", {"a", "b"}, 24h));
    auto small = request({"a", "b"}, 1h);
    small.max = 1;
    const auto full = fetch_in(on, std::move(small));
    until([&] { return sleeps_in("a") && sleeps_in("b"); });
    test::observer third(server.url(), test::patient(), clock);
    third.run(third.broker->join("v", {"b"}, 24h));
    auto waiting = request({"b"}, 1h);
    waiting.consumer = "v";
    const auto idle = fetch_in(third, std::move(waiting));
    third.run(poll([&] { return server.command({"ZCARD", key("b", "i")}).integer() == 2; }));
    for (const std::string queue : {"a", "b"}) {  // not handed over: the one that has slept longest is told to look
        std::vector<new_task> one(1, test::plain_task());
        one.front().own_id = "own";
        other.run(other.broker->submit(queue, std::move(one)));
    }
    until([&] { return full->has_ended; });
    BOOST_TEST(full->found.size() == 1U);
    third.run(poll([&] {
        on.io.restart();
        on.io.poll();
        return idle->has_ended;
    }));
    BOOST_TEST(idle->found.size() == 1U);
}

BOOST_AUTO_TEST_CASE(who_asks_other_queues_from_now_on_sleeps_no_more_in_those_before) {
    const auto queues = names(300);
    on.run(on.broker->join("w", queues, 24h));
    const auto before = put_to_sleep(queues);
    clock.advance(1h);
    until([&] { return before->has_ended; });
    const auto fetching = start({"q5", "q6"});
    until([&] { return sleeps_in("q5") && sleeps_in("q6") && !sleeps_in("q0") && !sleeps_in("q299"); });
    BOOST_TEST(!fetching->has_ended);
}

BOOST_AUTO_TEST_CASE(who_leaves_gives_back_all_that_it_holds_in_each_of_its_queues) {
    constexpr std::size_t many = 150;  // more than one call gives back
    const auto queues = names(3);
    on.run(on.broker->join("w", queues, 24h));
    auto all = request(queues, 0s);
    all.max = 3 * many;
    for (const auto& name : queues) other.run(other.broker->submit(name, std::vector<new_task>(many, test::plain_task())));
    BOOST_TEST(on.run(on.broker->fetch(all)).size() == all.max);
    on.run(on.broker->leave("w", queues));
    for (const auto& name : queues) {
        const auto counts = other.counts(name);
        BOOST_TEST(counts.waiting == many);
        BOOST_TEST(counts.running == 0U);
        BOOST_TEST(counts.consumers == 0U);
    }
}

BOOST_AUTO_TEST_CASE(who_serves_a_queue_alone_watches_for_nothing) {
    const auto watches = [&] { return server.command({"HEXISTS", key("q0", "c"), "watcher"}).integer() == 1; };
    on.run(on.broker->join("w", {"q0"}, 24h));
    auto fetching = put_to_sleep({"q0"});
    BOOST_TEST(!watches());
    submit("q0", 2s);
    until([&] { return watches() && sleeps_in("q0"); });
    advance(2s);
    until([&] { return fetching->has_ended; });
    BOOST_TEST(fetching->found.size() == 1U);
    fetching = put_to_sleep({"q0"});
    until([&] { return !watches(); });
    on.run(on.broker->join("v", {"q0"}, 24h));
    submit("q0");
    until([&] { return fetching->has_ended; });
    fetching = put_to_sleep({"q0"});
    until(watches);  // for the end of the other one's lease
}

BOOST_AUTO_TEST_CASE(a_queue_with_a_damaged_key_keeps_no_other_queue_waiting) {
    std::size_t told = 0;
    for (const std::size_t count : {3U, 12U}) {
        for (const std::string letter : {"c", "d", "e", "C", "i", "N", "u", "f", "x", "o", "r", "s", "b", "q", "a:w"}) {
            BOOST_TEST_CONTEXT(count << " queues, key " << letter) {
                server.command({"FLUSHALL"});
                said.clear();
                const auto queues = names(count);
                const std::string consumer = "w";
                on.run(on.broker->join(consumer, queues, 24h));
                server.command({"DEL", key("q1", letter)});
                server.command({"SET", key("q1", letter), "foreign"});
                for (int round = 0; round < 3; ++round) {
                    submit("q2");
                    const auto found = on.run(on.broker->fetch(request(queues, 1h)));
                    BOOST_REQUIRE(found.size() == 1U);
                    BOOST_TEST(found.front().queue == 2U);
                    advance(10s);
                    const auto lease = server.command({"ZSCORE", key("q2", "C"), consumer}).text;
                    BOOST_TEST(!on.run(on.broker->renew(consumer, queues, 24h)).lost);
                    BOOST_TEST(server.command({"ZSCORE", key("q2", "C"), consumer}).text != lease);
                }
                BOOST_TEST(times_said("queue q1 is not served") <= 1U, said);
                told += times_said("queue q1 is not served");
                BOOST_TEST(said.find("queue q2") == std::string::npos, said);
                server.command({"DEL", key("q1", letter)});
                submit("q1");
                advance(10s);
                std::vector<delivery> found;
                while (found.empty()) {
                    found = on.run(on.broker->fetch(request(queues, 1s)));
                    if (found.empty()) advance(10s);
                }
                BOOST_TEST(found.front().queue == 1U);
                on.run(on.broker->leave(consumer, queues));
            }
        }
    }
    BOOST_TEST(told > 10U);  // not of keys that these calls don't read
}

BOOST_AUTO_TEST_CASE(who_joins_a_queue_with_a_damaged_key_serves_the_others_and_that_one_when_it_is_repaired) {
    const auto queues = names(5);
    server.command({"SET", key("q1", "C"), "foreign"});
    on.run(on.broker->join("w", queues, 24h));
    submit("q2");
    BOOST_TEST(on.run(on.broker->fetch(request(queues, 1h))).size() == 1U);
    BOOST_TEST(times_said("queue q1 is not served") == 1U, said);
    server.command({"DEL", key("q1", "C")});
    submit("q1");
    advance(10s);
    const auto found = on.run(on.broker->fetch(request(queues, 1h)));
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found.front().queue == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_queue_again_after_it_was_repaired_is_told_again) {
    const auto queues = names(5);
    for (const bool keeps_lease : {true, false}) {
        BOOST_TEST_CONTEXT((keeps_lease ? "with" : "without") << " its lease") {
            server.command({"FLUSHALL"});
            said.clear();
            on.run(on.broker->join("w", queues, 24h));
            for (std::size_t times = 1; times <= 3; ++times) {
                server.command({"RENAME", key("q1", "C"), key("q1", "kept")});
                server.command({"SET", key("q1", "C"), "foreign"});
                for (int round = 0; round < 2; ++round) BOOST_TEST(!on.run(on.broker->renew("w", queues, 24h)).lost);
                BOOST_TEST(times_said("queue q1 is not served") == times, said);
                server.command({"DEL", key("q1", "C")});
                if (keeps_lease) {
                    server.command({"RENAME", key("q1", "kept"), key("q1", "C")});
                    BOOST_TEST(!on.run(on.broker->renew("w", queues, 24h)).lost);
                } else {
                    submit("q1");
                    advance(10s);
                    BOOST_TEST(on.run(on.broker->fetch(request(queues, 1h))).size() == 1U);  // joins again
                }
            }
            on.run(on.broker->leave("w", queues));
        }
    }
}

BOOST_AUTO_TEST_CASE(where_all_queues_are_damaged_the_fetch_fails) {
    const auto queues = names(2);
    on.run(on.broker->join("w", queues, 24h));
    for (const auto& name : queues) {
        server.command({"DEL", key(name, "C")});
        server.command({"SET", key(name, "C"), "foreign"});
    }
    for (int round = 0; round < 2; ++round) {
        BOOST_CHECK_EXCEPTION(on.run(on.broker->fetch(request(queues, 1h))), boost::system::system_error,
                              [](const auto& e) { return e.code() == errc::protocol; });
    }
}

BOOST_AUTO_TEST_SUITE_END()
