#include <taskflux/exec/executor.hpp>

#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/sleep.hpp>

#include "fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace exec_limits {

using namespace test;
using taskflux::executor;

asio::awaitable<void> wait(gate& at) {
    co_await at.pass();
}

// Fails until it was called `failures` times more.
asio::awaitable<int> flaky(int& calls, int failures) {
    if (++calls <= failures) throw std::runtime_error("flaky");
    co_return calls;
}

// Goes on when it is cancelled.
asio::awaitable<int> stubborn(gate& at) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await at.pass();
    co_return 7;
}

// Goes on when it is cancelled for the first time, and ends at the second.
asio::awaitable<void> sleep_twice(taskflux::clock& clock, int& cancelled) {
    while (cancelled < 2) {
        auto sleeping = taskflux::detail::sleep_for(clock, 1h);
        const auto slept = co_await taskflux::detail::caught(std::move(sleeping));
        if (slept.failure()) ++cancelled;
        co_await asio::this_coro::reset_cancellation_state();
    }
}

asio::awaitable<int> submit_flaky(executor& pool, int& calls, int failures) {
    co_return co_await pool.submit(flaky, std::ref(calls), failures);
}

asio::awaitable<void> submit_wait(executor& pool, gate& at) {
    co_await pool.submit(wait, std::ref(at));
}

asio::awaitable<void> submit_with(executor& pool, run_options with, gate& at) {
    co_await pool.submit(with, wait, std::ref(at));
}

}  // namespace exec_limits

BOOST_FIXTURE_TEST_SUITE(exec_limits, fixture)

BOOST_AUTO_TEST_CASE(a_failed_job_is_repeated_after_the_policy_s_delay) {
    executor pool(io.get_executor(), options().retry(retry_policy::exponential(100ms).attempts(3)));
    int calls = 0;
    const auto end = start(submit_flaky(pool, calls, 2));
    BOOST_TEST(calls == 1);
    BOOST_TEST(pool.counts().waiting == 1u);
    advance(99ms);
    BOOST_TEST(calls == 1);
    advance(1ms);
    BOOST_TEST(calls == 2);
    advance(199ms);
    BOOST_TEST(calls == 2);
    advance(1ms);
    BOOST_TEST(end->value.value() == 3);
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 1, 0, 0, 2}));
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(the_last_attempt_s_error_is_thrown) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1s).attempts(2)));
    int calls = 0;
    const auto end = start(submit_flaky(pool, calls, 9));
    advance(1s);
    BOOST_TEST(calls == 2);
    BOOST_CHECK_THROW(std::rethrow_exception(end->error), std::runtime_error);
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 0, 1, 0, 1}));
}

BOOST_AUTO_TEST_CASE(a_submission_s_options_override_the_executor_s) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1s).attempts(9)));
    int calls = 0;
    auto job = pool.spawn(run_options().retry(retry_policy::none()), flaky, std::ref(calls), 5);
    settle();
    BOOST_TEST(job.done());
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(the_predicate_can_refuse_a_retry) {
    const auto never_again =
        retry_policy::fixed(1s).retry_if([](const std::exception_ptr&) { return false; });
    executor pool(io.get_executor(), options().retry(never_again));
    int calls = 0;
    BOOST_TEST(start(submit_flaky(pool, calls, 1))->done);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_its_retry_occupies_no_slot) {
    executor pool(io.get_executor(), options().concurrency(1).retry(retry_policy::fixed(1s).attempts(2)));
    int calls = 0;
    const auto end = start(submit_flaky(pool, calls, 1));
    bool ran = false;
    pool.spawn([&ran] { ran = true; });
    settle();
    BOOST_TEST(ran);
    BOOST_TEST(!end->done);
    advance(1s);
    BOOST_TEST(end->value.value() == 2);
}

