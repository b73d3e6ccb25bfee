#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_cancelling)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_has_not_started_is_cancelled_at_once, Backend, backends) {
    for (const auto state : {task_state::held, task_state::scheduled, task_state::waiting}) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, state);
        auto waiting = on.start(on.broker().wait({q, task.key}, 1h));
        BOOST_TEST(on.cancel(task.key) == effect::done);
        BOOST_TEST(on.state(task.key) == task_state::cancelled);
        BOOST_TEST((waiting.get().value().state == task_state::cancelled));
        on.advance(20s);
        BOOST_TEST(on.fetch().empty());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_running_task_ends_as_cancelled_whatever_its_handler_does, Backend, backends) {
    for (const auto how : {kind::complete, kind::fail, kind::retry, kind::release, kind::cancel, kind::suspend}) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, task_state::running);
        auto waiting = on.start(on.broker().wait({q, task.key}, 1h));
        BOOST_TEST(on.cancel(task.key) == effect::requested);
        BOOST_TEST(on.record(task.key).cancel_requested);
        BOOST_TEST(on.state(task.key) == task_state::running);
        BOOST_TEST(on.still_waiting(waiting));
        BOOST_TEST(on.settle(on.settled(task.last, how, "{}", 5s)) == effect::done);
        BOOST_TEST(on.state(task.key) == task_state::cancelled);
        const auto end = waiting.get();
        BOOST_TEST((end && end->state == task_state::cancelled && end->result.empty()));
        const bool has_ended_an_attempt = how != kind::release;
        BOOST_TEST(end->attempts == (has_ended_an_attempt ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_running_task_ends_as_cancelled_also_when_its_consumer_goes, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = place(on, task_state::running);
    on.cancel(task.key);
    on.run(on.broker().leave(w, {q}));
    BOOST_TEST(on.state(task.key) == task_state::cancelled);

    task = place(on, task_state::running);
    on.cancel(task.key);
    on.advance(on.lease);
    BOOST_TEST(on.state(task.key) == task_state::cancelled);

    task = place(on, task_state::running, run_policy{.crash_limit = 1});
    on.cancel(task.key);
    on.advance(on.lease);
    BOOST_TEST(on.state(task.key) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelling_twice_asks_twice_and_ends_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    BOOST_TEST(on.cancel(task.key) == effect::requested);
    BOOST_TEST(on.cancel(task.key) == effect::requested);
    BOOST_TEST(on.settle(task.last, kind::cancel) == effect::done);
    BOOST_TEST(on.cancel(task.key) == effect::wrong_state);
    BOOST_TEST(on.counts().cancelled == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_requeued_task_is_not_cancelled_any_more, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    on.cancel(task.key);
    on.settle(task.last, kind::cancel);
    on.requeue(task.key);
    BOOST_TEST(!on.record(task.key).cancel_requested);
    const auto got = on.fetch_one();
    BOOST_TEST(on.renew().cancels.empty());
    on.settle(got, kind::complete);
    BOOST_TEST(on.state(task.key) == task_state::succeeded);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(renew_lists_what_is_to_be_cancelled_until_it_has_ended, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a", q});
    on.join("b");
    on.add_many(3);
    const auto mine = on.fetch(w, 2);
    const auto theirs = on.fetch_one("b");
    on.cancel(mine[1].key);
    on.cancel(theirs.key);
    for (int i = 0; i < 2; ++i) {
        const auto answer = on.run(on.broker().renew(w, {"a", q}, on.lease));
        BOOST_TEST(!answer.lost);
        BOOST_REQUIRE(answer.cancels.size() == 1U);
        BOOST_TEST(answer.cancels[0].queue == 1U);
        BOOST_TEST(answer.cancels[0].key == mine[1].key);
        BOOST_TEST(answer.cancels[0].token == mine[1].token);
    }
    on.settle(mine[1], kind::cancel);
    BOOST_TEST(on.renew().cancels.empty());
    BOOST_TEST(on.renew("b").cancels.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(watch_returns_when_a_cancel_comes_in, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    on.join("b");
    auto mine = on.start(on.broker().watch(w, 1h));
    auto theirs = on.start(on.broker().watch("b", 1h));
    BOOST_TEST(on.still_waiting(mine));
    on.cancel(on.add());  // not a running one
    BOOST_TEST(on.still_waiting(mine));
    on.cancel(task.key);
    mine.get();
    BOOST_TEST(on.still_waiting(theirs));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(watch_returns_at_once_for_a_cancel_that_renew_has_not_told, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    on.cancel(task.key);
    on.run(on.broker().watch(w, 1h));
    BOOST_TEST(on.renew().cancels.size() == 1U);
    auto waiting = on.start(on.broker().watch(w, 1h));
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(1h);
    waiting.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(watch_returns_when_its_wait_is_over, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto waiting = on.start(on.broker().watch(w, 10s));
    on.advance(9999ms);
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(1ms);
    waiting.get();
    auto cancelled = on.start(on.broker().watch(w, 10s));
    cancelled.cancel();
    BOOST_TEST(on.error_of(cancelled) == aborted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
