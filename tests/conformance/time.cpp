#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

namespace conformance_time {

new_task delayed(duration delay) {
    auto made = fixture::task();
    made.delay = delay;
    return made;
}

}  // namespace conformance_time

BOOST_AUTO_TEST_SUITE(conformance_time)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_delayed_task_is_ready_when_its_delay_has_passed, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(delayed(10s));
    const auto record = on.record(key);
    BOOST_TEST(record.state == task_state::scheduled);
    BOOST_TEST(((record.due_at - record.submitted_at) == 10s));
    on.advance(9999ms);
    BOOST_TEST(on.fetch().empty());
    BOOST_TEST(on.state(key) == task_state::scheduled);
    on.advance(1ms);
    BOOST_TEST(on.state(key) == task_state::waiting);
    BOOST_TEST(on.fetch_one().key == key);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(at_and_delay_together_mean_the_later_one, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto now = on.record(on.add()).submitted_at;
    const auto due = [&](duration at, duration delay) {
        auto task = on.task();
        task.at = now + at;
        task.delay = delay;
        return on.record(on.add(task));
    };
    BOOST_TEST(((due(10s, 5s).due_at - now) == 10s));
    BOOST_TEST(((due(5s, 10s).due_at - now) == 10s));
    BOOST_TEST(due(-10s, 0s).state == task_state::waiting);
    BOOST_TEST(((due(-10s, 1s).due_at - now) == 1s));
    BOOST_TEST(due(duration(0), 0s).state == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_fall_due_in_the_order_of_their_times, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto last = on.add(delayed(30s)), first = on.add(delayed(10s)), second = on.add(delayed(20s));
    const auto also_second = on.add(delayed(20s));
    on.advance(1min);
    on.join();
    BOOST_TEST((keys_of(on.fetch(w, 10)) == std::vector{first, second, also_second, last}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_held_task_keeps_its_delay_when_it_is_started, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = delayed(10s);
    task.hold = true;
    const auto early = on.add(task), late = on.add(task);
    on.advance(5s);
    BOOST_TEST(on.state(early) == task_state::held);
    BOOST_TEST(on.start_held(early) == effect::done);
    BOOST_TEST(on.state(early) == task_state::scheduled);
    on.advance(5s);
    BOOST_TEST(on.state(early) == task_state::waiting);
    BOOST_TEST(on.state(late) == task_state::held);
    BOOST_TEST(on.start_held(late) == effect::done);
    BOOST_TEST(on.state(late) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_not_started_in_time_expires, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto task = on.task(run_policy{.expires_in = 10s});
    auto held = task, later = task;
    held.hold = true;
    later.delay = 1h;
    const auto waits = on.add(task), is_held = on.add(held), is_later = on.add(later);
    on.advance(9999ms);
    BOOST_TEST(on.counts().expired == 0U);
    on.advance(1ms);
    for (const auto key : {waits, is_held, is_later}) BOOST_TEST(on.state(key) == task_state::expired);
    BOOST_TEST(on.fetch().empty());
    BOOST_TEST((on.outcome(waits).value().state == task_state::expired));
    BOOST_TEST(on.record(waits).attempts == 0U);
    BOOST_TEST(((on.record(waits).ended_at - on.record(waits).submitted_at) == 10s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_record_tells_when_a_limit_ends_the_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto free = on.add(on.task());
    const auto both = on.add(on.task(run_policy{.deadline = 20s, .expires_in = 10s}));
    const auto expires = on.add(on.task(run_policy{.expires_in = 10s}));
    const auto left = [&](task_key key) { return on.record(key).limit_at - on.record(key).submitted_at; };
    BOOST_TEST((on.record(free).limit_at == time_point{}));
    BOOST_TEST((left(both) == 10s));
    BOOST_TEST((left(expires) == 10s));
    on.join();
    on.fetch(w, 3);
    BOOST_TEST((left(both) == 20s));
    BOOST_TEST((on.record(expires).limit_at == time_point{}));  // it has begun
    const auto late = on.add(on.task(run_policy{.expires_in = 10s}));
    on.advance(10s);
    BOOST_TEST(on.state(late) == task_state::expired);
    BOOST_TEST((on.record(late).limit_at == time_point{}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_was_started_in_time_does_not_expire, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto key = on.add(on.task(run_policy{.expires_in = 10s}));
    on.join();
    auto got = on.fetch_one();
    on.advance(11s);
    BOOST_TEST(on.state(key) == task_state::running);
    auto again = on.settled(got, kind::retry, "{}", 5s);
    again.counts = false;
    on.settle(again);
    on.advance(5s);
    BOOST_TEST(on.state(key) == task_state::waiting);
    got = on.fetch_one();
    on.settle(got, kind::release);  // gives back a later try, not the first
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.fetch_one();
    on.advance(on.lease);
    BOOST_TEST(on.state(key) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_given_back_untouched_can_still_expire, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task(run_policy{.expires_in = 10s}));
    const auto got = on.fetch_one();
    on.advance(11s);
    on.settle(got, kind::release);
    BOOST_TEST(on.state(key) == task_state::expired);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_deadline_ends_an_untried_task_as_expired_and_a_tried_one_as_failed, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto task = on.task(run_policy{.deadline = 20s});
    const auto tried = on.add(task);
    const auto got = on.fetch_one();
    BOOST_TEST(((got.deadline_at - got.submitted_at) == 20s));
    on.settle(on.settled(got, kind::retry, R"({"message":"broken"})", 5s));
    const auto untried = on.add(task);
    on.advance(20s);
    BOOST_TEST(on.state(tried) == task_state::failed);
    BOOST_TEST(on.record(tried).error == R"({"message":"broken"})");
    BOOST_TEST(on.record(tried).attempts == 1U);
    BOOST_TEST(on.state(untried) == task_state::expired);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_limits_of_a_requeued_task_count_from_then_on_as_if_it_had_never_been_tried, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task(run_policy{.deadline = 20s, .expires_in = 10s}));
    on.settle(on.settled(on.fetch_one(), kind::fail, "why"));
    on.advance(19s);
    BOOST_TEST(on.requeue(key) == effect::done);
    BOOST_TEST((on.record(key).started_at == time_point{}));
    on.advance(9999ms);
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.advance(1ms);
    BOOST_TEST(on.state(key) == task_state::expired);
    BOOST_TEST(on.record(key).error.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_deadline_and_expiry_the_earlier_counts, Backend, backends) {
    for (const bool expires_first : {true, false}) {
        fixture on(std::make_unique<Backend>());
        const auto key = on.add(on.task(run_policy{.deadline = expires_first ? 20s : 10s, .expires_in = expires_first ? 10s : 20s}));
        on.advance(9999ms);
        BOOST_TEST(on.state(key) == task_state::waiting);
        on.advance(1ms);
        BOOST_TEST(on.state(key) == task_state::expired);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_deadline_between_two_tries_tells_that_it_timed_out, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task(run_policy{.deadline = 40s}));
    on.fetch_one();
    on.advance(on.lease);  // no attempt has failed, so there is no error to keep
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.advance(10s);
    BOOST_TEST(on.state(key) == task_state::failed);
    BOOST_TEST(on.record(key).error.find("timed_out") != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_deadline_does_not_end_an_attempt_that_runs, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task(run_policy{.deadline = 5s}));
    const auto got = on.fetch_one();
    on.advance(10s);
    BOOST_TEST(on.state(key) == task_state::running);
    BOOST_TEST(on.settle(got, kind::complete) == effect::done);
    BOOST_TEST(on.state(key) == task_state::succeeded);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_given_back_after_its_deadline_is_not_handed_out_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("b");
    const auto key = on.add(on.task(run_policy{.deadline = 5s}));
    on.fetch_one();
    on.advance(20s);
    on.renew("b");
    on.advance(10s);  // w's lease runs out; b asks first thing
    BOOST_TEST(on.fetch("b").empty());
    BOOST_TEST(on.state(key) == task_state::failed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_record_is_kept_for_its_retention, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto task = on.task(run_policy{.retention = 10s, .failed_retention = 20s});
    const auto succeeded = on.add(task), failed = on.add(task), cancelled = on.add(task);
    on.settle(on.fetch_one(), kind::complete);
    on.settle(on.fetch_one(), kind::fail);
    on.cancel(cancelled);
    on.advance(9999ms);
    BOOST_TEST(on.list().size() == 3U);
    on.advance(1ms);
    BOOST_TEST(!on.exists(succeeded));
    BOOST_TEST(!on.exists(cancelled));
    BOOST_TEST(on.error_of(on.broker().wait({q, succeeded}, 1h)) == errc::not_found);
    BOOST_TEST((keys_of(on.list()) == std::vector{failed}));
    BOOST_TEST(on.counts().succeeded == 0U);
    on.advance(10s);
    BOOST_TEST(!on.exists(failed));
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_requeued_and_ends_again_is_kept_from_its_last_end_on, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto task = on.task(run_policy{.failed_retention = 10s});
    const auto key = on.add(task), other = on.add(task);
    std::vector<settlement> ends;  // which a broker may note together
    for (const auto& one : on.fetch(w, 2)) ends.push_back(on.settled(one, kind::fail));
    on.run(on.broker().settle(q, w, ends));
    on.advance(5s);
    BOOST_TEST(on.requeue(key) == effect::done);
    on.settle(on.fetch_one(), kind::fail);
    on.advance(5s);
    BOOST_TEST(!on.exists(other));
    BOOST_TEST(on.counts().failed == 1U);
    on.advance(4999ms);
    BOOST_TEST(on.exists(key));
    on.advance(1ms);
    BOOST_TEST(!on.exists(key));
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_ends_again_as_its_last_end_would_be_forgotten_is_forgotten_in_its_time, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    std::vector<task_key> keys;
    for (int n = 0; n < 12; ++n) {
        keys.push_back(on.add(on.task(run_policy{.deadline = 10s, .retention = 60s + n * 1s, .failed_retention = 20s + n * 1s})));
        on.settle(on.fetch_one(), kind::fail);
    }
    for (const auto& key : keys) BOOST_TEST(on.requeue(key) == effect::done);
    on.advance(40s);  // nobody has called the broker meanwhile
    BOOST_TEST(on.counts().expired == 12U);
    on.advance(1h);
    BOOST_TEST(on.counts().expired == 0U);
    BOOST_TEST(on.list().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(records_with_different_retentions_go_each_in_its_time, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    for (const auto seconds : {7, 3, 9, 1, 5}) on.cancel(on.add(on.task(run_policy{.retention = seconds * 1s})));
    for (std::size_t second = 0; second <= 10; ++second) {
        BOOST_TEST(on.counts().cancelled == 5 - (std::min)((second + 1) / 2, std::size_t(5)));
        on.advance(1s);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unique_key_is_free_after_its_window, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto task = on.task();
    task.unique_key = "k";
    task.unique_window = 10s;
    const auto first = on.add(task);
    on.advance(9999ms);
    BOOST_TEST(on.submit(task).key == first);
    on.advance(1ms);
    const auto second = on.add(task);
    on.settle(on.fetch_one(), kind::complete);  // the end of the first does not free what the second holds
    BOOST_TEST(on.state(first) == task_state::succeeded);
    BOOST_TEST(on.submit(task).key == second);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(times_as_far_off_as_can_be_do_no_harm, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    constexpr auto longest = (duration::max)();
    auto task = on.task(run_policy{.deadline = longest, .expires_in = longest, .retention = longest});
    const auto key = on.add(task);
    task.delay = longest;
    on.add(task);
    task.delay = {};
    task.at = never;
    task.unique_key = "k";
    task.unique_window = longest;
    on.add(task);
    on.run(on.broker().join(w, {q}, longest));
    on.settle(on.fetch_one(), kind::complete);
    auto waiting = on.start(on.broker().fetch(on.request(w, 1, longest)));
    on.advance(24h * 365 * 10);
    BOOST_TEST(on.still_waiting(waiting));
    BOOST_TEST(on.state(key) == task_state::succeeded);
    BOOST_TEST(on.counts().scheduled == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