BOOST_AUTO_TEST_CASE(arguments_are_kept_for_the_next_attempt) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(0ms).attempts(2)));
    std::vector<std::size_t> sizes;
    const auto job = [&sizes](std::vector<int> values) {
        sizes.push_back(values.size());
        if (sizes.size() == 1) throw std::runtime_error("once");
    };
    pool.spawn(job, std::vector<int>(5));
    settle();
    BOOST_TEST((sizes == std::vector<std::size_t>{5, 5}));
}

BOOST_AUTO_TEST_CASE(a_retry_of_what_can_be_called_only_once_is_refused) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1s)));
    auto job = pool.spawn([](std::unique_ptr<int> value) { return *value; }, std::make_unique<int>(1));
    BOOST_TEST(start(job.result())->failed_with(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_attempt_that_takes_too_long_is_cancelled_and_repeated) {
    executor pool(io.get_executor(), options().timeout(1s).retry(retry_policy::fixed(5s).attempts(2)));
    gate door(io.get_executor());
    const auto end = start(submit_wait(pool, door));
    BOOST_TEST(door.waiting == 1);
    advance(999ms);
    BOOST_TEST(door.waiting == 1);
    advance(1ms);
    BOOST_TEST(door.waiting == 0);
    BOOST_TEST(pool.counts().waiting == 1u);
    advance(5s);
    BOOST_TEST(door.waiting == 1);
    advance(1s);
    BOOST_TEST(end->failed_with(errc::timed_out));
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 0, 1, 0, 1}));
}

BOOST_AUTO_TEST_CASE(a_job_that_takes_too_long_says_which_limit) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    const auto overran = start(submit_with(pool, run_options().timeout(1s), door));
    const auto late = start(submit_with(pool, run_options().deadline(1s), door));
    advance(1s);
    BOOST_TEST(taskflux::detail::describe(overran->error).message ==
               "the attempt at the job took longer than its timeout of 1000 ms, and was cancelled: allow a longer one");
    BOOST_TEST(taskflux::detail::describe(late->error).message == "the deadline of the job passed before it had ended: allow a longer one");
}

BOOST_AUTO_TEST_CASE(a_slot_is_clean_after_a_timeout) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate door(io.get_executor());
    pool.spawn(run_options().timeout(1s), wait, std::ref(door));
    settle();
    advance(1s);
    const auto end = start(submit_wait(pool, door));
    BOOST_TEST(door.waiting == 1);
    door.open();
    settle();
    BOOST_TEST(end->value.has_value());
}

