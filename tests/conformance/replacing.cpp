#include <conformance/fixture.hpp>

#include <boost/describe/enum_to_string.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_replacing {

/// A submission with a key that others share; its payload tells which it is.
new_task keyed(const std::string& payload, duplicate policy = duplicate::replace) {
    auto made = fixture::task();
    made.unique_key = "k";
    made.on_duplicate = policy;
    made.payload = payload;
    return made;
}

new_task debounced(const std::string& payload, duration quiet, duration at_most = {}) {
    auto made = keyed(payload);
    made.delay = quiet;
    made.at_most = at_most;
    return made;
}

/// What a fetch gives: payloads, in their order.
std::vector<std::string> payloads(fixture& on) {
    std::vector<std::string> found;
    for (const auto& one : on.fetch(w, 10)) found.push_back(one.payload);
    return found;
}

using texts = std::vector<std::string>;

}  // namespace conformance_replacing

BOOST_AUTO_TEST_SUITE(conformance_replacing)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_has_not_started_gets_the_payload_and_options_of_the_later_one_and_keeps_its_id, Backend,
                              backends) {
    for (const auto state : {task_state::held, task_state::scheduled, task_state::waiting}) {
        BOOST_TEST_CONTEXT(boost::describe::enum_to_string(state, "")) {
            fixture on(std::make_unique<Backend>());
            on.join();
            auto first = keyed("first", duplicate::join);
            first.own_id = "mine";
            first.hold = state == task_state::held;
            first.delay = state == task_state::scheduled ? 10s : 0s;
            const auto key = on.add(first);
            const auto submitted_at = on.record(key).submitted_at;
            on.advance(2s);

            auto second = keyed("second");
            auto spec = *fixture::task("other", 5, run_policy{.timeout = 7s, .crash_limit = 9}).spec;
            spec.headers = {{"a", "b"}};
            second.spec = std::make_shared<const task_spec>(spec);
            const auto again = on.submit(second);
            BOOST_TEST(again.duplicate);
            BOOST_TEST(again.key == key);

            const auto record = on.record(key);
            BOOST_TEST(record.own_id == "mine");
            BOOST_TEST(record.name == "other");
            BOOST_TEST(record.priority == 5);
            BOOST_TEST((record.headers == spec.headers));
            BOOST_TEST((record.submitted_at == submitted_at));
            const auto counts = on.counts();
            BOOST_TEST(counts.waiting == 1U);
            BOOST_TEST(counts.held + counts.scheduled == 0U);
            const auto got = on.fetch_one();
            BOOST_TEST(got.payload == "second");
            BOOST_TEST((got.spec->policy == spec.policy));
            BOOST_TEST(got.own_id == "mine");
            BOOST_TEST(on.settle(got, kind::complete) == effect::done);
            BOOST_TEST(!on.submit(keyed("third")).duplicate);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_replaced_task_is_due_when_the_later_submission_says, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("now"));
    on.submit(debounced("in 5 s", 5s));
    BOOST_TEST(on.state(key) == task_state::scheduled);
    BOOST_TEST(on.counts().waiting == 0U);
    on.submit(debounced("in 9 s", 9s));
    on.advance(8s);
    BOOST_TEST(on.fetch(w).empty());
    on.advance(1s);
    BOOST_TEST((payloads(on) == texts{"in 9 s"}));
    BOOST_TEST(on.counts().running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ready_task_that_is_replaced_keeps_its_turn, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    auto other = on.task();
    other.payload = "other";
    on.add(other);
    on.submit(keyed("second"));
    BOOST_TEST((payloads(on) == texts{"second", "other"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ready_task_that_is_replaced_moves_to_the_lane_of_its_new_priority, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto other = on.task();
    other.payload = "other";
    on.add(other);
    on.add(keyed("first"));
    auto urgent = keyed("urgent");
    urgent.spec = fixture::task("work", 3).spec;
    on.submit(urgent);
    BOOST_TEST((payloads(on) == texts{"urgent", "other"}));
    BOOST_TEST(on.fetch(w).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_without_a_worker_for_its_name_is_replaced_too, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    auto look = on.request();
    look.names = std::make_shared<const name_set>(name_set{"other"});
    BOOST_TEST(on.run(on.broker().fetch(look)).empty());
    BOOST_TEST(on.counts().unclaimed == 1U);
    on.submit(keyed("second"));
    BOOST_TEST(on.counts().unclaimed == 1U);
    auto renamed = keyed("third");
    renamed.spec = fixture::task("other").spec;
    on.submit(renamed);
    BOOST_TEST(on.counts().unclaimed == 0U);
    const auto got = on.run(on.broker().fetch(look));
    BOOST_REQUIRE_EQUAL(got.size(), 1U);
    BOOST_TEST(got[0].key == key);
    BOOST_TEST(got[0].payload == "third");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(limits_of_a_replaced_task_count_from_the_later_submission, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first");
    first.spec = fixture::task(run_policy{.expires_in = 10s}).spec;
    const auto key = on.add(first);
    on.advance(8s);
    first.payload = "second";
    on.submit(first);
    on.advance(8s);
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.advance(2s);
    BOOST_TEST(on.state(key) == task_state::expired);

    const auto other = on.add(first);
    on.submit(keyed("without a limit"));
    on.advance(1h);
    BOOST_TEST(on.state(other) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_started_keeps_its_payload_and_one_successor_starts_when_it_has_ended, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto first = on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto second = on.submit(keyed("second"));
    BOOST_TEST(!second.duplicate);
    BOOST_TEST(second.key != first);
    BOOST_TEST(on.state(second.key) == task_state::held);
    const auto third = on.submit(keyed("third"));
    BOOST_TEST(third.duplicate);
    BOOST_TEST(third.key == second.key);
    BOOST_TEST(on.state(second.key) == task_state::held);
    BOOST_TEST(on.fetch(w).empty());
    BOOST_TEST(on.record(first).payload == "first");

    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    const auto next = on.fetch_one();
    BOOST_TEST(next.key == second.key);
    BOOST_TEST(next.payload == "third");
    BOOST_TEST(on.submit(keyed("fourth", duplicate::join)).key == second.key);
    BOOST_TEST(on.settle(next, kind::complete) == effect::done);
    const auto counts = on.counts();
    BOOST_TEST(counts.succeeded == 2U);
    BOOST_TEST(counts.held + counts.waiting + counts.running == 0U);
    BOOST_TEST(!on.submit(keyed("afterwards")).duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_successor_starts_whatever_way_the_task_before_it_ends, Backend, backends) {
    using end = void (*)(fixture&, const delivery&);
    const std::vector<std::pair<const char*, end>> ends{
        {"complete", [](fixture& on, const delivery& it) { on.settle(it, kind::complete); }},
        {"fail", [](fixture& on, const delivery& it) { on.settle(fixture::settled(it, kind::fail, "{}")); }},
        {"cancel", [](fixture& on, const delivery& it) { on.cancel(it.key), on.settle(it, kind::cancel); }},
        {"crash", [](fixture& on, const delivery&) { on.advance(fixture::lease), on.join(); }},
        {"a deadline", [](fixture& on, const delivery& it) {
             on.settle(fixture::settled(it, kind::retry, "{}", 20s));
             on.advance(45s);
             on.join();
         }},
        {"cancelled before its retry", [](fixture& on, const delivery& it) {
             on.settle(fixture::settled(it, kind::retry, "{}", 20s));
             on.cancel(it.key);
         }},
        {"removed before its retry", [](fixture& on, const delivery& it) {
             on.settle(fixture::settled(it, kind::retry, "{}", 20s));
             on.remove(it.key);
         }},
    };
    for (const auto& [what, finish] : ends) {
        for (const auto retention : {duration(1h), duration(0)}) {
            BOOST_TEST_CONTEXT(what << " with a retention of " << retention.count()) {
                fixture on(std::make_unique<Backend>());
                on.join();
                auto first = keyed("first");
                first.spec = fixture::task(run_policy{.deadline = 40s, .retention = retention, .failed_retention = retention,
                                                      .crash_limit = 1}).spec;
                on.add(first);
                const auto running = on.fetch_one();
                const auto next = on.submit(keyed("second")).key;
                finish(on, running);
                BOOST_TEST(on.counts().held == 0U);
                BOOST_TEST(on.fetch_one().key == next);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_retry_a_release_or_a_crash_does_not_start_the_successor, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    BOOST_TEST(on.settle(fixture::settled(on.fetch_one(), kind::retry, "{}", 5s)) == effect::done);
    const auto next = on.submit(keyed("second")).key;  // between two attempts it has started, too
    BOOST_TEST(next != key);
    on.advance(5s);
    const auto again = on.fetch_one();
    BOOST_TEST(again.key == key);
    BOOST_TEST(again.payload == "first");
    BOOST_TEST(on.settle(again, kind::release) == effect::done);
    BOOST_TEST(on.fetch_one().key == key);
    on.advance(on.lease);
    on.join();
    const auto recovered = on.fetch(w, 10);
    BOOST_REQUIRE_EQUAL(recovered.size(), 1U);
    BOOST_TEST(recovered[0].key == key);
    BOOST_TEST(on.state(next) == task_state::held);
    BOOST_TEST(on.settle(recovered[0], kind::complete) == effect::done);
    BOOST_TEST(on.fetch_one().key == next);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_was_given_back_before_it_began_is_replaced, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    BOOST_TEST(on.settle(on.fetch_one(), kind::release) == effect::done);
    BOOST_TEST(on.submit(keyed("second")).key == key);
    BOOST_TEST((payloads(on) == texts{"second"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_with_a_journal_keeps_its_payload_though_it_is_tried_afresh, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    const auto running = on.fetch_one();
    journal_write write;
    write.consumer = w;
    write.token = running.token;
    write.items.push_back({"sstep", "done", journal_write::mode::add});
    on.run(on.broker().write_journal({q, key}, write));
    BOOST_TEST(on.settle(fixture::settled(running, kind::fail, "{}")) == effect::done);
    BOOST_TEST(on.requeue(key) == effect::done);
    const auto next = on.submit(keyed("second"));
    BOOST_TEST(!next.duplicate);
    BOOST_TEST(on.record(key).payload == "first");
    BOOST_TEST(on.state(next.key) == task_state::held);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_tried_afresh_is_replaced_and_not_while_its_key_is_taken, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    BOOST_TEST(on.settle(fixture::settled(running, kind::fail, "{}")) == effect::done);
    BOOST_TEST(on.requeue(key) == effect::wrong_state);
    BOOST_TEST(on.settle(on.fetch_one(), kind::complete) == effect::done);
    BOOST_TEST(on.state(next) == task_state::succeeded);
    BOOST_TEST(on.requeue(key) == effect::done);
    BOOST_TEST(on.submit(keyed("third")).key == key);
    BOOST_TEST((payloads(on) == texts{"third"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_successor_waits_for_its_own_due_time_too, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto next = on.submit(debounced("second", 10s)).key;
    on.advance(4s);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST(on.state(next) == task_state::scheduled);
    BOOST_TEST((on.record(next).due_at == on.record(next).submitted_at + 10s));
    on.advance(6s);
    BOOST_TEST(on.fetch_one().key == next);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_successor_can_be_cancelled_removed_or_expire_and_the_next_takes_its_place, Backend, backends) {
    using end = void (*)(fixture&, task_key);
    const std::vector<end> ends{
        [](fixture& on, task_key key) { BOOST_TEST(on.cancel(key) == effect::done); },
        [](fixture& on, task_key key) { BOOST_TEST(on.remove(key) == effect::done); },
        [](fixture& on, task_key key) {
            on.advance(10s);
            BOOST_TEST(on.state(key) == task_state::expired);
        },
    };
    for (const auto finish : ends) {
        fixture on(std::make_unique<Backend>());
        on.join();
        on.add(keyed("first"));
        const auto running = on.fetch_one();
        auto second = keyed("second");
        second.spec = fixture::task(run_policy{.expires_in = 10s}).spec;
        finish(on, on.submit(second).key);
        BOOST_TEST(on.counts().held == 0U);
        const auto third = on.submit(keyed("third"));
        BOOST_TEST(!third.duplicate);
        BOOST_TEST(on.state(third.key) == task_state::held);
        BOOST_TEST(on.settle(running, kind::complete) == effect::done);
        BOOST_TEST(on.fetch_one().key == third.key);
    }
    fixture on(std::make_unique<Backend>());  // and none takes it
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    BOOST_TEST(on.cancel(on.submit(keyed("second")).key) == effect::done);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST(on.fetch(w).empty());
    BOOST_TEST(!on.submit(keyed("third")).duplicate);
    BOOST_TEST((payloads(on) == texts{"third"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_successor_is_not_started_by_hand, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    BOOST_TEST(on.start_held(next) == effect::wrong_state);
    BOOST_TEST(on.update(next, "updated") == effect::done);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST((payloads(on) == texts{"updated"}));
    auto held = keyed("held", duplicate::join);
    held.unique_key = "other";
    held.hold = true;
    BOOST_TEST(on.start_held(on.add(held)) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_is_held_beyond_its_window_while_a_successor_waits, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first");
    first.unique_window = 5s;
    on.add(first);
    const auto running = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    on.advance(6s);
    BOOST_TEST(on.submit(keyed("third")).key == next);
    BOOST_TEST(on.submit(keyed("fourth", duplicate::join)).key == running.key);
    BOOST_TEST(on.state(next) == task_state::held);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST((payloads(on) == texts{"third"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_window_that_has_passed_frees_the_key_where_nothing_waits, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first");
    first.unique_window = 5s;
    on.add(first);
    const auto running = on.fetch_one();
    on.advance(6s);
    const auto second = on.submit(keyed("second"));
    BOOST_TEST(!second.duplicate);
    BOOST_TEST(on.state(second.key) == task_state::waiting);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);  // whose key is another's by now
    BOOST_TEST(on.submit(keyed("third")).key == second.key);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_successor_holds_the_key_for_its_own_window, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    auto second = keyed("second");
    second.unique_window = 5s;
    const auto next = on.submit(second).key;
    on.advance(10s);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST(on.submit(keyed("third", duplicate::join)).key == next);
    on.advance(5s);
    BOOST_TEST(!on.submit(keyed("fourth", duplicate::join)).duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(restart_cancels_what_runs_and_the_successor_starts_when_that_has_ended, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    auto watching = on.start(on.broker().watch(w, 60s));
    const auto next = on.submit(keyed("second", duplicate::restart)).key;
    watching.get();  // its worker is told at once
    const auto told = on.renew();
    BOOST_REQUIRE_EQUAL(told.cancels.size(), 1U);
    BOOST_TEST(told.cancels[0].key == running.key);
    BOOST_TEST(on.record(running.key).cancel_requested);
    BOOST_TEST(on.state(next) == task_state::held);
    BOOST_TEST(on.submit(keyed("third", duplicate::restart)).key == next);
    BOOST_TEST(on.settle(running, kind::cancel) == effect::done);
    BOOST_TEST(on.state(running.key) == task_state::cancelled);
    BOOST_TEST((payloads(on) == texts{"third"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(restart_ends_what_is_between_two_attempts_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    BOOST_TEST(on.settle(fixture::settled(on.fetch_one(), kind::retry, "{}", 1h)) == effect::done);
    const auto next = on.submit(keyed("second", duplicate::restart)).key;
    BOOST_TEST(on.state(key) == task_state::cancelled);
    const auto got = on.fetch_one();
    BOOST_TEST(got.key == next);
    BOOST_TEST(got.payload == "second");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_awaits_what_the_same_call_restarts_hears_that_it_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first");
    first.spec = on.task(run_policy{.retention = 0s, .failed_retention = 0s}).spec;
    const auto key = on.add(first);
    BOOST_TEST(on.settle(fixture::settled(on.fetch_one(), kind::retry, "{}", 1h)) == effect::done);
    std::vector<new_task> both{keyed("joins", duplicate::join), keyed("second", duplicate::restart)};
    both[0].is_awaited = true;
    const auto answers = on.run(on.broker().submit(q, both));
    BOOST_TEST(answers.at(0).key == key);
    const auto outcome = on.run(on.broker().wait({q, key}, 1h));
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->state == task_state::cancelled);
    BOOST_TEST(on.fetch_one().key == answers.at(1).key);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(restart_replaces_what_has_not_started, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(keyed("first"));
    BOOST_TEST(on.submit(keyed("second", duplicate::restart)).key == key);
    const auto got = on.fetch_one();
    BOOST_TEST(got.payload == "second");
    BOOST_TEST(!on.record(key).cancel_requested);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_submission_moves_the_due_time_but_not_beyond_at_most, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(debounced("0", 10s, 25s));
    for (int n = 1; n <= 3; ++n) {
        on.advance(8s);
        BOOST_TEST(on.submit(debounced(std::to_string(n), 10s, 25s)).key == key);
        BOOST_TEST(on.state(key) == task_state::scheduled);
    }
    on.advance(1s);
    BOOST_TEST((payloads(on) == texts{"3"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(submissions_past_at_most_leave_the_task_ready, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(debounced("0", 10s, 10s));
    on.advance(12s);
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.submit(debounced("1", 10s, 10s));
    BOOST_TEST(on.state(key) == task_state::waiting);
    BOOST_TEST((payloads(on) == texts{"1"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_bound_each_submission_moves_the_due_time, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(debounced("0", 10s));
    for (int n = 1; n <= 20; ++n) {
        on.advance(9s);
        on.renew();
        BOOST_TEST(on.fetch(w).empty());
        on.submit(debounced(std::to_string(n), 10s));
    }
    on.advance(10s);
    BOOST_TEST((payloads(on) == texts{"20"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(submissions_of_one_key_in_one_call_end_in_one_task_with_the_last_payload, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto all = on.run(on.broker().submit(q, {keyed("1"), keyed("2"), keyed("3")}));
    BOOST_TEST(!all[0].duplicate);
    BOOST_TEST((all[1].duplicate && all[2].duplicate));
    BOOST_TEST((all[1].key == all[0].key && all[2].key == all[0].key));
    const auto running = on.fetch_one();
    BOOST_TEST(running.payload == "3");
    const auto next = on.run(on.broker().submit(q, {keyed("4"), keyed("5", duplicate::restart), keyed("6")}));
    BOOST_TEST(!next[0].duplicate);
    BOOST_TEST((next[1].key == next[0].key && next[2].key == next[0].key));
    BOOST_TEST(on.record(running.key).cancel_requested);
    BOOST_TEST(on.settle(running, kind::cancel) == effect::done);
    BOOST_TEST((payloads(on) == texts{"6"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_do_not_concern_each_other, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    auto other = keyed("other");
    other.unique_key = "k2";
    on.add(other);
    const auto of_other = on.fetch_one();
    BOOST_TEST(of_other.payload == "other");
    BOOST_TEST(on.settle(of_other, kind::complete) == effect::done);
    BOOST_TEST(on.state(next) == task_state::held);
    BOOST_TEST(on.submit(keyed("elsewhere"), "q2").key != next);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST(on.state(next) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_own_id_that_is_there_changes_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first");
    first.own_id = "mine";
    const auto key = on.add(first);
    first.payload = "second";
    BOOST_TEST(on.submit(first).key == key);
    BOOST_TEST(on.record(key).payload == "first");
    first.own_id = "another";
    BOOST_TEST(on.submit(first).key == key);
    BOOST_TEST(on.record(key).payload == "second");
    BOOST_TEST(on.record(key).own_id == "mine");
    BOOST_TEST(!on.run(on.broker().find(q, "another")).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_own_id_that_is_there_is_not_restarted, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto first = keyed("first", duplicate::restart);
    first.own_id = "mine";
    const auto key = on.add(first);
    const auto running = on.fetch_one();
    BOOST_TEST(on.submit(first).key == key);
    BOOST_TEST(!on.record(key).cancel_requested);
    BOOST_TEST(on.counts().held == 0U);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    const auto other = on.submit(keyed("other")).key;
    on.fetch_one();
    BOOST_TEST(on.submit(first).key == key);  // which has ended
    BOOST_TEST(!on.record(other).cancel_requested);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_run_has_the_last_payload_though_the_task_before_it_was_given_back, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto first = on.add(keyed("first"));
    const auto prefetched = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    BOOST_TEST(on.settle(prefetched, kind::release) == effect::done);
    BOOST_TEST(on.submit(keyed("third")).key == next);
    const auto before = on.fetch_one();
    BOOST_TEST(before.key == first);
    BOOST_TEST(before.payload == "first");
    BOOST_TEST(on.settle(before, kind::complete) == effect::done);
    BOOST_TEST((payloads(on) == texts{"third"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_subtask_keeps_its_payload_and_is_not_restarted, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto child = keyed("of its parent", duplicate::join);
    child.parent = parent_link{{"parents", {1, 1}}, "cone"};
    const auto key = on.add(child);
    const auto next = on.submit(keyed("second"));
    BOOST_TEST(!next.duplicate);
    BOOST_TEST(on.state(next.key) == task_state::held);
    BOOST_TEST(on.submit(keyed("third", duplicate::restart)).key == next.key);
    const auto running = on.fetch_one();
    BOOST_TEST(running.key == key);
    BOOST_TEST(running.payload == "of its parent");
    on.submit(keyed("fourth", duplicate::restart));
    BOOST_TEST(!on.record(key).cancel_requested);
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    BOOST_TEST((payloads(on) == texts{"fourth"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_replacement_begins_the_window_anew, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto task = debounced("0", 4s);
    task.unique_window = 5s;
    const auto key = on.add(task);
    for (int n = 1; n <= 4; ++n) {
        on.advance(3s);
        task.payload = std::to_string(n);
        BOOST_TEST(on.submit(task).key == key);
    }
    on.advance(4s);
    BOOST_TEST((payloads(on) == texts{"4"}));
    on.advance(1s);
    BOOST_TEST(!on.submit(keyed("after the window", duplicate::join)).duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ready_task_keeps_its_turn_under_another_name_and_with_a_time_that_is_past, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto begun_at = on.record(on.add(keyed("first"))).submitted_at;
    auto other = on.task();
    other.payload = "other";
    on.add(other);
    on.advance(5s);
    auto renamed = keyed("second");
    renamed.spec = fixture::task("another name").spec;
    on.submit(renamed);
    auto timed = keyed("third");
    timed.at = begun_at + 4s;
    on.submit(timed);
    BOOST_TEST((payloads(on) == texts{"third", "other"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_time_of_the_wall_clock_is_when_a_replaced_task_is_due, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto now = on.record(on.add(keyed("first"))).submitted_at;  // by the broker's clock
    auto timed = keyed("second");
    timed.at = now + 10s;
    on.submit(timed);
    on.advance(9s);
    BOOST_TEST(on.fetch(w).empty());
    on.advance(1s);
    BOOST_TEST((payloads(on) == texts{"second"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_for_a_replaced_submission_hears_of_the_run_that_took_its_place, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    auto second = keyed("second");
    second.is_awaited = true;
    const auto next = on.submit(second).key;
    auto waits = on.start(on.broker().wait({q, next}, 1h));
    on.submit(keyed("third"));
    BOOST_TEST(on.settle(fixture::settled(running, kind::complete, "\"of first\"")) == effect::done);
    BOOST_TEST(on.still_waiting(waits));
    BOOST_TEST(on.settle(fixture::settled(on.fetch_one(), kind::complete, "\"of third\"")) == effect::done);
    const auto outcome = waits.get();
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->result == "\"of third\"");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_that_waits_gets_the_successor_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add(keyed("first"));
    const auto running = on.fetch_one();
    const auto next = on.submit(keyed("second")).key;
    auto waits = on.start(on.broker().fetch(on.request(w, 1, 1h)));
    BOOST_TEST(on.settle(running, kind::complete) == effect::done);
    const auto got = waits.get();
    BOOST_REQUIRE_EQUAL(got.size(), 1U);
    BOOST_TEST(got[0].key == next);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_cannot_replace_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto refused = [&](new_task task) {
        return on.error_of(on.broker().submit(q, {std::move(task)})) == errc::invalid_argument;
    };
    auto keyless = keyed("x");
    keyless.unique_key.clear();
    BOOST_TEST(refused(keyless));
    auto held = keyed("x", duplicate::restart);
    held.hold = true;
    BOOST_TEST(refused(held));
    auto child = keyed("x");
    child.parent = parent_link{{q, {1, 1}}, "cstep"};
    BOOST_TEST(refused(child));
    auto negative = keyed("x");
    negative.at_most = -1ms;
    BOOST_TEST(refused(negative));
    auto timed = debounced("x", 1s, 2s);
    timed.at = time_point(1h);
    BOOST_TEST(refused(timed));
    timed.at_most = 0s;
    BOOST_TEST(!refused(timed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
