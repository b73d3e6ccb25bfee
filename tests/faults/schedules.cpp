#include "fixture.hpp"
#include "ledger.hpp"

#include <taskflux/flow/scheduler.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

// Fault 10: many nodes fire the same schedules, and one of them is killed every second.
namespace faults_schedules {

using namespace test::faults;
using namespace taskflux;

constexpr std::size_t nodes = 20;
std::size_t kills() { return std::getenv("TASKFLUX_LONG") ? 240 : 15; }

inline constexpr taskflux::task<void()> tick{"tick"};

// On a machine that stands still for long a tick may be late; none may be lost.
const auto patient = schedule_options().misfire(misfire_policy::catch_up, 1000);

/// Fires what there is until it is killed. Counts the runs of a job of the cluster, and those of one of each process.
void schedule_until_killed(const std::string& url, ledger& local_runs) {
    asio::io_context io;
    const auto broker = make_redis_broker(io.get_executor(), url);
    taskflux::scheduler scheduler{broker};
    const auto count = [&local_runs](std::size_t which) {
        return [&local_runs, which]() -> asio::awaitable<void> {
            ++local_runs[which];
            co_return;
        };
    };
    const auto of_process = schedule_options().scope(local_scope::every_process);
    const auto of_cluster = schedule_options(patient).scope(local_scope::once_per_cluster);
    scheduler.local("local", "* * * * * *", count(0), of_cluster);
    scheduler.local("process", "* * * * * *", count(1), of_process);
    asio::co_spawn(io, scheduler.run(), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
}

/// What the schedule "tick" has submitted, in that order. (A list would look at each of the million numbers that are
/// skipped when a server comes back.)
std::vector<std::string> submitted_ids(observer& on) {
    const std::vector<std::string> queues{"default"};
    on.run(on.broker->join("w", queues, 1h));
    std::vector<std::string> ids;
    for (auto found = on.fetch("w", "default", 100); !found.empty(); found = on.fetch("w", "default", 100)) {
        for (const auto& one : found) ids.push_back(one.own_id);
    }
    return ids;
}

/// As many, of ticks that begin with the same one and are a second apart.
std::vector<std::string> without_gaps(const std::vector<std::string>& ids) {
    std::vector<std::string> expected;
    if (ids.empty()) return expected;
    auto tick_of_it = decode<time_point>('"' + ids.front().substr(std::string("tick@").size()) + '"');
    for (; expected.size() < ids.size(); tick_of_it += 1s) expected.push_back(tick_id("tick", tick_of_it));
    return expected;
}

}  // namespace faults_schedules

BOOST_AUTO_TEST_SUITE(faults_schedules)

BOOST_AUTO_TEST_CASE(twenty_nodes_of_which_one_is_killed_every_second_submit_one_task_per_tick) {
    test::redis_server server;
    const auto url = server.url();
    ledger local_runs(2);
    std::vector<std::unique_ptr<test::child>> children(nodes);
    const auto start = [&](std::size_t i) {
        children[i] = std::make_unique<test::child>([&] { schedule_until_killed(url, local_runs); });
    };
    for (std::size_t i = 0; i < nodes; ++i) start(i);

    observer on(url);
    const scheduler looking{on.broker};
    on.run(looking.every("* * * * * *", "UTC", tick, patient));
    const unsigned runs_before = local_runs[0];
    for (std::size_t i = 0; i < kills(); ++i) {
        on.run(pause(1013ms));  // the fault's own time: each falls on another part of a second
        children[i % nodes]->kill();
        start(i % nodes);
    }
    // A local job is lost with the process that claimed the tick, and never run twice. Either schedule may be a little late.
    std::size_t ticks = 0, runs = 0;
    const auto both_have_fired = [&] {
        runs = local_runs[0] - runs_before;
        ticks = on.counts().waiting;
        return ticks >= kills() && runs <= ticks + 1 && runs + kills() >= ticks;
    };
    BOOST_TEST(test::eventually(both_have_fired), ticks << " ticks, " << runs << " runs of the local job");
    children.clear();

    const auto ids = submitted_ids(on);
    BOOST_TEST(ids.size() >= ticks);
    BOOST_TEST(ids == without_gaps(ids), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_server_that_is_away_delays_ticks_and_loses_none) {
    test::redis_server server(test::redis_server_options().append_only());
    ledger local_runs(2);
    test::child node([&] { schedule_until_killed(server.url(), local_runs); });
    {
        observer on(server.url());
        const scheduler looking{on.broker};
        on.run(looking.every("* * * * * *", "UTC", tick, patient));
        BOOST_REQUIRE(test::eventually([&] { return on.counts().waiting >= 2; }));
    }
    server.kill();
    const auto before = local_runs[1].load();
    // Jobs of a process wait for no server.
    BOOST_TEST(test::eventually([&] { return local_runs[1] >= before + 3; }));
    server.start();
    observer on(server.url());
    BOOST_REQUIRE(test::eventually([&] { return on.counts().waiting >= 8; }));
    const auto ids = submitted_ids(on);
    BOOST_TEST(ids == without_gaps(ids), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