BOOST_AUTO_TEST_CASE(what_a_handler_does_to_its_cancellation_does_not_outlast_it) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate first(io.get_executor()), second(io.get_executor());
    first.open();
    pool.spawn(stubborn, std::ref(first));
    settle();
    auto job = pool.spawn(wait, std::ref(second));
    settle();
    job.cancel();
    BOOST_TEST(start(job.result())->failed_with(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_result_that_comes_in_spite_of_a_timeout_counts) {
    executor pool(io.get_executor(), options().timeout(1s));
    gate door(io.get_executor());
    auto job = pool.spawn(stubborn, std::ref(door));
    settle();
    advance(2s);
    BOOST_TEST(!job.done());
    door.open();
    BOOST_TEST(start(job.result())->value.value() == 7);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_goes_on_after_its_timeout_is_cancelled_once_more_at_the_deadline) {
    executor pool(io.get_executor(), options().timeout(2s).deadline(10s));
    int cancelled = 0;
    auto job = pool.spawn(sleep_twice, std::ref(time), std::ref(cancelled));
    settle();
    advance(2s);
    BOOST_TEST(cancelled == 1);
    advance(8s - 1ms);
    BOOST_TEST(!job.done());
    advance(1ms);
    BOOST_TEST(cancelled == 2);
    BOOST_TEST(job.done());
}

BOOST_AUTO_TEST_CASE(the_deadline_ends_a_running_job_its_retries_and_a_queued_one) {
    executor pool(io.get_executor(),
                  options().concurrency(1).timeout(20s).deadline(10s).retry(retry_policy::fixed(4s).attempts(0)));
    gate door(io.get_executor());
    int calls = 0;
    const auto retried = start(submit_flaky(pool, calls, 99));
    const auto running = start(submit_wait(pool, door));
    const auto queued = start(submit_wait(pool, door));
    BOOST_TEST(calls == 1);
    BOOST_TEST(pool.counts().queued == 1u);
    advance(9999ms);
    BOOST_TEST(!retried->done);
    BOOST_TEST(!running->done);
    BOOST_TEST(!queued->done);
    advance(1ms);
    BOOST_TEST(retried->failed_with(errc::timed_out));
    BOOST_TEST(running->failed_with(errc::timed_out));
    BOOST_TEST(queued->failed_with(errc::timed_out));
    BOOST_TEST(pool.counts().failed == 3u);
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(no_attempt_begins_past_the_deadline_though_nobody_has_told_of_it_yet) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate door(io.get_executor());
    int calls = 0;
    const auto until_late = [](gate& at, taskflux::manual_clock& clock) -> asio::awaitable<void> {
        co_await at.pass();
        clock.advance(10s);  // the slot is free before the timer is heard
    };
    auto running = pool.spawn(until_late, std::ref(door), std::ref(time));
    auto queued = pool.spawn(run_options().deadline(10s), flaky, std::ref(calls), 0);
    settle();
    door.open();
    settle();
    BOOST_TEST(running.done());
    BOOST_TEST(start(queued.result())->failed_with(errc::timed_out));
    BOOST_TEST(calls == 0);
    BOOST_TEST(pool.counts().failed == 1u);
}

BOOST_AUTO_TEST_CASE(no_attempt_follows_after_the_policy_s_total_time) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(4s).attempts(0).total_time(10s)));
    int calls = 0;
    const auto end = start(submit_flaky(pool, calls, 99));
    for (int i = 0; i < 5; ++i) advance(4s);
    BOOST_TEST(calls == 3);  // at 0, 4 and 8 s: the next would be at 12
    BOOST_CHECK_THROW(std::rethrow_exception(end->error), std::runtime_error);
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 0, 1, 0, 2}));
}

BOOST_AUTO_TEST_CASE(a_timeout_of_one_attempt_is_none_of_the_next) {
    executor pool(io.get_executor(), options().timeout(1s).retry(retry_policy::fixed(1s).attempts(2)));
    gate door(io.get_executor());
    int calls = 0;
    const auto slow_once = [](gate& at, int& count) -> asio::awaitable<void> {
        if (++count == 1) co_await at.pass();
        throw std::runtime_error("no luck");
    };
    auto job = pool.spawn(slow_once, std::ref(door), std::ref(calls));
    settle();
    advance(1s);
    advance(1s);
    BOOST_TEST(calls == 2);
    const auto end = start(job.result());
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(end->error), std::runtime_error,
                          [](const std::exception& e) { return e.what() == std::string("no luck"); });
}

BOOST_AUTO_TEST_CASE(the_deadline_of_a_job_that_waits_for_its_retry_or_for_a_slot_is_kept_while_others_run) {
    executor pool(io.get_executor(), options().concurrency(1));
    int calls = 0;
    auto retried = pool.spawn(run_options().deadline(10s).retry(retry_policy::fixed(4s).attempts(0)), flaky, std::ref(calls), 99);
    settle();
    advance(4s);
    advance(4s);
    BOOST_TEST(calls == 3);
    gate door(io.get_executor());
    const auto running = start(submit_wait(pool, door));
    auto queued = pool.spawn(run_options().deadline(2s), flaky, std::ref(calls), 0);
    settle();
    advance(1999ms);
    BOOST_TEST(!retried.done());
    BOOST_TEST(!queued.done());
    advance(1ms);
    BOOST_TEST(retried.done());
    BOOST_TEST(queued.done());
    BOOST_TEST(start(retried.result())->failed_with(errc::timed_out));
    BOOST_TEST(start(queued.result())->failed_with(errc::timed_out));
    BOOST_TEST(!running->done);
    BOOST_TEST(calls == 3);
    door.open();
    settle();
}

