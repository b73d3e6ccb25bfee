#include <taskflux/exec/executor.hpp>

#include "fixture.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace exec_executor {

using namespace test;
using taskflux::executor;

asio::awaitable<int> twice(int value) {
    co_return 2 * value;
}
asio::awaitable<void> nothing() {
    co_return;
}
asio::awaitable<void> wait(gate& at) {
    co_await at.pass();
}

asio::awaitable<void> fail(const char* why) {
    throw std::runtime_error(why);
    co_return;
}

struct no_default {
    explicit no_default(int v) : value(v) {}
    int value;
};

bool says(const std::exception_ptr& error, const std::string& what) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what() == what;
    }
}

}  // namespace exec_executor

BOOST_FIXTURE_TEST_SUITE(exec_executor, fixture)

BOOST_AUTO_TEST_CASE(a_coroutine_s_result_reaches_the_awaiter) {
    executor pool(io.get_executor(), options());
    const auto end =
        start([](executor& p) -> asio::awaitable<int> { co_return co_await p.submit(twice, 21); }(pool));
    BOOST_TEST(end->value.value() == 42);
    BOOST_TEST(pool.counts().succeeded == 1u);
}

BOOST_AUTO_TEST_CASE(a_plain_function_s_result_reaches_the_awaiter) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<std::string> {
        co_return co_await p.submit([](const std::string& a, int b) { return a + std::to_string(b); }, "n",
                                    7);
    }(pool));
    BOOST_TEST(end->value.value() == "n7");
}

BOOST_AUTO_TEST_CASE(a_result_needs_no_default_constructor) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<int> {
        const no_default made = co_await p.submit([](int v) { return no_default(v); }, 5);
        co_return made.value;
    }(pool));
    BOOST_TEST(end->value.value() == 5);
}

BOOST_AUTO_TEST_CASE(what_a_job_throws_reaches_the_awaiter) {
    executor pool(io.get_executor(), options());
    const auto of_coroutine =
        start([](executor& p) -> asio::awaitable<void> { co_await p.submit(fail, "one"); }(pool));
    const auto of_function = start([](executor& p) -> asio::awaitable<int> {
        co_return co_await p.submit([]() -> int { throw std::runtime_error("two"); });
    }(pool));
    BOOST_TEST(says(of_coroutine->error, "one"));
    BOOST_TEST(says(of_function->error, "two"));
    BOOST_TEST(pool.counts().failed == 2u);
}

BOOST_AUTO_TEST_CASE(move_only_arguments_and_results_are_moved_through) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<int> {
        auto in = std::make_unique<int>(3);
        auto out = co_await p.submit([](std::unique_ptr<int> v) { return v; }, std::move(in));
        co_return *out;
    }(pool));
    BOOST_TEST(end->value.value() == 3);
}

BOOST_AUTO_TEST_CASE(arguments_live_as_long_as_the_coroutine_that_refers_to_them) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    const auto length = [](const std::string& text, gate& at) -> asio::awaitable<std::size_t> {
        co_await at.pass();
        co_return text.size();
    };
    auto job = pool.spawn(length, std::string(100, 'x'), std::ref(door));
    settle();
    door.open();
    const auto end = start(job.result());
    BOOST_TEST(end->value.value() == 100u);
}

