#include "fixture.hpp"

#include <taskflux/flow/worker.hpp>

using namespace test::flow;

namespace flow_worker_cancelling {

struct cancelling_fixture : fixture {
    gate closed{here};
    worker w{broker, options().lease(30s)};

    std::shared_ptr<coroutine_end<void>> begin() {
        w.on(twice, [this](int x) -> asio::awaitable<int> {
            co_await closed.pass();
            co_return 2 * x;
        });
        return start(w.run());
    }
};

}  // namespace flow_worker_cancelling

BOOST_FIXTURE_TEST_SUITE(flow_worker_cancelling, cancelling_fixture)

BOOST_AUTO_TEST_CASE(a_running_handler_is_cancelled_without_waiting_for_time) {
    const auto life = begin();
    const auto submitted = now(client.submit(twice, 1));
    settle();
    BOOST_TEST(closed.waiting == 1);
    BOOST_TEST(now(submitted.cancel()) == effect::requested);
    settle();
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(now(submitted.status()) == task_state::cancelled);
    BOOST_TEST(start(submitted.result())->code() == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(only_the_named_task_is_cancelled) {
    const auto life = begin();
    const auto first = now(client.submit(twice, 1));
    const auto second = now(client.submit(twice, 2));
    settle();
    now(first.cancel());
    settle();
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(now(second.status()) == task_state::running);
    closed.open();
    settle();
    BOOST_TEST(now(second.result()) == 4);
}

BOOST_AUTO_TEST_CASE(a_prefetched_task_is_cancelled_before_it_starts) {
    worker narrow{broker, options().name("narrow").concurrency(1).prefetch(1)};
    int begun = 0;
    narrow.on(note, [&](int) {
        ++begun;
        return closed.pass();
    });
    const auto life = start(narrow.run());
    now(client.submit(note, 1));
    const auto second = now(client.submit(note, 2));
    settle();
    BOOST_TEST(now(second.cancel()) == effect::requested);
    settle();
    BOOST_TEST(now(second.status()) == task_state::cancelled);
    BOOST_TEST(begun == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_that_ends_well_although_cancelled_leaves_a_cancelled_task) {
    const auto life = begin();
    worker stubborn{broker, options().name("stubborn").queues({"other"})};
    stubborn.on(answer, [&]() -> asio::awaitable<int> {
        co_await closed.pass_stubbornly();
        co_return 42;
    });
    const auto other = start(stubborn.run());
    const auto submitted = now(client.submit(answer, submit_options().queue("other")));
    settle();
    now(submitted.cancel());
    settle();
    BOOST_TEST(now(submitted.status()) == task_state::running);
    BOOST_TEST(now(submitted.record()).cancel_requested);
    closed.open();
    settle();
    BOOST_TEST(now(submitted.status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(a_plain_function_asks_whether_it_is_cancelled) {
    const watchdog dog;
    std::atomic<bool> has_begun = false;
    worker cpu{broker, worker_options().renewal_thread(false).cpu_threads(1).name("cpu")};
    cpu.on(note, [&](context& ctx, int) {
        has_begun = true;
        while (!ctx.cancelled()) std::this_thread::yield();
        throw std::runtime_error("given up");
    });
    const auto life = start(cpu.run());
    const auto submitted = now(client.submit(note, 1));
    while (!has_begun) settle();
    now(submitted.cancel());
    const auto result = start(submitted.result());
    while (!result->done) io.run_one();
    BOOST_TEST(result->code() == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(a_plain_function_that_is_cancelled_while_it_waits_for_a_thread_is_not_called) {
    asio::io_context threads;
    int begun = 0;
    worker cpu{broker, options().cpu(threads.get_executor())};
    cpu.on(note, [&](int) { ++begun; });
    const auto life = start(cpu.run());
    const auto submitted = now(client.submit(note, 1));
    settle();
    BOOST_TEST(now(submitted.cancel()) == effect::requested);
    settle();
    threads.run();
    settle();
    BOOST_TEST(begun == 0);
    BOOST_TEST(now(submitted.status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(a_lease_is_renewed_as_long_as_the_worker_lives) {
    const auto life = begin();
    const auto submitted = now(client.submit(twice, 1));
    pass(10min, 5s);
    BOOST_TEST(now(submitted.record()).crashes == 0U);
    closed.open();
    settle();
    BOOST_TEST(now(submitted.result()) == 2);
}

BOOST_AUTO_TEST_CASE(the_handlers_of_a_lost_lease_are_cancelled_and_the_worker_goes_on) {
    const auto life = begin();
    const auto submitted = now(client.submit(twice, 1));
    settle();
    BOOST_TEST(closed.waiting == 1);
    advance(31s);  // as if the machine had slept
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(!life->done);
    auto record = now(submitted.record());
    BOOST_TEST(record.crashes == 1U);
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.state == task_state::running);
    BOOST_TEST((record.consumer.starts_with("node:") && record.consumer.ends_with(".2")));
    closed.open();
    settle();
    BOOST_TEST(now(submitted.result()) == 2);
    BOOST_TEST(now(submitted.outcome())->attempts == 1U);
    BOOST_TEST(now(client.run(twice, 3)) == 6);
}

BOOST_AUTO_TEST_CASE(a_worker_that_lost_its_lease_in_one_queue_leaves_the_others_under_the_name_it_had_there) {
    int runs = 0;
    worker both{broker, options().name("both").lease(10min).queues({"kept", "lost"})};
    both.on(twice, [&](int value) -> asio::awaitable<int> {
        ++runs;
        if (runs == 1) co_await closed.pass();
        co_return 2 * value;
    });
    const auto life = start(both.run());
    const auto submitted = now(client.submit(twice, submit_options().queue("kept"), 4));
    settle();
    BOOST_TEST(closed.waiting == 1);
    const auto first = now(submitted.record()).consumer;
    now(broker->leave(first, {"lost"}));  // as a broker does when it has not heard of it
    pass(10s, 1s);
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(now(submitted.result()) == 8);  // long before the first name's lease there has run out
    const auto record = now(submitted.record());
    BOOST_TEST(record.crashes == 0U);
    BOOST_TEST(record.consumer != first);
    BOOST_TEST(runs == 2);
    BOOST_TEST(now(broker->counts("kept")).consumers == 1U);
    BOOST_TEST(now(broker->counts("lost")).consumers == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_handler_achieves_under_a_former_name_is_reported_before_that_leaves) {
    worker both{broker, options().name("both").lease(10min).queues({"kept", "lost"})};
    int runs = 0;
    both.on(answer, [&]() -> asio::awaitable<int> {
        ++runs;
        co_await closed.pass_stubbornly();
        co_return 42;
    });
    const auto life = start(both.run());
    const auto submitted = now(client.submit(answer, submit_options().queue("kept")));
    settle();
    now(broker->leave(now(submitted.record()).consumer, {"lost"}));
    pass(10s, 1s);
    BOOST_TEST(now(broker->counts("kept")).consumers == 2U);  // the former name holds the task
    closed.open();
    settle();
    BOOST_TEST(now(broker->counts("kept")).consumers == 1U);
    BOOST_TEST(runs == 1);
    BOOST_TEST(now(submitted.result()) == 42);
}

BOOST_AUTO_TEST_CASE(a_worker_that_stops_leaves_under_its_former_names_too) {
    worker both{broker, options().name("both").lease(10min).queues({"kept", "lost"}).drain_for(1s).unwind_for(1s)};
    both.on(answer, [&]() -> asio::awaitable<int> {
        co_await closed.pass_stubbornly();
        co_return 42;
    });
    const auto life = start(both.run());
    const auto submitted = now(client.submit(answer, submit_options().queue("kept")));
    settle();
    now(broker->leave(now(submitted.record()).consumer, {"lost"}));
    pass(10s, 1s);
    both.stop();
    pass(3s, 1s);
    BOOST_TEST(life->done);
    BOOST_TEST(now(broker->counts("kept")).consumers == 0U);
    BOOST_TEST((now(submitted.status()) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE(a_worker_without_room_that_has_lost_its_lease_joins_again) {
    worker full{broker, options().name("full").queues({"full"}).lease(30s).concurrency(1)};
    worker paused{broker, options().name("paused").queues({"paused"}).lease(30s)};
    full.on(answer, [&]() -> asio::awaitable<int> {
        co_await closed.pass_stubbornly();
        co_return 42;
    });
    paused.on(answer, [] { return 42; });
    const auto fulls = start(full.run()), pauseds = start(paused.run());
    now(client.submit(answer, submit_options().queue("full")));
    settle();
    paused.pause();
    advance(31s);  // as if the machine had slept
    pass(40s, 1s);
    BOOST_TEST(closed.waiting == 1);
    BOOST_TEST(counts("full").consumers == 1U);
    BOOST_TEST(counts("paused").consumers == 1U);
    const auto left = now(client.submit(answer, submit_options().queue("paused")));
    BOOST_TEST((now(left.status()) == task_state::waiting));
    paused.resume();
    settle();
    BOOST_TEST(now(left.result()) == 42);
    closed.open();
    settle();
}

BOOST_AUTO_TEST_CASE(a_task_that_runs_under_a_new_name_is_cancelled_without_waiting_for_time) {
    const auto life = begin();
    const auto first = now(client.submit(twice, 1));
    settle();
    now(broker->leave(now(first.record()).consumer, {"default"}));
    pass(6s, 1s);
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(closed.waiting == 1);  // it runs again
    BOOST_TEST(now(first.cancel()) == effect::requested);
    settle();
    BOOST_TEST(closed.cancelled == 2);
    BOOST_TEST(now(first.status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(the_result_of_a_lost_attempt_is_refused) {
    int calls = 0;
    worker stubborn{broker, options().name("stubborn").lease(30s).concurrency(2)};
    stubborn.on(answer, [&]() -> asio::awaitable<int> {
        const int call = ++calls;
        if (call == 1) {
            co_await closed.pass_stubbornly();
            co_return 1;
        }
        gate never{here};
        co_await never.pass_stubbornly();
        co_return 2;
    });
    const auto life = start(stubborn.run());
    const auto submitted = now(client.submit(answer));
    settle();
    advance(31s);
    BOOST_TEST(calls == 2);
    closed.open();
    settle();
    BOOST_TEST(now(submitted.status()) == task_state::running);
    BOOST_TEST(now(submitted.record()).deliveries == 2U);
}

BOOST_AUTO_TEST_CASE(a_task_that_kills_its_workers_becomes_a_dead_letter) {
    static constexpr taskflux::task<int(int)> deadly{"twice", task_options().crash_limit(2)};
    const auto life = begin();
    const auto submitted = now(client.submit(deadly, 1));
    settle();
    advance(31s);
    advance(31s);
    const auto failed = start(submitted.result())->failed();
    BOOST_TEST(failed.code() == errc::crashed);
    BOOST_TEST(failed.attempts() == 0U);
}

BOOST_AUTO_TEST_CASE(one_handler_after_the_other_is_cancelled_without_waiting_for_time) {
    const auto life = begin();
    for (int i = 1; i <= 3; ++i) {
        const auto submitted = now(client.submit(twice, i));
        settle();
        now(submitted.cancel());
        settle();
        BOOST_TEST(closed.cancelled == i);
    }
}

BOOST_AUTO_TEST_SUITE_END()
