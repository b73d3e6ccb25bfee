#include "fixture.hpp"
#include "ledger.hpp"

#include <taskflux/admin/inspector.hpp>
#include <taskflux/flow/client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <random>
#include <ranges>
#include <thread>
#include <vector>

#include <unistd.h>

namespace test::faults {

namespace faults_families {

constexpr int children = 10'000;

inline constexpr taskflux::task<void(int)> leaf{"leaf", taskflux::task_options().queue("leaves").crash_limit(0)};
inline constexpr taskflux::task<int(int)> root{"root", taskflux::task_options().queue("roots").crash_limit(0)};
inline constexpr taskflux::task<int(int)> item{"item", taskflux::task_options().queue("roots").crash_limit(0)};

/// What a parent of the storm has to make of a number: of a call, a step, six mapped items, and itself.
constexpr int made_of(int number) { return number + 1 + 15 + number; }

/// Kills and replaces one at random again and again, until `over` says so, and says how often: whenever so much has been done
/// since the last time, and when some time has passed. That time, which is the fault's own, grows while nothing gets done in it:
/// so a slow machine comes to an end as well, and a quick one not before it was hit.
template <class Start, class Progress, class Over>
std::size_t kill_again_and_again(std::vector<std::unique_ptr<child>>& workers, Start start, Progress progress, std::size_t so_much,
                                 Over over) {
    using steady = std::chrono::steady_clock;
    std::mt19937 random(7);
    constexpr steady::duration shortest = 300ms;
    auto between = shortest;
    std::size_t kills = 0;
    for (; !over(); ++kills) {
        BOOST_REQUIRE(bool(between < hang_limit));
        const auto before = progress();
        const auto limit = steady::now() + between;
        while (progress() < before + so_much && steady::now() < limit) std::this_thread::sleep_for(1ms);
        between = progress() == before ? 2 * between : shortest;
        auto& victim = workers[random() % workers.size()];
        victim->kill();
        victim = start();
    }
    return kills;
}

}  // namespace faults_families

BOOST_AUTO_TEST_SUITE(faults_families)

// Fault 9: the parent is in another slot than its children.
BOOST_AUTO_TEST_CASE(a_parent_of_ten_thousand_ends_once_though_all_workers_are_killed_again_and_again) {
    test::redis_server server(redis_server_options().cluster());
    ledger effects(children + 1);
    const auto start = [&] {
        return std::make_unique<child>([&, url = server.url()] {
            work(url, [&](taskflux::worker& worker) {
                worker.on(leaf, [&](int which) -> asio::awaitable<void> {
                    ++effects[static_cast<std::size_t>(which)];
                    co_return;
                });
                worker.on(root, [&](context& ctx, int count) -> asio::awaitable<int> {
                    co_await ctx.spawn(leaf, std::views::iota(0, count));
                    ++effects[children];
                    co_return count;
                });
            });
        });
    };
    std::vector<std::unique_ptr<child>> workers;
    for (int i = 0; i != 3; ++i) workers.push_back(start());
    observer seen(server.url());
    taskflux::client client(seen.broker);
    const auto job = seen.run(client.submit(root, children));
    const auto is_over = [&] { return taskflux::is_terminal(seen.run(job.status())); };
    const auto kills = kill_again_and_again(workers, start, [&] { return effects.sum(); }, children / 20, is_over);
    BOOST_TEST_MESSAGE(kills << " kills, " << effects.sum() << " runs of " << children << " children and their parent");
    BOOST_TEST(kills >= 5U);
    const auto end = seen.run(job.record());
    BOOST_TEST((end.state == task_state::succeeded));
    BOOST_TEST(end.result == std::to_string(children));
    for (int i = 0; i != children; ++i) {
        if (effects[static_cast<std::size_t>(i)] == 0) BOOST_FAIL("child " << i << " never ran");
    }
    const auto progress = seen.run(taskflux::inspector(seen.broker).progress(job.id()));
    BOOST_TEST(progress.total == std::size_t(children));
    BOOST_TEST(progress.done == std::size_t(children));
    BOOST_TEST(progress.failed == 0U);
}

// The parent's process kills itself at each of the points at which it awaits something, one after the other.
BOOST_AUTO_TEST_CASE(a_parent_that_dies_at_every_await_runs_no_child_and_no_step_again) {
    constexpr int points = 7, mapped = 40;
    test::redis_server server(redis_server_options().frozen_clock());
    ledger effects(200), died(points);
    enum { step = 100, called = 101, spawned_from = 110 };
    const auto start_root = [&] {
        return std::make_unique<child>([&, url = server.url()] {
            work(url, [&](taskflux::worker& worker) {
                worker.on(root, [&](context& ctx, int value) -> asio::awaitable<int> {
                    const auto point = [&](int number) {
                        if (died[static_cast<std::size_t>(number)]++ == 0) _exit(9);
                    };
                    const auto charge = [&] { return static_cast<int>(++effects[step]); };
                    point(0);
                    int sum = co_await ctx.call(item, called);
                    point(1);
                    const auto all = co_await ctx.map(item, std::views::iota(0, mapped), taskflux::window(8));
                    for (const int one : all) sum += one;
                    point(2);
                    sum += co_await ctx.step("charge", charge);
                    point(3);
                    co_await ctx.sleep_for(1100ms);
                    point(4);
                    co_await ctx.wait_signal<int>("go");
                    point(5);
                    co_await ctx.spawn(item, std::views::iota(int(spawned_from), int(spawned_from) + 20));
                    point(6);
                    co_return sum + value;
                });
            });
        });
    };
    child other([&, url = server.url()] {
        work(url, [&](taskflux::worker& worker) {
            worker.on(item, [&](int which) -> asio::awaitable<int> {
                ++effects[static_cast<std::size_t>(which)];
                co_return which;
            });
        });
    });
    auto parent = start_root();
    observer seen(server.url());
    taskflux::client client(seen.broker);
    const auto job = seen.run(client.submit(root, 1000));
    seen.run(client.signal(job.id(), "go", 1));
    for (std::size_t point = 0; point != points; ++point) {
        const auto has_died = [&] {
            seen.counts("roots");  // no timer knows how this clock moves: whoever asks has done what is due
            return died[point] > 0;
        };
        BOOST_REQUIRE(pass_time_until(has_died, server, 2, "roots"));
        parent = start_root();
    }
    BOOST_REQUIRE(pass_time_until([&] { return taskflux::is_terminal(seen.run(job.status())); }, server, 2, "roots"));
    BOOST_TEST(seen.run(job.result()) == 1000 + called + mapped * (mapped - 1) / 2 + 1);
    BOOST_TEST(effects[step] == 1U);
    BOOST_TEST(effects[called] == 1U);
    for (std::size_t i = 0; i != mapped; ++i) BOOST_TEST(effects[i] == 1U);
    for (std::size_t i = spawned_from; i != spawned_from + 20; ++i) BOOST_TEST(effects[i] == 1U);
    const auto record = seen.run(job.record());
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.deliveries > unsigned(points));
    BOOST_TEST(record.crashes <= 1U);  // each crash but the last was followed by progress
}

