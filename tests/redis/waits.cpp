#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/broker/broker.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Callers that wait for the ends of tasks: what they cost the server, and what finds an end of which no message has come.
namespace redis_waits {

using namespace taskflux;
using namespace taskflux::conformance;
using maybe_ended = std::optional<task_outcome>;

struct waiting_fixture : test::frozen_fixture {
    /// How many requests for the ends of tasks a server had so far: of all scripts' calls, those that nothing else makes.
    std::size_t requests() {
        const auto told = server.command({"INFO", "commandstats"}).text;
        constexpr std::string_view name = "cmdstat_evalsha:calls=";
        const auto at = told.find(name);
        return at == std::string::npos ? 0 : std::stoul(told.substr(at + name.size()));
    }

    /// Moves time on, and lets what wakes then have its answers; without calls of its own.
    void go_on(duration by) {
        advance(by);
        for (int i = 0; i < 5; ++i) let_hear();
    }

    std::vector<started<maybe_ended>> wait_for(const std::vector<task_key>& keys, duration wait = 1h) {
        std::vector<started<maybe_ended>> calls;
        for (const auto& key : keys) calls.push_back(begin(broker().wait({q, key}, wait)));
        for (int i = 0; i < 20; ++i) let_hear();
        return calls;
    }
};

}  // namespace redis_waits

BOOST_FIXTURE_TEST_SUITE(redis_waits, waiting_fixture)

BOOST_AUTO_TEST_CASE(callers_for_many_tasks_ask_together) {
    const auto keys = add_many(1000);
    const auto before = requests();
    const auto calls = wait_for(keys);
    BOOST_TEST(requests() - before <= 7U);  // 200 in each; and the first one finds the script unknown
    run(broker().cancel(q, keys));
    for (auto call : calls) BOOST_TEST((call.get()->state == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE(all_are_asked_for_again_now_and_then_but_not_at_the_same_time) {
    const auto keys = add_many(1000);
    const auto calls = wait_for(keys);
    auto before = requests();
    go_on(4s);
    BOOST_TEST(requests() == before);
    go_on(3s);
    BOOST_TEST(requests() - before == 1U);
    for (int i = 0; i < 4; ++i) go_on(100ms);
    BOOST_TEST(requests() - before == 5U);
    before = requests();
    go_on(4s);
    BOOST_TEST(requests() - before <= 1U);  // whether there are any more
}

BOOST_AUTO_TEST_CASE(an_end_of_which_no_message_came_is_found) {
    const auto keys = add_many(3);
    auto calls = wait_for(keys);
    server.command({"DEL", "tf:{q}:w"});
    run(broker().cancel(q, {keys[1]}));
    pass(7s);
    BOOST_TEST(calls[1].done());
    BOOST_TEST(!calls[0].done());
    BOOST_TEST(!calls[2].done());
}

BOOST_AUTO_TEST_CASE(an_end_of_which_no_message_came_is_found_while_new_callers_never_cease) {
    const auto key = add();
    auto calls = wait_for({key});
    server.command({"DEL", "tf:{q}:w"});
    run(broker().cancel(q, {key}));
    for (const auto& other : add_many(100)) {
        calls.push_back(begin(broker().wait({q, other}, 1h)));
        advance(100ms);
        let_hear();
    }
    BOOST_TEST(calls.front().done());
    BOOST_TEST(!calls.back().done());
}

BOOST_AUTO_TEST_CASE(large_results_come_in_several_answers) {
    constexpr std::size_t count = 5;
    const auto keys = add_many(count);
    auto calls = wait_for(keys);
    join();
    const std::string result(600 * 1024, 'x');
    std::vector<settlement> ends;
    for (const auto& one : fetch(w, count)) ends.push_back(settled(one, kind::complete, result));
    server.command({"DEL", "tf:{q}:w"});
    run(broker().settle(q, w, ends));
    const auto before = requests();
    go_on(7s);
    for (auto& call : calls) BOOST_TEST(call.get()->result.size() == result.size());
    BOOST_TEST(requests() - before == count);  // 1 MiB each, at most
}

BOOST_AUTO_TEST_CASE(a_list_of_large_tasks_comes_in_several_answers) {
    constexpr std::size_t count = 5;
    for (std::size_t i = 0; i < count; ++i) {
        auto large = task();
        large.payload.assign(600 * 1024, 'x');
        add(std::move(large));
    }
    add_many(300);
    run(broker().list({}));  // so that the script is known
    const auto before = requests();
    list_query all;
    all.limit = 1000;
    BOOST_TEST(run(broker().list(all)).tasks.size() == count + 300);
    BOOST_TEST(requests() - before == count + 1);
}

BOOST_AUTO_TEST_CASE(an_end_that_time_alone_brings_is_asked_for_when_it_comes) {
    const auto key = add(task(run_policy{.expires_in = 2s}));
    auto calls = wait_for({key});
    go_on(1900ms);
    BOOST_TEST(!calls[0].done());
    const auto before = requests();
    go_on(100ms);  // long before all are asked for again
    BOOST_TEST(requests() - before >= 1U);
    BOOST_REQUIRE(calls[0].done());
    BOOST_TEST((calls[0].get()->state == task_state::expired));
}

BOOST_AUTO_TEST_CASE(a_caller_whose_time_is_over_asks_once_more) {
    const auto keys = add_many(2);
    auto calls = wait_for(keys, 1s);
    server.command({"DEL", "tf:{q}:w"});
    run(broker().cancel(q, {keys[1]}));
    pass(1s);
    BOOST_TEST(!calls[0].get().has_value());
    BOOST_TEST(calls[1].get().has_value());
}

BOOST_AUTO_TEST_CASE(several_callers_for_one_task_all_get_its_end) {
    const auto key = add();
    auto calls = wait_for({key, key, key});
    auto late = start(broker().wait({q, key}, 1s));
    pass(2s);
    BOOST_TEST(!late.get().has_value());
    run(broker().cancel(q, {key}));
    for (auto call : calls) BOOST_TEST(call.get().has_value());
    BOOST_TEST(run(broker().wait({q, key}, 1h)).has_value());
}

BOOST_AUTO_TEST_CASE(a_caller_that_goes_away_leaves_nothing_behind) {
    for (int i = 0; i < 3; ++i) {
        const auto key = add();
        auto call = start(broker().wait({q, key}, 1h));
        call.cancel();
        BOOST_TEST(error_of(std::move(call)) == aborted);
        pass(8s);
    }
    let_work();
    const auto before = requests();
    go_on(8s);
    go_on(8s);
    BOOST_TEST(requests() == before);  // nobody asks for nobody
}

BOOST_AUTO_TEST_CASE(a_look_that_does_not_wait_asks_for_no_message) {
    const auto key = add();
    BOOST_TEST(!run(broker().wait({q, key}, 0ms)).has_value());
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:w"}).integer() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
