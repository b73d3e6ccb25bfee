#include "fixture.hpp"
#include "ledger.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include <unistd.h>

// Workers that die, stand still, or kill themselves: faults 1, 2, 7 and 11.
namespace faults_workers {

using namespace test::faults;

inline constexpr taskflux::task<int(int)> job{"job"};
inline constexpr taskflux::task<int()> only_first{"only_first"};
inline constexpr taskflux::task<void()> poison{"poison", taskflux::task_options().crash_limit(2)};

asio::awaitable<int> for_ever(int) {
    for (;;) co_await pause(1h);
}

// What a ledger holds: 1 when `until_told` may end, how often it has begun and ended, and how many processes a task has killed.
constexpr std::size_t may_end = 0, begun = 1, ended = 2, died = 3, told_size = 4;

asio::awaitable<int> until_told(test::faults::ledger* told) {
    struct at_end {
        ~at_end() { ++(*told)[ended]; }
        test::faults::ledger* told;
    } const noted{told};
    ++(*told)[begun];
    while ((*told)[may_end] == 0) co_await pause(10ms);
    co_return 1;
}

asio::awaitable<int> at_once(int) { co_return 2; }
asio::awaitable<int> one() { co_return 1; }

struct fixture {
    test::redis_server server{test::redis_server_options().frozen_clock()};
    std::string url = server.url();
    test::faults::ledger told{told_size};
};

}  // namespace faults_workers

BOOST_FIXTURE_TEST_SUITE(faults_workers, fixture)

BOOST_AUTO_TEST_CASE(a_killed_worker_loses_nothing_and_its_tasks_are_run_again_within_its_lease) {
    constexpr std::size_t many = 200;
    test::child first([&] { work(url, [](auto& worker) { worker.on(job, for_ever); }); });
    const auto submit_all = [](taskflux::client client) { return client.submit_all(job, std::views::iota(0, int(many))); };
    std::vector<taskflux::job<int>> jobs;
    {
        observer before(url);
        jobs = before.run(submit_all(before.client));
        BOOST_REQUIRE(test::eventually([&] { return before.counts().running == many; }));
    }
    first.kill();
    test::child second([&] { work(url, [](auto& worker) { worker.on(job, at_once); }); });
    outlast_a_lease(server, 1);
    observer after(url);
    BOOST_REQUIRE(test::eventually([&] { return after.counts().succeeded == many; }));
    for (const auto& one_of_them : jobs) {
        const auto record = after.run(after.broker->get(one_of_them.id()));
        BOOST_REQUIRE(record.has_value());
        BOOST_TEST(record->crashes == 1U);
        BOOST_TEST(record->deliveries == 2U);
        BOOST_TEST(record->attempts == 1U);
        BOOST_TEST(record->result == "2");
    }
}

BOOST_AUTO_TEST_CASE(a_worker_that_stood_still_past_its_lease_overwrites_nothing_and_works_on) {
    constexpr std::size_t some = 20;
    test::child first([&] {
        work(url, [&](taskflux::worker& worker) {
            worker.on(job, [&](int) { return until_told(&told); });
            worker.on(only_first, one);
        });
    });
    observer on(url);
    const auto jobs = on.run(on.client.submit_all(job, std::views::iota(0, int(some))));
    BOOST_REQUIRE(test::eventually([&] { return told[begun] == some; }));
    first.suspend();
    {
        test::child second([&] { work(url, [](auto& worker) { worker.on(job, at_once); }); });
        outlast_a_lease(server, 1);
        BOOST_REQUIRE(test::eventually([&] { return on.counts().succeeded == some; }));
    }
    told[may_end] = 1;
    first.resume();
    BOOST_REQUIRE(test::eventually([&] { return told[ended] == some; }));
    BOOST_TEST(on.run(on.client.run(only_first)) == 1);  // it has come back, under another name
    for (const auto& one_of_them : jobs) BOOST_TEST(on.run(one_of_them.result()) == 2);
    BOOST_TEST(on.counts().succeeded == some + 1);
}

BOOST_AUTO_TEST_CASE(a_task_that_kills_its_process_becomes_a_dead_letter_and_harms_no_other) {
    observer on(url);
    const auto poisoned = on.run(on.client.submit(poison));
    const auto die = [this] {
        ++told[died];
        _exit(9);
    };
    const auto start = [&] {
        return std::make_unique<test::child>([&] {
            work(url, [&](taskflux::worker& worker) {
                worker.on(poison, die);
                worker.on(job, at_once);
            });
        });
    };
    for (unsigned deaths = 1; deaths <= 2; ++deaths) {
        const auto worker = start();
        BOOST_REQUIRE(test::eventually([&] { return told[died] == deaths; }));
        server.advance(lease + 1s);
    }
    const auto worker = start();
    BOOST_TEST(on.counts().failed == 1U);
    BOOST_TEST(on.run(on.client.run(job, 5)) == 2);
    const auto record = on.run(poisoned.record());
    BOOST_TEST(record.crashes == 2U);
    BOOST_TEST(told[died] == 2U);
    BOOST_TEST(record.error.find("crashed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(scripts_may_be_flushed_at_any_time) {
    test::child worker([&] { work(url, [](auto& it) { it.on(job, at_once); }); });
    observer on(url);
    constexpr std::size_t rounds = 30;
    for (std::size_t round = 0; round < rounds; ++round) {
        server.command({"SCRIPT", "FLUSH"});
        const auto jobs = on.run(on.client.submit_all(job, std::views::iota(0, 50)));
        for (const auto& one_of_them : jobs) BOOST_TEST(on.run(one_of_them.result()) == 2);
    }
    BOOST_TEST(on.counts().succeeded == 50 * rounds);
    BOOST_TEST(on.counts().failed == 0U);
    const auto refusals = server.command({"INFO", "errorstats"}).text;
    const std::string before = "errorstat_NOSCRIPT:count=";
    const auto at = refusals.find(before);
    BOOST_REQUIRE(at != std::string::npos);
    BOOST_TEST(std::stoul(refusals.substr(at + before.size())) >= rounds);  // each time a script was missing
}

BOOST_AUTO_TEST_SUITE_END()