BOOST_AUTO_TEST_CASE(a_job_that_cancels_all_and_fails_is_not_repeated) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1h).attempts(2)));
    auto job = pool.spawn([](executor& p) { p.cancel_all(); throw std::runtime_error("no luck"); }, std::ref(pool));
    settle();
    BOOST_TEST(job.done());
    BOOST_TEST(pool.counts().waiting == 0u);
    BOOST_TEST(pool.counts().retried == 0u);
}

BOOST_AUTO_TEST_CASE(jobs_that_a_slot_gives_back_come_before_later_ones) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate door(io.get_executor());
    std::vector<int> order;
    const auto mark = [&order](int which) { order.push_back(which); };
    const auto first = [&](executor& p, gate& at) -> asio::awaitable<void> {
        p.spawn(mark, 4);
        co_await at.pass();  // suspends, so that its slot gives back what it took with this job
    };
    pool.spawn(first, std::ref(pool), std::ref(door));
    pool.spawn(mark, 2);
    pool.spawn(mark, 3);
    settle();
    door.open();
    settle();
    BOOST_TEST((order == std::vector<int>{2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(drain_waits_for_a_job_that_waits_for_its_retry) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1h).attempts(2)));
    int calls = 0;
    const auto job = start(submit_flaky(pool, calls, 1));
    const auto drained = start([](executor& p) -> asio::awaitable<void> { co_await p.drain(); }(pool));
    BOOST_TEST(!drained->done);
    advance(59min);
    BOOST_TEST(!drained->done);
    advance(1min);
    BOOST_TEST(drained->value.has_value());
    BOOST_TEST(job->value.value() == 2);
}

BOOST_AUTO_TEST_CASE(cancelling_the_awaiter_cancels_its_running_job) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    const auto end = start(submit_wait(pool, door));
    end->cancel();
    settle();
    BOOST_TEST(door.waiting == 0);
    BOOST_TEST(end->failed_with(errc::cancelled));
    BOOST_TEST(pool.counts().cancelled == 1u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_awaiter_waits_for_a_handler_that_ignores_it) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    const auto end = start([](executor& p, gate& at) -> asio::awaitable<int> {
        co_return co_await p.submit(stubborn, std::ref(at));
    }(pool, door));
    end->cancel();
    settle();
    BOOST_TEST(!end->done);
    door.open();
    settle();
    BOOST_TEST(end->value.value() == 7);
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_comes_after_the_end_hits_no_other_job) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate first(io.get_executor()), second(io.get_executor());
    auto ended = pool.spawn(wait, std::ref(first));
    auto next = pool.spawn(wait, std::ref(second));
    settle();
    first.open();
    ended.cancel();
    settle();
    BOOST_TEST(ended.done());
    BOOST_TEST(second.waiting == 1);
    second.open();
    BOOST_TEST(start(next.result())->value.has_value());
}

