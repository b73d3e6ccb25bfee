#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_retrying)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retried_task_comes_again_after_its_delay, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    BOOST_TEST(on.settle(on.settled(task.last, kind::retry, R"({"message":"no"})", 10s)) == effect::done);
    const auto record = on.record(task.key);
    BOOST_TEST(record.state == task_state::scheduled);
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.error == R"({"message":"no"})");
    BOOST_TEST(record.consumer.empty());
    BOOST_TEST(((record.due_at - task.last.started_at) == 10s));
    on.advance(9999ms);
    BOOST_TEST(on.fetch().empty());
    on.advance(1ms);
    const auto again = on.fetch_one();
    BOOST_TEST(again.key == task.key);
    BOOST_TEST(again.attempt == 2U);
    BOOST_TEST(again.token > task.last.token);
    BOOST_TEST((again.first_started_at == task.last.started_at));
    BOOST_TEST(((again.started_at - again.first_started_at) == 10s));
    BOOST_TEST(on.record(task.key).attempts == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retry_may_be_no_attempt, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    auto later = on.settled(task.last, kind::retry, {}, 10s);
    later.counts = false;
    BOOST_TEST(on.settle(later) == effect::done);
    BOOST_TEST(on.record(task.key).attempts == 0U);
    on.advance(10s);
    const auto again = on.fetch_one();
    BOOST_TEST(again.attempt == 1U);
    on.settle(again, kind::complete);
    BOOST_TEST(on.outcome(task.key)->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retry_without_a_reason_keeps_the_reason_before, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    on.settle(on.settled(task.last, kind::retry, "first"));
    on.settle(on.settled(on.fetch_one(), kind::retry, ""));
    BOOST_TEST(on.record(task.key).error == "first");
    on.settle(on.settled(on.fetch_one(), kind::fail, "last"));
    const auto end = on.outcome(task.key);
    BOOST_REQUIRE(end.has_value());
    BOOST_TEST(end->state == task_state::failed);
    BOOST_TEST(end->error == "last");
    BOOST_TEST(end->attempts == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retry_due_only_after_the_deadline_fails_at_once, Backend, backends) {
    for (const auto delay : {14s, 15s, 20s}) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, task_state::running, run_policy{.deadline = 15s});
        on.settle(on.settled(task.last, kind::retry, "why", delay));
        const auto record = on.record(task.key);
        BOOST_TEST(record.state == (delay < 15s ? task_state::scheduled : task_state::failed));
        BOOST_TEST(record.error == "why");
        BOOST_TEST(record.attempts == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retry_without_delay_goes_to_the_end_of_its_lane, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto keys = on.add_many(3);
    on.settle(on.fetch_one(), kind::retry);
    BOOST_TEST((keys_of(on.fetch(w, 3)) == std::vector{keys[1], keys[2], keys[0]}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_released_task_goes_back_to_the_head_of_its_lane, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto keys = on.add_many(3);
    const auto high = on.add(on.task("work", 1));
    BOOST_TEST(on.fetch_one().key == high);
    const auto got = on.fetch_one();
    BOOST_TEST(on.settle(got, kind::release) == effect::done);
    const auto record = on.record(keys[0]);
    BOOST_TEST(record.state == task_state::waiting);
    BOOST_TEST(record.attempts == 0U);
    BOOST_TEST(record.crashes == 0U);
    BOOST_TEST(record.deliveries == 1U);
    const auto again = on.fetch(w, 3);
    BOOST_TEST((keys_of(again) == keys));
    BOOST_TEST(again[0].attempt == 1U);
    BOOST_TEST(again[0].token > got.token);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retried_task_keeps_its_priority, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto high = on.add(on.task("work", 1));
    const auto low = on.add();
    on.settle(on.fetch_one(), kind::retry);
    BOOST_TEST((keys_of(on.fetch(w, 2)) == std::vector{high, low}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