BOOST_AUTO_TEST_CASE(no_more_jobs_run_at_a_time_than_the_concurrency_allows) {
    executor pool(io.get_executor(), options().concurrency(3));
    gate door(io.get_executor());
    for (int i = 0; i < 10; ++i) pool.spawn(wait, std::ref(door));
    settle();
    BOOST_TEST(door.waiting == 3);
    BOOST_TEST((pool.counts() == taskflux::executor_counts{7, 3, 0, 0, 0, 0, 0}));
    door.open();
    settle();
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 10, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(with_one_slot_jobs_run_in_the_order_of_submission) {
    executor pool(io.get_executor(), options().concurrency(1));
    std::vector<int> order;
    for (int i = 0; i < 200; ++i) pool.spawn([&order](int n) { order.push_back(n); }, i);
    settle();
    BOOST_TEST(order.size() == 200u);
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(jobs_behind_one_that_suspends_are_run_by_other_slots) {
    executor pool(io.get_executor(), options().concurrency(2));
    gate door(io.get_executor());
    pool.spawn(wait, std::ref(door));
    int ran = 0;
    for (int i = 0; i < 100; ++i) pool.spawn([&ran] { ++ran; });
    settle();
    BOOST_TEST(ran == 100);
    BOOST_TEST(pool.counts().running == 1u);
}

BOOST_AUTO_TEST_CASE(other_handlers_get_a_turn_between_many_jobs) {
    executor pool(io.get_executor(), options().concurrency(1));
    int ran = 0, seen = -1;
    for (int i = 0; i < 1000; ++i) pool.spawn([&ran] { ++ran; });
    asio::post(io, [&] { seen = ran; });
    settle();
    BOOST_TEST(ran == 1000);
    BOOST_TEST(seen < 1000);
}

BOOST_AUTO_TEST_CASE(an_idle_executor_does_not_keep_its_context_running) {
    executor pool(io.get_executor(), options());
    pool.spawn(nothing);
    io.run();  // returns
    BOOST_TEST(pool.counts().succeeded == 1u);
    pool.spawn(nothing);
    io.restart();
    io.run();
    BOOST_TEST(pool.counts().succeeded == 2u);
}

BOOST_AUTO_TEST_CASE(a_slot_that_is_given_up_after_its_job_had_waited_does_not_keep_its_context_running) {
    executor pool(io.get_executor(), options().concurrency(2));
    gate first(io.get_executor()), second(io.get_executor());
    for (int i = 0; i < 2; ++i) pool.spawn(wait, std::ref(first));
    settle();
    BOOST_TEST(pool.counts().running == 2u);
    pool.concurrency(1);
    first.open();
    settle();
    BOOST_TEST(pool.counts().succeeded == 2u);
    io.restart();
    io.poll();
    BOOST_TEST(io.stopped());
    pool.concurrency(2);  // and it can be had again
    for (int i = 0; i < 2; ++i) pool.spawn(wait, std::ref(second));
    settle();
    BOOST_TEST(pool.counts().running == 2u);
    second.open();
    settle();
    BOOST_TEST(pool.counts().succeeded == 4u);
}

BOOST_AUTO_TEST_CASE(a_job_counts_as_queued_until_it_begins_though_a_slot_has_taken_it) {
    executor pool(io.get_executor(), options().concurrency(1));
    std::vector<std::size_t> queued, running;
    for (int i = 0; i < 5; ++i) {
        pool.spawn([](executor& of, std::vector<std::size_t>& q, std::vector<std::size_t>& r) -> asio::awaitable<void> {
            q.push_back(of.counts().queued);
            r.push_back(of.counts().running);
            co_return;
        }, std::ref(pool), std::ref(queued), std::ref(running));
    }
    settle();
    BOOST_TEST(queued == (std::vector<std::size_t>{4, 3, 2, 1, 0}), boost::test_tools::per_element());
    BOOST_TEST(running == (std::vector<std::size_t>{1, 1, 1, 1, 1}), boost::test_tools::per_element());
    BOOST_TEST(pool.counts().queued == 0u);
    BOOST_TEST(pool.counts().running == 0u);
    BOOST_TEST(pool.counts().succeeded == 5u);
}

BOOST_AUTO_TEST_CASE(a_batch_returns_its_results_in_the_order_of_its_arguments) {
    executor pool(io.get_executor(), options().concurrency(3));
    const auto end = start([](executor& p) -> asio::awaitable<std::vector<int>> {
        std::vector<int> numbers{3, 1, 2, 5};
        co_return co_await p.submit_all(twice, numbers);
    }(pool));
    BOOST_TEST((end->value.value() == std::vector{6, 2, 4, 10}));
}

BOOST_AUTO_TEST_CASE(a_batch_throws_its_first_error_after_all_have_ended) {
    executor pool(io.get_executor(), options());
    for (const auto& numbers : {std::vector{0, 1, 2, 3}, std::vector{1, 0, 3, 2}}) {
        int ran = 0;
        const auto end = start([](executor& p, std::vector<int> all, int& count) -> asio::awaitable<void> {
            const auto job = [&count](int n) {
                ++count;
                if (n % 2 == 1) throw std::runtime_error("no " + std::to_string(n));
            };
            co_await p.submit_all(job, all);
        }(pool, numbers, ran));
        BOOST_TEST(says(end->error, "no 1"));
        BOOST_TEST(ran == 4);
    }
}

BOOST_AUTO_TEST_CASE(a_batch_can_return_each_outcome) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<std::vector<taskflux::outcome<int>>> {
        std::vector<int> numbers{1, 2};
        co_return co_await p.try_submit_all(
            [](int n) { return n == 2 ? throw std::runtime_error("two") : n; }, numbers);
    }(pool));
    const auto& outcomes = end->value.value();
    BOOST_TEST(outcomes.at(0).value() == 1);
    BOOST_TEST(says(outcomes.at(1).error(), "two"));
}