BOOST_AUTO_TEST_CASE(a_queued_job_is_cancelled_at_once) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate door(io.get_executor());
    const auto running = start(submit_wait(pool, door));
    const auto queued = start(submit_wait(pool, door));
    queued->cancel();
    settle();
    BOOST_TEST(queued->failed_with(errc::cancelled));
    BOOST_TEST(!running->done);
    BOOST_TEST(pool.counts().queued == 0u);
    pool.cancel_all();
    settle();
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_its_retry_is_cancelled_at_once) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(1h).attempts(2)));
    int calls = 0;
    const auto end = start(submit_flaky(pool, calls, 9));
    end->cancel();
    settle();
    BOOST_TEST(end->failed_with(errc::cancelled));
    BOOST_TEST(pool.counts().waiting == 0u);
    advance(1h);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_job_that_fails_after_its_cancellation_is_not_repeated) {
    executor pool(io.get_executor(), options().retry(retry_policy::fixed(0ms).attempts(0)));
    gate door(io.get_executor());
    auto job = pool.spawn(wait, std::ref(door));
    settle();
    job.cancel();
    settle();
    BOOST_TEST(start(job.result())->failed_with(errc::cancelled));
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 0, 0, 0, 0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(cancelling_a_wait_for_a_handle_leaves_the_job_alone) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    auto job = pool.spawn(wait, std::ref(door));
    const auto given_up = start(job.result());
    given_up->cancel();
    settle();
    BOOST_TEST((given_up->code() == asio::error::operation_aborted));
    BOOST_TEST(door.waiting == 1);
    const auto again = start(job.result());
    door.open();
    settle();
    BOOST_TEST(again->value.has_value());
}

BOOST_AUTO_TEST_CASE(cancelling_a_batch_s_awaiter_cancels_all_of_it) {
    executor pool(io.get_executor(), options().concurrency(2));
    gate door(io.get_executor());
    const auto end = start([](executor& p, gate& at) -> asio::awaitable<void> {
        std::vector<std::reference_wrapper<gate>> gates(5, std::ref(at));
        co_await p.submit_all(wait, gates);
    }(pool, door));
    BOOST_TEST(door.waiting == 2);
    end->cancel();
    settle();
    BOOST_TEST(end->failed_with(errc::cancelled));
    BOOST_TEST(pool.counts().cancelled == 5u);
}

BOOST_AUTO_TEST_CASE(cancel_all_ends_what_was_submitted_and_nothing_later) {
    executor pool(io.get_executor(), options().concurrency(2).retry(retry_policy::fixed(1h).attempts(2)));
    gate door(io.get_executor());
    int calls = 0;
    const auto waiting = start(submit_flaky(pool, calls, 9));
    const auto first = start(submit_wait(pool, door));
    const auto second = start(submit_wait(pool, door));
    const auto third = start(submit_wait(pool, door));
    pool.cancel_all();
    auto later = pool.spawn(wait, std::ref(door));
    settle();
    for (const auto& end : {first, second, third}) BOOST_TEST(end->failed_with(errc::cancelled));
    BOOST_TEST(waiting->failed_with(errc::cancelled));
    BOOST_TEST(!later.done());
    BOOST_TEST((pool.counts() == taskflux::executor_counts{0, 1, 0, 0, 0, 4, 1}));
    door.open();
    BOOST_TEST(start(later.result())->value.has_value());
}

BOOST_AUTO_TEST_CASE(cancel_all_reaches_jobs_that_a_slot_has_taken_and_gives_back) {
    executor pool(io.get_executor(), options().concurrency(1));
    gate door(io.get_executor());
    const auto cancels = [](executor& p, gate& at) -> asio::awaitable<void> {
        p.cancel_all();
        co_await at.pass();  // suspends, so that its slot gives back what it took with this job
    };
    auto first = pool.spawn(cancels, std::ref(pool), std::ref(door));
    auto second = pool.spawn(wait, std::ref(door));
    auto third = pool.spawn(wait, std::ref(door));
    settle();
    BOOST_TEST(first.done());
    BOOST_TEST(second.done());
    BOOST_TEST(third.done());
    BOOST_TEST(pool.counts().cancelled == 3u);
}