// What is the broker's trouble is no failure of a task: no retry policy is needed for a server that is away for longer than the
// timeout of a call, stands still, or drops all connections, while workers are killed. The times are the faults' own.
BOOST_AUTO_TEST_CASE(parents_that_could_end_well_end_well_though_the_server_is_away_and_workers_are_killed) {
    const bool is_long = std::getenv("TASKFLUX_LONG") != nullptr;
    const auto away = is_long ? 30s : 1s;
    const unsigned faults = is_long ? 8 : 4, parents = is_long ? 160 : 60;  // so many are submitted before each
    test::redis_server server(redis_server_options().append_only());
    ledger begun(1);
    const auto start = [&](const char* options = "?timeout=200ms", taskflux::duration held_for = lease) {
        return std::make_unique<child>([&, held_for, url = server.url() + options] {
            const auto set_up = [&](taskflux::worker& worker) {
                worker.on(item, [](int which) { return which; });
                worker.on(root, [&](context& ctx, int number) -> asio::awaitable<int> {
                    ++begun[0];
                    int sum = co_await ctx.call(item, number);
                    sum += co_await ctx.step("one", [] { return 1; });
                    co_await ctx.sleep_for(300ms);
                    const auto all = co_await ctx.map(item, std::views::iota(0, 6), taskflux::window(3));
                    for (const int one : all) sum += one;
                    co_await ctx.sleep_for(300ms);
                    sum += co_await ctx.call(item, number);
                    co_return sum;
                });
            };
            work(url, set_up, taskflux::real_clock(), held_for);
        });
    };
    std::vector<std::unique_ptr<child>> workers;
    for (int i = 0; i != 3; ++i) workers.push_back(start());
    observer seen(server.url());
    const taskflux::client client(seen.broker);
    std::vector<taskflux::job<int>> jobs;
    const auto submit = [&] {
        const auto first = int(jobs.size());
        const auto added = seen.run(client.submit_all(root, std::views::iota(first, first + int(parents))));
        jobs.insert(jobs.end(), added.begin(), added.end());
    };
    const auto is_idle = [&] {
        const auto roots = seen.counts("roots");
        return roots.waiting + roots.scheduled + roots.running + roots.waiting_children == 0;
    };
    std::mt19937 random(11);
    for (unsigned fault = 0; fault < faults; ++fault) {
        do {  // no fault meets a system that has nothing to do
            const auto enough = begun[0] + 1 + random() % parents;
            submit();
            BOOST_REQUIRE(test::eventually([&] { return begun[0] >= enough; }));
        } while (is_idle());
        switch (fault % 4) {
            case 0:
                server.suspend();
                std::this_thread::sleep_for(away);
                server.resume();
                break;
            case 1:
                server.command({"CLIENT", "KILL", "TYPE", "normal"});
                server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
                break;
            case 2:
                server.kill();
                std::this_thread::sleep_for(away);
                server.start();
                break;
            default: {
                auto& victim = workers[random() % workers.size()];
                victim->kill();
                victim = start();
            }
        }
    }
    BOOST_TEST_MESSAGE(faults << " faults, " << jobs.size() << " parents, begun " << begun[0] << " times");
    for (auto& worker : workers) {  // how soon a slow machine answers is not the subject
        worker->kill();
        worker = start("?timeout=3600s", 1h);
    }
    const auto has_ended = [&] {
        const auto roots = seen.counts("roots");
        return roots.succeeded + roots.failed;
    };
    for (int number = 0; number != int(jobs.size()); ++number) {
        const auto& job = jobs[std::size_t(number)];
        BOOST_REQUIRE(run_until(seen.io, [&] { return taskflux::is_terminal(seen.run(job.status())); }, has_ended));
        const auto end = seen.run(job.record());
        BOOST_TEST((end.state == task_state::succeeded), "parent " << number << " has failed: " << end.error);
        BOOST_TEST(end.result == std::to_string(made_of(number)));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace test::faults