BOOST_AUTO_TEST_CASE(an_empty_batch_ends_at_once) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<std::vector<int>> {
        co_return co_await p.submit_all(twice, std::vector<int>());
    }(pool));
    BOOST_TEST(end->value.value().empty());
}

BOOST_AUTO_TEST_CASE(a_handle_gives_the_result_whether_the_job_ends_before_or_after) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    auto early = pool.spawn(twice, 1);
    auto late = pool.spawn(wait, std::ref(door));
    settle();
    BOOST_TEST(early.done());
    BOOST_TEST(!late.done());
    BOOST_TEST(start(early.result())->value.value() == 2);
    const auto end = start(late.result());
    BOOST_TEST(!end->done);
    door.open();
    settle();
    BOOST_TEST(end->value.has_value());
}

BOOST_AUTO_TEST_CASE(an_error_of_a_dropped_handle_goes_to_on_error) {
    std::vector<std::string> seen;
    executor pool(io.get_executor(), options().on_error([&](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            seen.push_back(e.what());
        }
    }));
    pool.spawn(fail, "dropped before its end");
    settle();
    {
        auto handle = pool.spawn(fail, "dropped after its end");
        settle();
    }
    {
        auto handle = pool.spawn(fail, "awaited");
        BOOST_TEST(says(start(handle.result())->error, "awaited"));
    }
    BOOST_TEST((seen == std::vector<std::string>{"dropped before its end", "dropped after its end"}));
}

BOOST_AUTO_TEST_CASE(a_second_awaiter_of_one_handle_is_refused) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    auto job = pool.spawn(wait, std::ref(door));
    const auto first = start(job.result());
    const auto second = start(job.result());
    BOOST_TEST(second->failed_with(errc::wrong_state));
    door.open();
    settle();
    BOOST_TEST(first->value.has_value());
}

BOOST_AUTO_TEST_CASE(drain_returns_when_the_last_job_has_ended) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    pool.spawn(wait, std::ref(door));
    const auto wait_for = [](executor& p) -> asio::awaitable<void> { co_await p.drain(); };
    const auto end = start(wait_for(pool));
    BOOST_TEST(!end->done);
    door.open();
    settle();
    BOOST_TEST(end->value.has_value());
    BOOST_TEST(start(wait_for(pool))->value.has_value());
}

BOOST_AUTO_TEST_CASE(the_queue_s_limit_refuses_what_is_over_it) {
    executor pool(io.get_executor(), options().concurrency(1).queue_limit(2));
    gate door(io.get_executor());
    pool.spawn(wait, std::ref(door));
    settle();
    pool.spawn(nothing);
    pool.spawn(nothing);
    auto refused = pool.spawn(run_options().deadline(1h), nothing);
    BOOST_TEST(start(refused.result())->failed_with(errc::queue_full));
    BOOST_TEST((time.next() == taskflux::never));  // its deadline is nobody's any more
    BOOST_TEST(pool.counts().queued == 2u);
}