BOOST_AUTO_TEST_CASE(shutdown_cancels_waits_for_handlers_and_refuses_what_comes_later) {
    executor pool(io.get_executor(), options().concurrency(2));
    gate door(io.get_executor()), held(io.get_executor());
    const auto cancelled = start(submit_wait(pool, door));
    auto ignoring = pool.spawn(stubborn, std::ref(held));
    auto queued = pool.spawn(wait, std::ref(door));
    settle();
    const auto shut = [](executor& p) -> asio::awaitable<void> { co_await p.shutdown(); };
    const auto end = start(shut(pool));
    const auto again = start(shut(pool));
    BOOST_TEST(cancelled->failed_with(errc::cancelled));
    BOOST_TEST(start(queued.result())->failed_with(errc::cancelled));
    BOOST_TEST(!end->done);
    BOOST_TEST(start(submit_wait(pool, door))->failed_with(errc::shut_down));
    held.open();
    settle();
    BOOST_TEST(ignoring.done());
    BOOST_TEST(end->value.has_value());
    BOOST_TEST(again->value.has_value());
    BOOST_TEST(start(shut(pool))->value.has_value());
}

BOOST_AUTO_TEST_CASE(shutting_down_an_executor_that_never_worked_returns) {
    executor pool(io.get_executor(), options());
    BOOST_TEST(
        start([](executor& p) -> asio::awaitable<void> { co_await p.shutdown(); }(pool))->value.has_value());
}

BOOST_AUTO_TEST_CASE(waiting_for_drain_can_be_cancelled) {
    executor pool(io.get_executor(), options());
    gate door(io.get_executor());
    pool.spawn(wait, std::ref(door));
    const auto end = start([](executor& p) -> asio::awaitable<void> { co_await p.drain(); }(pool));
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST(door.waiting == 1);
}

