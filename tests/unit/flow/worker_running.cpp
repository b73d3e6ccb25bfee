#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/flow/worker.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

using namespace test::flow;

BOOST_FIXTURE_TEST_SUITE(flow_worker_running, fixture)

BOOST_AUTO_TEST_CASE(never_more_run_than_the_concurrency_allows) {
    gate closed{here};
    std::size_t most = 0;
    std::size_t running = 0;
    worker w{broker, options().concurrency(3)};
    w.on(note, [&](int) -> asio::awaitable<void> {
        most = (std::max)(most, ++running);
        co_await closed.pass();
        --running;
    });
    const auto life = start(w.run());
    now(client.submit_all(note, std::vector<int>(10)));
    settle();
    BOOST_TEST(running == 3U);
    BOOST_TEST(counts().running == 3U);
    BOOST_TEST(counts().waiting == 7U);
    closed.open();
    settle();
    BOOST_TEST(most == 3U);
    BOOST_TEST(counts().succeeded == 10U);
    BOOST_TEST(w.counts().succeeded == 10U);
}

BOOST_AUTO_TEST_CASE(prefetched_tasks_wait_in_the_worker) {
    gate closed{here};
    worker w{broker, options().concurrency(2).prefetch(3)};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    now(client.submit_all(note, std::vector<int>(10)));
    settle();
    BOOST_TEST(closed.waiting == 2);
    BOOST_TEST(counts().running == 5U);
    BOOST_TEST(w.counts().queued == 3U);
    closed.open();
    settle();
    BOOST_TEST(counts().succeeded == 10U);
}

BOOST_AUTO_TEST_CASE(however_many_tasks_may_be_prefetched_or_run_all_are_fetched) {
    constexpr auto most = (std::numeric_limits<std::size_t>::max)();
    for (const auto& [slots, ahead] : {std::pair(std::size_t(1), most), std::pair(most, std::size_t(1)), std::pair(most, most)}) {
        gate closed{here};
        worker w{broker, options().concurrency(slots).prefetch(ahead)};
        w.on(note, [&](int) { return closed.pass(); });
        const auto life = start(w.run());
        now(client.submit_all(note, std::vector<int>(10)));
        settle();
        BOOST_TEST(counts().running == 10U);
        closed.open();
        settle();
        BOOST_TEST(counts().running == 0U);
        w.stop();
        settle();
    }
}

BOOST_AUTO_TEST_CASE(a_time_limit_runs_from_when_a_prefetched_task_starts) {
    static constexpr taskflux::task<int(int)> limited{"limited", task_options().timeout(10s)};
    std::vector<taskflux::duration> left;
    gate closed{here};
    worker w{broker, options().concurrency(1).prefetch(1)};
    w.on(note, [&](int) { return closed.pass(); });
    w.on(limited, [&](context& ctx, int x) {
        left.push_back(ctx.remaining());
        BOOST_TEST(!ctx.cancelled());
        return x;
    });
    now(client.submit(note, 1));
    const auto second = now(client.submit(limited, 2));
    const auto life = start(w.run());
    pass(15s, 1s);
    closed.open();
    settle();
    BOOST_TEST(now(second.result()) == 2);
    BOOST_REQUIRE(left.size() == 1U);
    BOOST_TEST((left[0] == 10s));
}

