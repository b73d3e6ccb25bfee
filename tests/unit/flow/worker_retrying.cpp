#include "fixture.hpp"

#include <taskflux/core/control.hpp>
#include <taskflux/flow/worker.hpp>

using namespace test::flow;

namespace flow_worker_retrying {

/// When each attempt of the task "flaky" began, in milliseconds from its submission.
struct retry_fixture : fixture {
    std::vector<long> begun;
    std::vector<unsigned> attempts;
    int failures = 100;  // so many attempts throw
    worker w{broker, options()};
    taskflux::time_point origin = time.now();

    void serve(const taskflux::task<int(int)>& contract) {
        w.on(contract, [this](context& ctx, int x) {
            begun.push_back((ctx.now() - origin).count());
            attempts.push_back(ctx.attempt());
            if (failures-- > 0) throw std::runtime_error("flaky");
            return x;
        });
        start(w.run());
    }

    void check_times(const std::vector<long>& expected) {
        BOOST_TEST(begun == expected, boost::test_tools::per_element());
    }
};

}  // namespace flow_worker_retrying

BOOST_FIXTURE_TEST_SUITE(flow_worker_retrying, retry_fixture)

BOOST_AUTO_TEST_CASE(a_task_without_a_policy_is_tried_once) {
    serve(taskflux::task<int(int)>("flaky"));
    const taskflux::task<int(int)> flaky("flaky");
    BOOST_TEST(start(client.run(flaky, 1))->failed().attempts() == 1U);
    check_times({0});
}

BOOST_AUTO_TEST_CASE(fixed_back_off_waits_the_same_each_time) {
    static constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1s).attempts(4))};
    serve(flaky);
    const auto result = start(client.run(flaky, 1));
    pass(5s, 500ms);
    check_times({0, 1000, 2000, 3000});
    BOOST_TEST(result->failed().attempts() == 4U);
    BOOST_TEST(result->failed().failure().message == "flaky");
}

BOOST_AUTO_TEST_CASE(linear_back_off_grows_by_a_step) {
    static constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::linear(1s).attempts(4))};
    serve(flaky);
    const auto result = start(client.run(flaky, 1));
    pass(8s, 500ms);
    check_times({0, 1000, 3000, 6000});
}

BOOST_AUTO_TEST_CASE(exponential_back_off_doubles) {
    static constexpr taskflux::task<int(int)> flaky{
        "flaky", task_options().retry(retry_policy::exponential(1s).max_delay(3s).attempts(5))};
    serve(flaky);
    const auto result = start(client.run(flaky, 1));
    pass(12s, 500ms);
    check_times({0, 1000, 3000, 6000, 9000});
}

BOOST_AUTO_TEST_CASE(a_later_success_counts) {
    static constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1s))};
    failures = 2;
    serve(flaky);
    const auto submitted = now(client.submit(flaky, 7));
    settle();
    BOOST_TEST(now(submitted.status()) == task_state::scheduled);
    pass(2s, 1s);
    BOOST_TEST(now(submitted.result()) == 7);
    const std::vector<unsigned> expected{1, 2, 3};
    BOOST_TEST(attempts == expected, boost::test_tools::per_element());
    BOOST_TEST(now(submitted.outcome())->attempts == 3U);
}

BOOST_AUTO_TEST_CASE(a_submission_has_the_last_word_on_retries) {
    static constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1s))};
    serve(flaky);
    const auto result = start(client.run(flaky, submit_options().retry(retry_policy::fixed(2s).attempts(2)), 1));
    pass(5s, 1s);
    check_times({0, 2000});
    BOOST_TEST(result->failed().attempts() == 2U);
}

BOOST_AUTO_TEST_CASE(no_attempt_starts_after_the_total_time) {
    static constexpr taskflux::task<int(int)> flaky{
        "flaky", task_options().retry(retry_policy::fixed(2s).attempts(0).total_time(5s))};
    serve(flaky);
    const auto result = start(client.run(flaky, 1));
    pass(10s, 1s);
    check_times({0, 2000, 4000});
    BOOST_TEST(result->failed().attempts() == 3U);
}