BOOST_AUTO_TEST_CASE(destroying_an_executor_at_work_cancels_everything) {
    gate door(io.get_executor());
    int calls = 0;
    std::shared_ptr<coroutine_end<void>> running, queued;
    std::shared_ptr<coroutine_end<int>> waiting;
    {
        executor pool(io.get_executor(), options().concurrency(1).retry(retry_policy::fixed(1h).attempts(2)));
        waiting = start(submit_flaky(pool, calls, 9));
        running = start(submit_wait(pool, door));
        queued = start(submit_wait(pool, door));
    }
    settle();
    BOOST_TEST(running->failed_with(errc::cancelled));
    BOOST_TEST(queued->failed_with(errc::cancelled));
    BOOST_TEST(waiting->failed_with(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_handle_may_outlive_its_executor) {
    taskflux::handle<void> job;
    gate door(io.get_executor());
    {
        executor pool(io.get_executor(), options());
        job = pool.spawn(wait, std::ref(door));
        settle();
    }
    job.cancel();
    BOOST_TEST(start(job.result())->failed_with(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_context_may_be_destroyed_with_jobs_in_every_state) {
    auto alive = std::make_shared<int>(0);
    const auto hold = [](std::shared_ptr<int>, gate& at) -> asio::awaitable<void> { co_await at.pass(); };
    const auto fail = [](std::shared_ptr<int>) { throw std::runtime_error("again"); };
    {
        asio::io_context context;
        gate door(context.get_executor());
        executor pool(context.get_executor(), options().concurrency(2));
        const auto limits = run_options().timeout(1h).deadline(2h).retry(retry_policy::fixed(1h));
        auto waiting = pool.spawn(limits, fail, alive);
        context.poll();
        auto running = pool.spawn(limits, hold, alive, std::ref(door));
        auto submit = [](executor& p, auto fn, std::shared_ptr<int> held, gate& at) -> asio::awaitable<void> {
            co_await p.submit(fn, held, std::ref(at));
        };
        asio::co_spawn(context, submit(pool, hold, alive, door), [](std::exception_ptr) {});
        context.restart();
        context.poll();
        auto queued = pool.spawn(limits, hold, alive, std::ref(door));
        asio::co_spawn(context, submit(pool, hold, alive, door), [](std::exception_ptr) {});
        asio::co_spawn(context, queued.result(), [](std::exception_ptr) {});
        context.restart();
        context.poll();
        BOOST_TEST(pool.counts().waiting == 1u);
        BOOST_TEST(pool.counts().running == 2u);
        BOOST_TEST(pool.counts().queued == 2u);
    }
    BOOST_TEST(alive.use_count() == 1);
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(of_jobs_whose_handles_outlive_the_context_nothing_waits_for_time) {
    std::vector<taskflux::handle<void>> kept;
    {
        asio::io_context context;
        gate door(context.get_executor());
        executor pool(context.get_executor(), options().concurrency(1));
        const auto limits = run_options().timeout(1h).deadline(2h).retry(retry_policy::fixed(1h));
        kept.push_back(pool.spawn(limits, [] { throw std::runtime_error("again"); }));
        context.poll();
        for (int i = 0; i < 2; ++i) kept.push_back(pool.spawn(limits, wait, std::ref(door)));
        context.restart();
        context.poll();
        BOOST_TEST(pool.counts().waiting == 1u);
        BOOST_TEST(pool.counts().running == 1u);
        BOOST_TEST(pool.counts().queued == 1u);
        BOOST_TEST((time.next() != taskflux::never));
    }
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(an_executor_may_be_destroyed_by_its_context) {
    auto alive = std::make_shared<int>(0);
    {
        asio::io_context context;
        const auto owner = [](asio::io_context& where, std::shared_ptr<int> held) -> asio::awaitable<void> {
            executor pool(where.get_executor());
            gate door(where.get_executor());
            const auto hold = [](std::shared_ptr<int>, gate& at) -> asio::awaitable<void> {
                co_await at.pass();
            };
            pool.spawn([] {});
            co_await pool.drain();
            co_await pool.submit(hold, held, std::ref(door));
        };
        asio::co_spawn(context, owner(context, alive), [](std::exception_ptr) {});
        context.poll();
        BOOST_TEST(alive.use_count() > 1);
    }
    BOOST_TEST(alive.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(executors_of_one_seed_draw_the_same_delays) {
    const auto delays = [this](std::uint32_t seed) {
        std::vector<taskflux::duration> drawn;
        executor pool(io.get_executor(), options().seed(seed).retry(retry_policy::fixed(1h).attempts(0).full_jitter()));
        int calls = 0;
        auto job = pool.spawn(flaky, std::ref(calls), 5);
        settle();
        while (!job.done()) {
            drawn.push_back(time.next() - time.now());
            advance(drawn.back());
        }
        return drawn;
    };
    const auto first = delays(5);
    BOOST_TEST(first.size() == 5u);
    BOOST_TEST((delays(5) == first));
    BOOST_TEST((delays(6) != first));
}

namespace {

/// A clock whose waits end early when it is told so, as clocks may.
class early_clock final : public taskflux::clock {
public:
    explicit early_clock(taskflux::manual_clock& of) : of_(of) {}

    taskflux::time_point now() const noexcept override { return of_.now(); }
    void arm(asio::steady_timer& timer, taskflux::time_point when) override {
        of_.arm(timer, when);
        last_ = &timer;
        ++armed;
    }
    void disarm(asio::steady_timer& timer) noexcept override { of_.disarm(timer); }

    void end_early() { last_->cancel(); }

    int armed = 0;

private:
    taskflux::manual_clock& of_;
    asio::steady_timer* last_ = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_wait_that_a_clock_ends_early_goes_on) {
    early_clock early(time);
    executor pool(io.get_executor(), executor_options().clock(early).seed(1).retry(retry_policy::fixed(10s).attempts(2)));
    int calls = 0;
    auto job = pool.spawn(flaky, std::ref(calls), 1);
    settle();
    for (int round = 1; round <= 3; ++round) {
        BOOST_TEST(early.armed == round);
        early.end_early();
        settle();
        BOOST_TEST(calls == 1);
    }
    advance(10s - 1ms);
    BOOST_TEST(calls == 1);
    advance(1ms);
    BOOST_TEST(calls == 2);
    BOOST_TEST(job.done());
}

BOOST_AUTO_TEST_SUITE_END()