BOOST_AUTO_TEST_CASE(the_concurrency_can_be_changed_at_work) {
    executor pool(io.get_executor(), options().concurrency(1));
    std::vector<std::unique_ptr<gate>> doors;
    for (int i = 0; i < 6; ++i) {
        doors.push_back(std::make_unique<gate>(io.get_executor()));
        pool.spawn(wait, std::ref(*doors.back()));
    }
    const auto let = [&](std::size_t i) {
        doors.at(i)->open();
        settle();
    };
    settle();
    BOOST_TEST(pool.counts().running == 1u);
    pool.concurrency(3);
    settle();
    BOOST_TEST(pool.counts().running == 3u);
    pool.concurrency(1);
    let(0);
    let(1);
    BOOST_TEST(pool.counts().running == 1u);
    BOOST_TEST(pool.counts().queued == 3u);
    pool.concurrency(0);
    let(2);
    BOOST_TEST(pool.counts().running == 0u);
    BOOST_TEST(pool.counts().queued == 3u);
    const auto drained = start([](executor& p) -> asio::awaitable<void> { co_await p.drain(); }(pool));
    BOOST_TEST(!drained->done);  // what is queued is still to run
    pool.concurrency(8);
    settle();
    BOOST_TEST(pool.counts().running == 3u);
    BOOST_TEST(!drained->done);
    pool.cancel_all();
    settle();
    BOOST_TEST(drained->done);
}

BOOST_AUTO_TEST_CASE(an_executor_begins_with_a_slot) {
    BOOST_CHECK_EXCEPTION(executor_options().concurrency(0), taskflux::error,
                          [](const auto& e) { return e.code() == errc::invalid_argument; });
    BOOST_TEST(executor_options().concurrency(1).concurrency() == 1u);
}

BOOST_AUTO_TEST_CASE(plain_functions_run_on_the_cpu_executor_and_coroutines_do_not) {
    asio::io_context cpu;
    executor pool(io.get_executor(), options().cpu(cpu.get_executor()));
    auto plain = pool.spawn([] { return 1; });
    auto coroutine = pool.spawn(twice, 1);
    settle();
    BOOST_TEST(!plain.done());
    BOOST_TEST(coroutine.done());
    cpu.poll();
    settle();
    BOOST_TEST(start(plain.result())->value.value() == 1);
    auto failing = pool.spawn([] { throw std::runtime_error("on cpu"); });
    settle();
    cpu.restart();
    cpu.poll();
    BOOST_TEST(says(start(failing.result())->error, "on cpu"));
}

BOOST_AUTO_TEST_CASE(results_are_delivered_on_the_awaiter_s_executor) {
    asio::io_context elsewhere;
    executor pool(io.get_executor(), options());
    const auto end = test::start_on(elsewhere.get_executor(), [](executor& p) -> asio::awaitable<int> {
        co_return co_await p.submit(twice, 4);
    }(pool));
    elsewhere.poll();
    settle();
    BOOST_TEST(pool.counts().succeeded == 1u);
    BOOST_TEST(!end->done);
    elsewhere.run();
    BOOST_TEST(end->value.value() == 8);
}

BOOST_AUTO_TEST_CASE(an_executor_can_be_moved) {
    executor first(io.get_executor(), options());
    executor second(std::move(first));
    executor third(io.get_executor(), options());
    third = std::move(second);
    auto job = third.spawn(twice, 2);
    BOOST_TEST(start(job.result())->value.value() == 4);
}

BOOST_AUTO_TEST_CASE(a_handler_s_own_context_is_kept_running_until_it_was_called_and_the_executor_s_is_not_kept_longer) {
    asio::io_context elsewhere;
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    bool is_over = false;
    pool.submit(wait, std::ref(door))(asio::bind_executor(elsewhere.get_executor(), [&](std::exception_ptr) { is_over = true; }));
    settle();
    elsewhere.poll();
    BOOST_TEST(!elsewhere.stopped());
    door.open();
    settle();
    BOOST_TEST(!is_over);
    elsewhere.run();  // returns
    BOOST_TEST(is_over);
}

BOOST_AUTO_TEST_CASE(a_batch_of_functions_without_results_ends_with_the_last) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    int ran = 0;
    const auto end = start([](executor& p, gate& at, int& count) -> asio::awaitable<void> {
        const auto job = [&at, &count](int) -> asio::awaitable<void> {
            ++count;
            co_await at.pass();
        };
        std::vector<int> numbers{1, 2, 3};
        co_await p.submit_all(job, numbers);
    }(pool, door, ran));
    BOOST_TEST(ran == 3);
    BOOST_TEST(!end->done);
    door.open();
    settle();
    BOOST_TEST(end->value.has_value());
}