BOOST_AUTO_TEST_CASE(tasks_with_limits_keep_their_place_among_those_without) {
    std::vector<int> seen;
    worker w{broker, options().concurrency(1).prefetch(10)};
    w.on(note, [&](int x) { seen.push_back(x); });
    for (int i = 0; i < 6; ++i) {
        now(client.submit(note, submit_options().timeout(i % 2 == 0 ? 5s : 0s), i));
    }
    const auto life = start(w.run());
    const std::vector<int> expected{0, 1, 2, 3, 4, 5};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(strict_queues_are_served_in_order) {
    std::vector<int> seen;
    worker w{broker, options().queues({"first", "second", "third"}).concurrency(1)};
    w.on(note, [&](int x) { seen.push_back(x); });
    for (const auto& [queue, number] : std::vector<std::pair<std::string, int>>{
             {"third", 5}, {"second", 3}, {"first", 1}, {"second", 4}, {"first", 2}, {"unserved", 6}}) {
        now(client.submit(note, submit_options().queue(queue), number));
    }
    const auto life = start(w.run());
    const std::vector<int> expected{1, 2, 3, 4, 5};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(weighted_queues_share_by_weight_and_none_starves) {
    std::vector<int> seen;
    worker w{broker, options().weighted_queues({{"often", 9}, {"seldom", 1}}).concurrency(1)};
    w.on(note, [&](int x) { seen.push_back(x); });
    now(client.submit_all(note, submit_options().queue("often"), std::vector<int>(500, 1)));
    now(client.submit_all(note, submit_options().queue("seldom"), std::vector<int>(500, 2)));
    const auto life = start(w.run());
    BOOST_REQUIRE(seen.size() == 1000U);
    const auto seldom = std::count(seen.begin(), seen.begin() + 400, 2);
    BOOST_TEST(seldom > 15);
    BOOST_TEST(seldom < 80);
}

BOOST_AUTO_TEST_CASE(the_queues_of_its_contracts_are_served_by_default) {
    static constexpr taskflux::task<int(int)> elsewhere{"elsewhere", task_options().queue("other")};
    worker w{broker, options()};
    w.on(twice, [](int x) { return 2 * x; }).on(elsewhere, [](int x) { return 3 * x; });
    const auto life = start(w.run());
    BOOST_TEST(now(client.run(twice, 1)) == 2);
    BOOST_TEST(now(client.run(elsewhere, 1)) == 3);
}

BOOST_AUTO_TEST_CASE(a_task_without_a_handler_waits_for_a_worker_that_has_one) {
    worker first{broker, options()};
    first.on(twice, [](int x) { return 2 * x; });
    const auto life = start(first.run());
    const auto unknown = now(client.submit(answer));
    const auto known = now(client.submit(twice, 4));
    BOOST_TEST(now(known.result()) == 8);
    BOOST_TEST(now(unknown.status()) == task_state::waiting);
    BOOST_TEST(now(unknown.record()).unclaimed);
    BOOST_TEST(counts().unclaimed == 1U);
    worker second{broker, options().name("other")};
    second.on(answer, [] { return 42; });
    const auto other = start(second.run());
    BOOST_TEST(now(unknown.result()) == 42);
    BOOST_TEST(counts().unclaimed == 0U);
}

BOOST_AUTO_TEST_CASE(several_workers_share_a_queue) {
    std::vector<int> by(3);
    std::vector<std::unique_ptr<worker>> workers;
    for (std::size_t i = 0; i < by.size(); ++i) {
        workers.push_back(std::make_unique<worker>(broker, options().name("w" + std::to_string(i)).concurrency(1)));
        workers.back()->on(note, [&by, i](int) { ++by[i]; });
        start(workers.back()->run());
    }
    now(client.submit_all(note, std::vector<int>(300)));
    settle();
    BOOST_TEST(by[0] + by[1] + by[2] == 300);
    BOOST_TEST(*std::ranges::min_element(by) > 0);
}

BOOST_AUTO_TEST_CASE(a_slot_is_lent_while_its_handler_waits_for_a_subtask_and_taken_back_then) {
    static constexpr taskflux::task<int(int)> parent{"parent"};
    gate ready{here}, closed{here};
    int seen = 0;
    worker w{broker, options().concurrency(1).prefetch(1)};
    w.on(twice, [](int x) { return 2 * x; });
    w.on(note, [&](int) { ++seen; });
    w.on(parent, [&](context& ctx, int x) -> asio::awaitable<int> {
        co_await ready.pass();
        const int got = co_await ctx.call(twice, submit_options().delay(5s), x);
        co_await closed.pass();
        co_return got;
    });
    const auto result = now(client.submit(parent, 4));
    now(client.submit(note, 1));
    const auto life = start(w.run());
    BOOST_TEST(seen == 0);
    ready.open();
    settle();
    BOOST_TEST(seen == 1);  // it was prefetched
    advance(5s);
    BOOST_TEST(closed.waiting == 1);
    now(client.submit_all(note, std::vector<int>(3)));
    settle();
    BOOST_TEST(seen == 1);
    BOOST_TEST(counts().running == 2U);  // the parent, and one that is prefetched
    closed.open();
    settle();
    BOOST_TEST(now(result.result()) == 8);
    BOOST_TEST(seen == 4);
}

BOOST_AUTO_TEST_CASE(a_handler_lends_one_slot_until_the_last_of_several_subtasks_has_ended) {
    static constexpr taskflux::task<int(int)> parent{"parent"};
    gate ready{here}, first{here}, second{here};
    worker w{broker, options().concurrency(1)};
    w.on(twice, [](int x) { return 2 * x; });
    w.on(note, [&](int x) { return x == 0 ? first.pass() : second.pass(); });
    w.on(parent, [&ready](context& ctx, int x) -> asio::awaitable<int> {
        co_await ready.pass();
        const auto soon = submit_options().delay(5s), later = submit_options().delay(10s);
        const auto [a, b] = co_await ctx.all(ctx.call(twice, soon, x), ctx.call(twice, later, x));
        co_return a + b;
    });
    const auto life = start(w.run());
    const auto result = now(client.submit(parent, 4));
    settle();
    now(client.submit_all(note, std::vector<int>(3)));
    settle();
    BOOST_TEST(counts().running == 1U);
    ready.open();
    settle();
    BOOST_TEST(first.waiting == 1);
    BOOST_TEST(counts().running == 2U);
    first.open();
    settle();
    advance(5s);
    now(client.submit(note, 1));
    settle();
    BOOST_TEST(second.waiting == 1);
    second.open();
    settle();
    advance(5s);
    BOOST_TEST(now(result.result()) == 16);
}

BOOST_AUTO_TEST_CASE(a_change_of_concurrency_keeps_the_slots_that_waiting_handlers_lend) {
    static constexpr taskflux::task<int(int)> parent{"parent"};
    worker w{broker, options().concurrency(1)};
    w.on(twice, [](int x) { return 2 * x; });
    w.on(parent, [&w](context& ctx, int x) -> asio::awaitable<int> {
        w.pause();  // so that the subtask comes after the change
        co_return co_await ctx.call(twice, x);
    });
    const auto life = start(w.run());
    const auto result = start(client.run(parent, 4));
    settle();
    BOOST_TEST(!result->done);
    w.set_concurrency(1);
    w.resume();
    settle();
    BOOST_REQUIRE(result->done);
    BOOST_TEST(result->value.value() == 8);
}

BOOST_AUTO_TEST_CASE(a_change_of_concurrency_keeps_what_is_prefetched) {
    gate closed{here};
    worker w{broker, options().concurrency(1).prefetch(3)};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    now(client.submit_all(note, std::vector<int>(10)));
    settle();
    BOOST_TEST(counts().running == 4U);
    w.set_concurrency(2);
    settle();
    BOOST_TEST(closed.waiting == 2);
    BOOST_TEST(counts().running == 5U);
    closed.open();
    settle();
    BOOST_TEST(counts().succeeded == 10U);
}

BOOST_AUTO_TEST_CASE(a_paused_worker_takes_no_task_and_asks_for_none) {
    struct counting_broker : taskflux::memory::memory_broker {
        using memory_broker::memory_broker;
        awaitable<std::vector<taskflux::delivery>> fetch(taskflux::fetch_request request) override {
            ++fetches;
            return memory_broker::fetch(std::move(request));
        }
        int fetches = 0;
    };
    const auto counting = std::make_shared<counting_broker>(here, taskflux::memory_options(), time);
    taskflux::client submitter{counting};
    int seen = 0;
    worker w{counting, options().concurrency(4)};
    w.on(note, [&](int) { ++seen; });
    const auto life = start(w.run());
    w.pause();
    settle();
    now(submitter.submit_all(note, std::vector<int>(3)));  // ends the fetch that waits
    settle();
    BOOST_TEST(seen == 0);
    BOOST_TEST(now(counting->counts("default")).waiting == 3U);
    const int before = counting->fetches;
    for (int i = 0; i < 10; ++i) advance(1s);
    BOOST_TEST(counting->fetches == before);
    w.resume();
    settle();
    BOOST_TEST(seen == 3);
}

BOOST_AUTO_TEST_CASE(a_sleep_of_a_second_leaves_the_slot_to_what_is_prefetched) {
    worker w{broker, options().concurrency(1).prefetch(1)};
    w.on(note, [](context& ctx, int ms) { return ctx.sleep_for(std::chrono::milliseconds(ms)); });
    now(client.submit_all(note, std::vector<int>{1000, 1000}));
    const auto life = start(w.run());
    BOOST_TEST(counts().scheduled == 2U);
    advance(1s);
    BOOST_TEST(counts().succeeded == 2U);
    now(client.submit(note, 999));  // which stays in memory
    settle();
    BOOST_TEST(counts().running == 1U);
    advance(999ms);
    BOOST_TEST(counts().succeeded == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_set_before_it_runs_holds_when_it_runs) {
    gate closed{here};
    worker w{broker, options().concurrency(1).prefetch(1)};
    w.on(note, [&](int) { return closed.pass(); });
    w.pause();
    w.set_concurrency(3);
    const auto life = start(w.run());
    now(client.submit_all(note, std::vector<int>(10)));
    settle();
    BOOST_TEST(counts().running == 0U);
    w.resume();
    settle();
    BOOST_TEST(closed.waiting == 3);
    BOOST_TEST(counts().running == 4U);
    closed.open();
    settle();
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
    const auto is = [](errc code) { return [code](const taskflux::error& e) { return e.code() == code; }; };
    worker w{broker, options()};
    BOOST_CHECK_EXCEPTION(static_cast<void>(w.run()), taskflux::error, is(errc::invalid_argument));
    w.on(twice, [](int x) { return x; });
    BOOST_CHECK_EXCEPTION(w.on(twice, [](int x) { return x; }), taskflux::error, is(errc::invalid_argument));
    const auto life = start(w.run());
    BOOST_CHECK_EXCEPTION(static_cast<void>(w.run()), taskflux::error, is(errc::wrong_state));
    BOOST_CHECK_EXCEPTION(w.on(answer, [] { return 1; }), taskflux::error, is(errc::wrong_state));
    BOOST_CHECK_EXCEPTION(worker_options().concurrency(0), taskflux::error, is(errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(worker_options().lease(99ms), taskflux::error, is(errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(worker_options().queues({"a", "a"}), taskflux::error, is(errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(worker_options().queues({"no queue"}), taskflux::error, is(errc::invalid_argument));
    BOOST_CHECK_EXCEPTION(worker_options().weighted_queues({{"a", 0}}), taskflux::error, is(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_closed_broker_ends_it_with_an_error) {
    gate closed{here};
    worker w{broker, options().unwind_for(1s)};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    now(client.submit(note, 1));
    settle();
    BOOST_TEST(closed.waiting == 1);
    broker->close();
    settle();
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(life->code() == errc::shut_down);
    worker late{broker, options()};
    late.on(note, [](int) {});
    BOOST_TEST(start(late.run())->code() == errc::shut_down);
}

BOOST_AUTO_TEST_CASE(plain_functions_run_on_threads_of_their_own_by_default) {
    const watchdog dog;
    const auto io_thread = std::this_thread::get_id();
    std::thread::id cpu_thread = io_thread;
    worker w{broker, worker_options().renewal_thread(false).cpu_threads(1)};
    w.on(twice, [&](int x) {
        cpu_thread = std::this_thread::get_id();
        return 2 * x;
    });
    const auto life = start(w.run());
    const auto result = start(client.run(twice, 4));
    while (!result->done) io.run_one();
    BOOST_TEST(result->value.value() == 8);
    BOOST_TEST((cpu_thread != io_thread));
}

BOOST_AUTO_TEST_SUITE_END()
