#include "damage.hpp"

#include <taskflux/broker/redis/scripts.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A queue lives on while its server is another one, or the same after a restart: numbers are skipped then, once each time,
// and nothing looks at them.
namespace redis_restarts {

using namespace taskflux;
namespace asio = boost::asio;
using words = std::vector<std::string>;

struct fixture : test::damage_fixture {
    /// Calls of scripts so far.
    std::int64_t script_calls() {
        return calls_in(server.command({"INFO", "commandstats"}).text);
    }

    static std::int64_t calls_in(const std::string& told) {
        constexpr std::string_view name = "cmdstat_evalsha:calls=";
        const auto at = told.find(name);
        return at == std::string::npos ? 0 : std::stoll(told.substr(at + name.size()));
    }

    std::string of_queue(const char* field) { return server.command({"HGET", "tf:{q}:c", field}).text; }

    /// As if another server had had the queue until now.
    void change_server(const std::string& former) { server.command({"HSET", "tf:{q}:c", "run", former}); }

    test::redis_value maintain(const std::string& run) {
        const auto& what = redis::scripts::maintain;
        words command{"EVAL", std::string(what.text), std::to_string(what.keys.size())};
        for (const char name : what.keys) command.push_back("tf:{q}:" + std::string(1, name));
        command.insert(command.end(), {"100", run});
        return server.command(command);
    }

    std::size_t listed() {
        list_query all;
        all.limit = 10'000;
        return run(broker->list(all)).tasks.size();
    }
};

}  // namespace redis_restarts

BOOST_FIXTURE_TEST_SUITE(redis_restarts, fixture)

BOOST_AUTO_TEST_CASE(after_ten_changes_of_server_tasks_are_listed_and_cleared_in_as_many_calls_as_before) {
    for (int i = 0; i < 10; ++i) {
        add(20);
        add_together(30);
        change_server(std::to_string(i) + "0123");
    }
    BOOST_TEST(add(1) > 10'000'000U);
    auto before = script_calls();
    BOOST_TEST(listed() == 501U);
    BOOST_TEST(script_calls() - before <= 6);
    before = script_calls();
    BOOST_TEST(run(broker->clear("q", task_state::waiting, 1000)) == 501U);
    BOOST_TEST(script_calls() - before <= 15);
    BOOST_TEST(listed() == 0U);
}

BOOST_AUTO_TEST_CASE(numbers_whose_tasks_have_gone_are_passed_in_long_strides) {
    add(3);
    server.command({"HINCRBY", "tf:{q}:c", "seq", "100000"});
    add(3);
    const auto before = script_calls();
    list_query few;
    few.limit = 4;
    BOOST_TEST(run(broker->list(few)).tasks.size() == 4U);
    BOOST_TEST(script_calls() - before <= 30);
}

BOOST_AUTO_TEST_CASE(idle_restarts_leave_one_gap) {
    add(1);
    for (int i = 0; i < 5; ++i) {
        change_server(std::to_string(i) + "0123");
        maintain("unknown");
    }
    BOOST_TEST(of_queue("gaps") == "2-" + std::to_string(1 + 5 * 1048576));
}

BOOST_AUTO_TEST_CASE(a_caller_that_is_behind_the_times_does_not_bring_an_earlier_server_back) {
    add(1);
    for (const bool can_ask : {true, false}) {
        BOOST_TEST_CONTEXT(can_ask) {
            if (!can_ask) server.command({"ACL", "SETUSER", "default", "-info"});
            const auto own = of_queue("run");
            change_server("aaaa");
            maintain(can_ask ? "unknown" : own);
            BOOST_TEST(of_queue("run") == own);
            const auto last = of_queue("seq");
            for (int i = 0; i < 3; ++i) {
                maintain("aaaa");
                maintain(own);
            }
            BOOST_TEST(of_queue("run") == own);
            BOOST_TEST(of_queue("seq") == last);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_is_restarted_keeps_its_tasks_and_lists_them_in_few_calls) {
    test::redis_server kept(test::redis_server_options().append_only());
    for (int i = 0; i < 3; ++i) {
        test::observer its(kept.url());
        its.run(its.broker->submit("q", std::vector<new_task>(10, test::plain_task())));
        kept.restart();
    }
    test::observer its(kept.url());
    its.run(its.broker->submit("q", std::vector<new_task>(10, test::plain_task())));
    BOOST_TEST(kept.command({"HGET", "tf:{q}:c", "seq"}).integer() == 40 + 3 * 1048576);
    kept.command({"CONFIG", "RESETSTAT"});
    BOOST_TEST(its.run(its.broker->list({})).tasks.size() == 40U);
    const auto calls = calls_in(kept.command({"INFO", "commandstats"}).text);
    BOOST_TEST(calls <= 2);  // one of them finds the script unknown
}

BOOST_AUTO_TEST_CASE(a_task_that_is_submitted_while_the_server_is_away_gets_no_number_that_may_have_been_given) {
    test::redis_server kept(test::redis_server_options().append_only());
    test::observer its(kept.url(), test::patient());
    const auto submit = [&] { return its.broker->submit("q", std::vector<new_task>(1, test::plain_task())); };
    BOOST_TEST(its.run(submit()).front().key.sequence == 1U);
    for (std::uint64_t restarts = 1; restarts <= 5; ++restarts) {
        kept.kill();
        std::uint64_t number = 0;
        asio::co_spawn(its.io, submit(), [&](const std::exception_ptr& failure, const std::vector<submitted>& made) {
            if (!failure) number = made.front().key.sequence;
        });
        its.io.restart();
        its.io.poll();  // it has begun, by what is known of the server that was there
        kept.start();
        BOOST_REQUIRE(test::eventually([&] {
            its.counts("q");
            return number > 0;
        }));
        BOOST_TEST(number > restarts << 20U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