BOOST_AUTO_TEST_CASE(outcomes_of_functions_without_results_are_there_or_their_errors) {
    executor pool(io.get_executor(), options());
    const auto end = start([](executor& p) -> asio::awaitable<std::vector<taskflux::outcome<void>>> {
        std::vector<int> numbers{1, 2};
        const auto job = [](int n) {
            if (n == 1) throw std::runtime_error("one");
        };
        co_return co_await p.try_submit_all(job, numbers);
    }(pool));
    const auto& outcomes = end->value.value();
    BOOST_TEST(outcomes.size() == 2u);
    BOOST_TEST(says(outcomes.at(0).error(), "one"));
    BOOST_TEST(outcomes.at(1).has_value());
}

BOOST_AUTO_TEST_CASE(a_batch_over_the_queue_s_limit_is_refused_as_a_whole) {
    executor pool(io.get_executor(), options().concurrency(1).queue_limit(3));
    gate door(io.get_executor());
    pool.spawn(wait, std::ref(door));
    settle();
    const auto run = [&](std::size_t count) {
        return start([](executor& p, std::size_t n) -> asio::awaitable<std::vector<int>> {
            std::vector<int> numbers(n, 1);
            co_return co_await p.submit_all(twice, numbers);
        }(pool, count));
    };
    BOOST_TEST(run(4)->failed_with(errc::queue_full));
    BOOST_TEST(pool.counts().queued == 0u);
    const auto fits = run(3);
    BOOST_TEST(!fits->done);
    BOOST_TEST(pool.counts().queued == 3u);
    BOOST_TEST(run(1)->failed_with(errc::queue_full));
    door.open();
    settle();
    BOOST_TEST(fits->value.has_value());
}

BOOST_AUTO_TEST_CASE(assigning_another_executor_cancels_the_jobs_of_the_first) {
    executor first(io.get_executor(), options()), second(io.get_executor(), options());
    gate door(io.get_executor());
    auto job = first.spawn(wait, std::ref(door));
    settle();
    first = std::move(second);
    settle();
    BOOST_TEST(start(job.result())->failed_with(errc::cancelled));
    BOOST_TEST(start(first.spawn(twice, 2).result())->value.value() == 4);
}

BOOST_AUTO_TEST_CASE(an_executor_has_16_slots_a_queue_without_end_and_no_limits_by_default) {
    const executor_options usual;
    BOOST_TEST(usual.concurrency() == 16u);
    BOOST_TEST(usual.queue_limit() == 0u);
    BOOST_TEST(!usual.defaults().retry());
    BOOST_TEST(!usual.defaults().timeout());
    BOOST_TEST(!usual.defaults().deadline());
    BOOST_TEST(!usual.seed());
    BOOST_TEST((executor_options().seed(7).seed() == 7u));
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_before_a_slot_was_woken_leaves_nothing_behind) {
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> kept = token;
    {
        asio::io_context own;
        executor pool(own.get_executor(), options().on_error([token](std::exception_ptr) {}));
        pool.spawn(nothing);
        own.poll();  // its slot is parked
        pool.spawn(nothing);
        token.reset();
    }
    BOOST_TEST(kept.expired());
}

// A slot that goes on with what its last job's awaiter has submitted does so for 32 jobs at most.
BOOST_AUTO_TEST_CASE(jobs_that_follow_each_other_without_end_let_others_use_the_thread) {
    executor pool(io.get_executor());
    constexpr int all = 1000;
    int calls = 0, turns_of_others = 0;
    const auto submit_each_after_the_other = [](executor& to, int& count) -> asio::awaitable<void> {
        const auto job = [&count] { ++count; };
        while (count < all) co_await to.submit(job);
    };
    const auto end = start_on(io.get_executor(), submit_each_after_the_other(pool, calls));
    while (!end->done) {
        if (io.stopped()) io.restart();
        const int before = calls;
        BOOST_REQUIRE(io.run_one() == 1U);
        BOOST_TEST(calls - before <= 33);
        ++turns_of_others;
    }
    BOOST_TEST(calls == all);
    BOOST_TEST(turns_of_others >= all / 33);
}

BOOST_AUTO_TEST_SUITE_END()
