#include "fixture.hpp"

#include <taskflux/flow/job.hpp>

using namespace test::flow;

namespace flow_job {

/// One task runs at a time, and plain functions at once.
struct job_fixture : fixture {
    worker w{broker, options().concurrency(1)};
    std::vector<int> seen;
    gate closed{here};

    std::shared_ptr<coroutine_end<void>> begin() {
        w.on(twice, [this](int x) {
            if (x < 0) throw std::domain_error("negative");
            seen.push_back(x);
            return 2 * x;
        });
        w.on(answer, [this]() -> asio::awaitable<int> {
            co_await closed.pass();
            co_return 42;
        });
        w.on(tick, [] {});
        return start(w.run());
    }
};

}  // namespace flow_job

BOOST_FIXTURE_TEST_SUITE(flow_job, job_fixture)

BOOST_AUTO_TEST_CASE(a_default_constructed_job_names_nothing) {
    job<int> none;
    BOOST_TEST(none.id().queue == "");
    BOOST_TEST(!none.is_duplicate());
}

BOOST_AUTO_TEST_CASE(its_status_follows_the_task) {
    const auto submitted = now(client.submit(answer));
    BOOST_TEST(now(submitted.status()) == task_state::waiting);
    const auto life = begin();
    BOOST_TEST(now(submitted.status()) == task_state::running);
    closed.open();
    settle();
    BOOST_TEST(now(submitted.status()) == task_state::succeeded);
    BOOST_TEST(now(submitted.result()) == 42);
    BOOST_TEST(now(submitted.result()) == 42);
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_result_has_an_end) {
    const auto life = begin();
    const auto submitted = now(client.submit(answer));
    const auto wait = start(submitted.result(5s));
    const auto other = start(submitted.outcome(5s));
    advance(4999ms);
    BOOST_TEST(!wait->done);
    advance(1ms);
    BOOST_TEST(wait->code() == errc::timed_out);
    BOOST_REQUIRE(other->value);
    BOOST_TEST(!other->value->has_value());
    BOOST_TEST(now(submitted.status()) == task_state::running);
    closed.open();
    settle();
    BOOST_TEST(now(submitted.result(5s)) == 42);
    BOOST_TEST(start(submitted.result(0s))->value.has_value());
}

BOOST_AUTO_TEST_CASE(an_outcome_tells_success_and_failure_as_values) {
    const auto life = begin();
    const auto good = now(client.submit(twice, 3));
    const auto won = now(good.outcome());
    BOOST_TEST(won->state == task_state::succeeded);
    BOOST_TEST(won->value.value() == 6);
    BOOST_TEST(!won->failure);
    BOOST_TEST(won->attempts == 1U);
    const auto bad = now(client.submit(twice, -3));
    const auto lost = now(bad.outcome());
    BOOST_TEST(lost->state == task_state::failed);
    BOOST_TEST(!lost->value);
    BOOST_TEST(lost->failure.value().message == "negative");
    const auto none = now(client.submit(tick));
    BOOST_TEST(now(none.outcome())->value.has_value());
    const auto gone = now(client.submit(twice, submit_options().hold(), 3));
    now(gone.cancel());
    const auto ended = now(gone.outcome());
    BOOST_TEST(ended->state == task_state::cancelled);
    BOOST_TEST(!ended->value);
    BOOST_TEST(!ended->failure);
}

BOOST_AUTO_TEST_CASE(a_void_result_is_awaited_like_any) {
    const auto life = begin();
    now(client.run(tick));
    const auto submitted = now(client.submit(tick));
    now(submitted.result());
    BOOST_TEST(now(submitted.record()).result == "null");
}

BOOST_AUTO_TEST_CASE(a_held_task_waits_for_its_start) {
    const auto life = begin();
    const auto held = now(client.submit(twice, submit_options().hold(), 3));
    BOOST_TEST(now(held.status()) == task_state::held);
    advance(1h);
    BOOST_TEST(seen.empty());
    BOOST_TEST(now(held.start()) == effect::done);
    BOOST_TEST(now(held.result()) == 6);
    BOOST_TEST(now(held.start()) == effect::wrong_state);
}

BOOST_AUTO_TEST_CASE(a_delayed_task_runs_when_it_is_due) {
    const auto life = begin();
    const auto late = now(client.submit(twice, submit_options().delay(10s), 3));
    BOOST_TEST(now(late.status()) == task_state::scheduled);
    advance(9999ms);
    BOOST_TEST(seen.empty());
    advance(1ms);
    BOOST_TEST(now(late.result()) == 6);
}

