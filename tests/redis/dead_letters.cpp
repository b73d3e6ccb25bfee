#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/broker_observer.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// Tasks that fail while no worker runs them: whoever sees to it on the server says so.
namespace redis_dead_letters {

using namespace std::chrono_literals;
using namespace taskflux;

struct recorder final : broker_observer {
    void on_dead_letter(const task_id& task, const std::string& name, const failure& why) override {
        seen.push_back(to_string(task) + ' ' + name + ' ' + why.code);
        throw 1;
    }
    std::vector<std::string> seen;
};

struct burying {
    std::string add(const std::string& name, const run_policy& policy) {
        auto one = test::plain_task();
        auto spec = std::make_shared<task_spec>(*one.spec);
        spec->name = name;
        spec->policy = policy;
        one.spec = std::move(spec);
        const auto stored = on.run(on.broker->submit("q", std::vector<new_task>(1, one)));
        return to_string(task_id{"q", stored.front().key});
    }

    test::redis_server server{test::redis_server_options().frozen_clock()};
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::vector<std::string> lines;
    test::observer on{server.url(), test::patient().observer(seen).log([this](std::string_view text) { lines.emplace_back(text); })};
};

}  // namespace redis_dead_letters

BOOST_FIXTURE_TEST_SUITE(redis_dead_letters, burying)

BOOST_AUTO_TEST_CASE(a_task_that_fails_while_no_worker_runs_it_is_told_of) {
    const std::vector<std::string> queues{"q"};
    on.run(on.broker->join("w", queues, 10s));
    const auto kills = add("kills", run_policy{.crash_limit = 1});
    const auto waits = add("waits", run_policy{.deadline = 5s});
    const auto lives = add("lives", run_policy{.crash_limit = 2});
    const auto leaves = add("leaves", run_policy{.failed_retention = 0s, .crash_limit = 1});
    const auto got = on.fetch("w", "q", 4);
    BOOST_REQUIRE(got.size() == 4U);
    settlement later;
    later.key = got[1].key;
    later.token = got[1].token;
    later.how = settlement::kind::retry;
    later.data = R"({"code":"task_failed","type":"","message":"not now","pointer":"","expected":""})";
    later.delay = 4s;
    const std::vector<settlement> ends(1, later);
    on.run(on.broker->settle("q", "w", ends));
    server.advance(20s);
    on.counts("q");
    std::vector<std::string> expected{waits + " waits task_failed", kills + " kills crashed", leaves + " leaves crashed"};
    std::ranges::sort(expected);
    std::ranges::sort(seen->seen);
    BOOST_TEST(seen->seen == expected, boost::test_tools::per_element());
    BOOST_TEST(lines.size() == 3U);
    std::string all;
    for (const auto& line : lines) all += line + '\n';
    BOOST_TEST(all.find("task waits (" + waits + ") has failed for good: not now\n") != std::string::npos, all);
    BOOST_TEST(all.find("task kills (" + kills + ") has failed for good: the lease was lost 1 times; each time its worker died") !=
                   std::string::npos, all);
    BOOST_TEST(all.find("lives") == std::string::npos);
    on.counts("q");
    BOOST_TEST(seen->seen.size() == 3U);
}

BOOST_AUTO_TEST_CASE(all_of_many_tasks_whose_deadlines_pass_between_two_attempts_are_told_of_once_though_a_fetch_meets_some) {
    constexpr std::size_t many = 350;  // more than is given up before a fetch looks
    const std::vector<std::string> queues{"q"};
    on.run(on.broker->join("w", queues, 1h));
    for (std::size_t n = 0; n < many; ++n) add("waits", run_policy{.deadline = 5s});
    std::vector<settlement> ends;
    for (const auto& one : on.fetch("w", "q", many)) {
        auto& end = ends.emplace_back();
        end.key = one.key;
        end.token = one.token;
        end.how = settlement::kind::retry;
        end.data = R"({"code":"task_failed","type":"","message":"not now","pointer":"","expected":""})";
    }
    BOOST_REQUIRE_EQUAL(ends.size(), many);
    on.run(on.broker->settle("q", "w", ends));
    BOOST_REQUIRE_EQUAL(on.counts("q").waiting, many);
    server.advance(20s);
    BOOST_TEST(on.fetch("w", "q", 10).empty());
    BOOST_TEST(on.counts("q").failed == many);
    BOOST_TEST(seen->seen.size() == many);
    BOOST_TEST(std::set<std::string>(seen->seen.begin(), seen->seen.end()).size() == many);
    BOOST_TEST(seen->seen.back().ends_with(" waits task_failed"));
}

BOOST_AUTO_TEST_SUITE_END()