BOOST_AUTO_TEST_CASE(the_contract_says_what_is_worth_a_retry) {
    static constexpr taskflux::task<int(int)> picky{
        "flaky", task_options().retry(retry_policy::fixed(1s).retry_if([](const std::exception_ptr&) { return false; }))};
    serve(picky);
    BOOST_TEST(start(client.run(picky, 1))->failed().attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(a_predicate_that_throws_ends_the_task) {
    static constexpr taskflux::task<int(int)> picky{
        "flaky", task_options().retry(retry_policy::fixed(1s).retry_if([](const std::exception_ptr&) -> bool { throw 1; }))};
    serve(picky);
    BOOST_TEST(start(client.run(picky, 1))->failed().failure().message == "flaky");
}

BOOST_AUTO_TEST_CASE(retry_after_does_not_count) {
    std::vector<unsigned> seen;
    int later = 3;
    w.on(twice, [&](context& ctx, int x) {
        seen.push_back(ctx.attempt());
        if (later-- > 0) throw taskflux::retry_after(10s);
        return 2 * x;
    });
    start(w.run());
    const auto result = start(client.run(twice, 2));
    pass(20s, 10s);
    BOOST_TEST(!result->done);
    advance(10s);
    BOOST_TEST(result->value.value() == 4);
    const std::vector<unsigned> expected{1, 1, 1, 1};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(discard_fails_for_good) {
    static constexpr taskflux::task<int(int)> patient{"twice", task_options().retry(retry_policy::fixed(1s))};
    w.on(patient, [](int) -> int { throw taskflux::discard("hopeless"); });
    start(w.run());
    const auto failed = start(client.run(patient, 2))->failed();
    BOOST_TEST(failed.attempts() == 1U);
    BOOST_TEST(failed.failure().message == "hopeless");
}

BOOST_AUTO_TEST_CASE(an_attempt_over_its_time_is_cancelled_and_retried) {
    static constexpr taskflux::task<int(int)> limited{
        "limited", task_options().timeout(5s).retry(retry_policy::fixed(1s).attempts(2))};
    gate closed{here};
    w.on(limited, [&](int x) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return x;
    });
    start(w.run());
    const auto result = start(client.run(limited, 1));
    advance(4999ms);
    BOOST_TEST(closed.cancelled == 0);
    advance(1ms);
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(!result->done);
    advance(1s);
    BOOST_TEST(closed.waiting == 1);
    advance(5s);
    const auto failed = result->failed();
    BOOST_TEST(failed.code() == errc::timed_out);
    BOOST_TEST(failed.attempts() == 2U);
}

BOOST_AUTO_TEST_CASE(a_second_attempt_may_be_in_time) {
    static constexpr taskflux::task<int(int)> limited{
        "limited", task_options().timeout(5s).retry(retry_policy::fixed(1s).attempts(2))};
    gate closed{here};
    w.on(limited, [&](context& ctx, int x) -> asio::awaitable<int> {
        if (ctx.attempt() == 1) co_await closed.pass();
        co_return x;
    });
    start(w.run());
    const auto result = start(client.run(limited, 9));
    advance(5s);
    advance(1s);
    BOOST_TEST(result->value.value() == 9);
}

BOOST_AUTO_TEST_CASE(a_result_that_comes_in_spite_of_the_time_limit_counts) {
    static constexpr taskflux::task<int(int)> limited{"limited", task_options().timeout(5s)};
    gate closed{here};
    w.on(limited, [&](int x) -> asio::awaitable<int> {
        co_await closed.pass_stubbornly();
        co_return x;
    });
    start(w.run());
    const auto result = start(client.run(limited, 9));
    advance(6s);
    BOOST_TEST(!result->done);
    closed.open();
    settle();
    BOOST_TEST(result->value.value() == 9);
}

BOOST_AUTO_TEST_CASE(a_worker_s_time_limit_is_for_tasks_that_have_none) {
    static constexpr taskflux::task<int(int)> limited{"limited", task_options().timeout(5s)};
    gate closed{here};
    const auto wait = [&](int x) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return x;
    };
    worker other{broker, options().name("other").timeout(2s)};
    other.on(twice, wait).on(limited, wait);
    start(other.run());
    const auto without = start(client.run(twice, 1));
    const auto with = start(client.run(limited, 1));
    advance(2s);
    BOOST_TEST((without->code() == errc::timed_out));
    BOOST_TEST(!with->done);
    advance(3s);
    BOOST_TEST((with->code() == errc::timed_out));
}

BOOST_AUTO_TEST_CASE(the_overall_deadline_ends_a_task_while_it_runs) {
    static constexpr taskflux::task<int(int)> limited{
        "limited", task_options().deadline(5s).retry(retry_policy::fixed(1s))};
    gate closed{here};
    w.on(limited, [&](int x) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return x;
    });
    start(w.run());
    const auto result = start(client.run(limited, 9));
    advance(5s);
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(result->failed().code() == errc::timed_out);
    BOOST_TEST(result->failed().attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(the_overall_deadline_ends_a_task_between_attempts) {
    static constexpr taskflux::task<int(int)> flaky{
        "flaky", task_options().deadline(5s).retry(retry_policy::fixed(3s).attempts(0))};
    serve(flaky);
    const auto result = start(client.run(flaky, 9));
    pass(10s, 1s);
    check_times({0, 3000});
    BOOST_TEST(result->done);
    BOOST_TEST(result->failed().failure().message == "flaky");
}

BOOST_AUTO_TEST_SUITE_END()