BOOST_AUTO_TEST_CASE(a_task_for_a_point_in_time_runs_then) {
    const auto life = begin();
    const auto late = now(client.submit(twice, submit_options().at(time.now() + 10s), 3));
    const auto past = now(client.submit(twice, submit_options().at(time.now() - 10s), 4));
    BOOST_TEST(now(past.result()) == 8);
    advance(9999ms);
    BOOST_TEST(now(late.status()) == task_state::scheduled);
    advance(1ms);
    BOOST_TEST(now(late.result()) == 6);
}

BOOST_AUTO_TEST_CASE(a_scheduled_task_can_be_made_due) {
    const auto life = begin();
    const auto late = now(client.submit(twice, submit_options().delay(10h), 3));
    BOOST_TEST(now(late.promote()) == effect::done);
    BOOST_TEST(now(late.result()) == 6);
}

BOOST_AUTO_TEST_CASE(a_higher_priority_goes_first_and_equals_in_order) {
    for (const auto& [number, priority] : std::vector<std::pair<int, int>>{{1, 0}, {2, -5}, {3, 5}, {4, 0}, {5, 5}}) {
        now(client.submit(twice, submit_options().priority(priority), number));
    }
    const auto life = begin();
    const std::vector<int> expected{3, 5, 1, 4, 2};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_payload_can_be_replaced_until_the_task_starts) {
    const auto waiting = now(client.submit(twice, 3));
    BOOST_TEST(now(waiting.update(5)) == effect::done);
    const auto life = begin();
    BOOST_TEST(now(waiting.result()) == 10);
    BOOST_TEST(now(waiting.update(7)) == effect::wrong_state);
}

BOOST_AUTO_TEST_CASE(a_dead_letter_can_be_tried_afresh) {
    const auto life = begin();
    const auto bad = now(client.submit(twice, -3));
    BOOST_TEST(start(bad.result())->failed().failure().message == "negative");
    BOOST_TEST(counts().failed == 1U);
    BOOST_TEST(now(bad.requeue()) == effect::done);
    BOOST_TEST(start(bad.result())->failed().attempts() == 1U);
    BOOST_TEST(now(bad.record()).deliveries == 2U);
}

BOOST_AUTO_TEST_CASE(a_record_can_be_removed) {
    const auto life = begin();
    const auto done = now(client.submit(twice, 3));
    now(done.result());
    BOOST_TEST(now(done.remove()) == effect::done);
    BOOST_TEST(start(done.status())->code() == errc::not_found);
    const auto running = now(client.submit(answer));
    BOOST_TEST(now(running.remove()) == effect::wrong_state);
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_does_not_run) {
    const auto waiting = now(client.submit(twice, 3));
    BOOST_TEST(now(waiting.cancel()) == effect::done);
    const auto life = begin();
    BOOST_TEST(seen.empty());
    BOOST_TEST(start(waiting.result())->code() == errc::cancelled);
    BOOST_TEST(now(waiting.cancel()) == effect::wrong_state);
}

BOOST_AUTO_TEST_CASE(a_task_that_is_not_started_in_time_expires) {
    const auto waiting = now(client.submit(twice, submit_options().expires_in(10s), 3));
    const auto wait = start(waiting.result());
    advance(10s);
    BOOST_TEST(wait->code() == errc::expired);
    const auto life = begin();
    BOOST_TEST(seen.empty());
    BOOST_TEST(now(waiting.outcome())->state == task_state::expired);
}

BOOST_AUTO_TEST_CASE(a_result_is_gone_after_its_retention) {
    const auto life = begin();
    const auto brief = now(client.submit(twice, submit_options().retention(10s), 3));
    BOOST_TEST(now(brief.result()) == 6);
    advance(10s);
    BOOST_TEST(start(brief.result())->code() == errc::not_found);
    BOOST_TEST(start(brief.record())->code() == errc::not_found);
    BOOST_TEST(now(brief.cancel()) == effect::not_found);
}

BOOST_AUTO_TEST_CASE(without_retention_only_waiting_callers_get_the_result) {
    const auto life = begin();
    BOOST_TEST(now(client.run(twice, submit_options().retention(0s).hold(false), 3)) == 6);
    BOOST_TEST(counts().succeeded == 0U);
}

BOOST_AUTO_TEST_CASE(a_job_may_be_gone_while_its_calls_are_under_way) {
    const auto life = begin();
    auto call = now(client.submit(twice, 3)).result();
    BOOST_TEST(now(std::move(call)) == 6);
}

BOOST_AUTO_TEST_CASE(a_result_of_another_type_is_a_decode_error) {
    static constexpr taskflux::task<std::string(int)> mistaken{"twice"};
    const auto life = begin();
    const auto submitted = now(client.submit(mistaken, 3));
    BOOST_TEST(start(submitted.result())->code() == errc::bad_payload);
}

BOOST_AUTO_TEST_SUITE_END()
