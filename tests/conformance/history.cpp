#include <conformance/historian.hpp>

#include <taskflux/admin/inspector.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_history {

using outcome = attempt_outcome;
using some = std::vector<attempt_outcome>;

}  // namespace conformance_history

BOOST_AUTO_TEST_SUITE(conformance_history)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_has_not_started_has_no_attempts, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    BOOST_TEST(on.attempts(key).attempts.empty());
    on.cancel(key);
    BOOST_TEST(on.attempts(key).attempts.empty());
    BOOST_TEST(on.error_of(on.broker().attempts({q, task_key{99, 1}})) == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_tells_who_runs_it_since_when_and_how_it_ended, Backend, backends) {
    for (const std::size_t many : {1U, 5U}) {  // alone, and in a segment
        historian on(std::make_unique<Backend>());
        const auto keys = on.add_many(many);
        const auto held = on.fetch(w, many);
        BOOST_REQUIRE(held.size() == many);
        const auto running = on.last(keys.back());
        BOOST_TEST((running.outcome == outcome::running && running.attempt == 1U && running.token == 1U));
        BOOST_TEST((running.consumer == w && running.ended_at == time_point{}));
        on.advance(3s);
        on.settle(held.back(), kind::complete);
        const auto ended = on.last(keys.back());
        BOOST_TEST((ended.outcome == outcome::succeeded && ended.attempt == 1U));
        BOOST_TEST(ended.consumer == w);
        BOOST_TEST((ended.started_at == running.started_at && ended.ended_at - ended.started_at == 3s));
        BOOST_TEST(on.record(keys.back()).consumer.empty());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_attempt_that_failed_is_kept_with_its_error, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper"), 1s));
    on.advance(1s);
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no ink"), 2s));
    on.advance(2s);
    on.settle(on.settled(on.fetch_one(), kind::fail, on.thrown("no printer")));
    const auto all = on.attempts(key).attempts;
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::retried, outcome::failed}));
    for (unsigned n = 0; n < 3; ++n) BOOST_TEST((all[n].attempt == n + 1 && all[n].token == n + 1 && all[n].consumer == w));
    BOOST_TEST(all[0].error.find("no paper") != std::string::npos);
    BOOST_TEST(all[1].error.find("no ink") != std::string::npos);
    BOOST_TEST(all[2].error.find("no printer") != std::string::npos);
    BOOST_TEST((all[1].started_at - all[0].started_at == 1s && all[2].started_at - all[1].started_at == 2s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_success_after_failures_keeps_them, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper")));
    on.settle(on.fetch_one(), kind::complete);
    BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::succeeded}));
    BOOST_TEST(on.last(key).attempt == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_no_failure_is_told_and_keeps_the_number_of_the_attempt, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    auto postponed = on.settled(on.fetch_one(), kind::retry, "", 0ms);
    postponed.counts = false;
    on.settle(postponed);
    on.settle(on.fetch_one(), kind::release);
    on.settle(on.fetch_one(), kind::suspend);
    const auto again = on.fetch_one();
    on.pass(on.lease);
    on.join("heir");
    const auto heirs = on.fetch_one("heir");
    on.cancel(key);
    on.settle(heirs, kind::cancel, "heir");
    BOOST_TEST((on.outcomes(key) == some{outcome::postponed, outcome::released, outcome::suspended, outcome::lost,
                                             outcome::cancelled}));
    for (const auto& one : on.attempts(key).attempts) BOOST_TEST(one.attempt == 1U);
    BOOST_TEST((on.attempts(key).attempts[3].consumer == w && on.last(key).consumer == "heir"));
    BOOST_TEST(on.attempts(key).attempts[3].token == again.token);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_crash_that_ends_a_task_is_told_as_one, Backend, backends) {
    historian on(std::make_unique<Backend>());
    run_policy policy;
    policy.crash_limit = 1;
    const auto key = on.add(on.task(policy));
    on.fetch_one();
    on.pass(on.lease);
    BOOST_TEST(on.state(key) == task_state::failed);
    BOOST_TEST((on.outcomes(key) == some{outcome::lost}));
    BOOST_TEST(on.last(key).consumer == w);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_tried_afresh_keeps_its_attempts, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::fail, on.thrown("no paper")));
    on.requeue(key);
    BOOST_TEST((on.outcomes(key) == some{outcome::failed}));
    BOOST_TEST(on.last(key).error.find("no paper") != std::string::npos);
    on.settle(on.fetch_one(), kind::complete);
    BOOST_TEST((on.outcomes(key) == some{outcome::failed, outcome::succeeded}));
    BOOST_TEST((on.last(key).attempt == 1U && on.last(key).token == 2U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_attempts_are_kept_and_the_others_counted, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    for (int n = 1; n <= 25; ++n) on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown(std::to_string(n))));
    on.fetch_one();
    const auto known = on.attempts(key);
    BOOST_TEST(known.left_out == 5U);
    BOOST_REQUIRE(known.attempts.size() == 21U);
    BOOST_TEST((known.attempts.front().attempt == 6U && known.attempts.back().attempt == 26U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_long_error_of_an_attempt_is_left_out_and_its_size_told, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto longer = on.thrown(std::string(5000, 'x'));
    on.settle(on.settled(on.fetch_one(), kind::retry, longer));
    BOOST_TEST(on.last(key).error.empty());
    BOOST_TEST(on.last(key).error_size >= longer.size());
    on.settle(on.settled(on.fetch_one(), kind::fail, longer));
    BOOST_TEST(on.last(key).error.size() >= longer.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removed_task_has_no_history, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper"), 1h));
    BOOST_TEST(on.remove(key) == effect::done);
    BOOST_TEST(on.error_of(on.broker().attempts({q, key})) == errc::not_found);
    BOOST_TEST(on.error_of(on.broker().log({q, key}, {})) == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_that_has_returned_tells_so_while_it_waits_for_subtasks, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    journal_write what;
    what.consumer = w;
    what.token = held.token;
    auto& item = what.items.emplace_back();
    item.key = child_key("0");
    item.text = child_place{"other", "work", "mine"}.text();
    item.is_spawned = true;
    on.run(on.broker().write_journal({q, key}, what));
    on.settle(held, kind::complete);
    BOOST_TEST(on.state(key) == task_state::waiting_children);
    BOOST_TEST((on.outcomes(key) == some{outcome::succeeded}));
    on.cancel(key);
    BOOST_TEST((on.outcomes(key) == some{outcome::succeeded}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_history_has_the_notes_of_the_journal_those_with_times_first, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    auto child = on.task("child");
    child.own_id = "mine";
    on.add(child, "other");
    journal_write what;
    what.consumer = w;
    what.token = held.token;
    for (const auto& [name, text] : {std::pair<std::string, std::string>{step_key("charge"), "42"}, {step_key("~sleep/2"), "5000000000"},
                                     {child_key("1"), child_place{"other", "child", "mine"}.text()}, {step_key("~any/4"), "1"}}) {
        auto& item = what.items.emplace_back();
        item.key = name;
        item.text = text;
    }
    on.run(on.broker().write_journal({q, key}, what));
    on.run(on.broker().signal({q, key}, "paid", "true"));
    const inspector sees(on.shared());
    const auto found = on.run(sees.history({q, key}));
    BOOST_TEST(found.attempts.size() == 1U);
    BOOST_REQUIRE(found.notes.size() == 4U);
    const auto sleeps = std::ranges::find(found.notes, note_kind::sleep, &journal_note::kind);
    BOOST_REQUIRE((sleeps != found.notes.end()));
    BOOST_TEST((sleeps->name == "sleep/2" && sleeps->at == time_point(5s)));
    const auto below = std::ranges::find(found.notes, note_kind::subtask, &journal_note::kind);
    BOOST_REQUIRE((below != found.notes.end()));
    BOOST_TEST((below->name == "1" && below->state == task_state::waiting && below->at != time_point{} && !below->task.empty()));
    BOOST_TEST((found.notes[2].kind == note_kind::step && found.notes[2].name == "charge"));
    BOOST_TEST((found.notes[3].kind == note_kind::signal && found.notes[3].name == "paid#1"));
    BOOST_TEST(!found.is_cut);
    const auto cut = on.run(sees.history({q, key}, 2));
    BOOST_TEST((cut.notes.size() == 2U && cut.is_cut));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_attempt_at_a_task_that_is_tried_afresh_ended_with_it, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    on.advance(2s);
    on.settle(on.settled(held, kind::fail, on.thrown("no paper")));
    const auto before = on.last(key);
    on.advance(1h);
    on.requeue(key);
    BOOST_TEST((on.last(key).ended_at == before.ended_at && before.ended_at - before.started_at == 2s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_passes_on_the_crash_of_another_task_has_failed, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper")));
    const std::string passed_on = R"({"code":"crashed","type":"taskflux::task_failed","message":"the lease was lost 3 times"})";
    on.settle(on.settled(on.fetch_one(), kind::fail, passed_on));
    for (const bool is_afresh : {false, true}) {
        if (is_afresh) on.requeue(key);
        BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::failed}));
        BOOST_TEST(on.last(key).attempt == 2U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_that_is_cancelled_has_its_number_however_it_ends, Backend, backends) {
    enum class way { cancel, complete, fail, retry, postpone, release, leave, lose, crash };
    for (const auto how : {way::cancel, way::complete, way::fail, way::retry, way::postpone, way::release, way::leave, way::lose, way::crash}) {
        historian on(std::make_unique<Backend>());
        run_policy policy;
        policy.crash_limit = how == way::crash ? 1 : 3;
        const auto key = on.add(on.task(policy));
        on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper")));
        const auto held = on.fetch_one();
        on.cancel(key);
        auto postponed = on.settled(held, kind::retry, on.thrown("not now"));
        postponed.counts = false;
        switch (how) {
            case way::cancel: on.settle(held, kind::cancel); break;
            case way::complete: on.settle(held, kind::complete); break;
            case way::fail: on.settle(on.settled(held, kind::fail, on.thrown("no ink"))); break;
            case way::retry: on.settle(on.settled(held, kind::retry, on.thrown("no ink"))); break;
            case way::postpone: on.settle(postponed); break;
            case way::release: on.settle(held, kind::release); break;
            case way::leave: on.run(on.broker().leave(w, {q})); break;
            case way::lose:
            case way::crash: on.pass(on.lease); break;
        }
        BOOST_TEST_CONTEXT("way " << static_cast<int>(how)) {
            BOOST_TEST(on.state(key) == task_state::cancelled);
            BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::cancelled}));
            BOOST_TEST((on.last(key).attempt == 2U && on.last(key).error.empty()));
            on.requeue(key);
            BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::cancelled}));
            BOOST_TEST(on.last(key).attempt == 2U);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_that_is_postponed_beyond_the_deadline_has_its_number_and_its_error, Backend, backends) {
    historian on(std::make_unique<Backend>());
    run_policy policy;
    policy.deadline = 1min;
    const auto key = on.add(on.task(policy));
    on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown("no paper")));
    const auto longer = on.thrown(std::string(5000, 'x'));
    auto postponed = on.settled(on.fetch_one(), kind::retry, longer, 1h);
    postponed.counts = false;
    on.settle(postponed);
    BOOST_TEST(on.state(key) == task_state::failed);
    BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::failed}));
    BOOST_TEST((on.last(key).attempt == 2U && on.last(key).error.size() >= longer.size()));
    on.requeue(key);
    BOOST_TEST((on.outcomes(key) == some{outcome::retried, outcome::failed}));
    BOOST_TEST((on.last(key).attempt == 2U && on.last(key).error_size >= longer.size()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(attempts_that_do_not_count_do_not_push_out_failures, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    for (int n = 1; n <= 12; ++n) on.settle(on.settled(on.fetch_one(), kind::retry, on.thrown(std::to_string(n))));
    for (int n = 1; n <= 15; ++n) {
        on.settle(on.fetch_one(), kind::release);
        auto postponed = on.settled(on.fetch_one(), kind::retry);
        postponed.counts = false;
        on.settle(postponed);
        on.settle(on.fetch_one(), kind::suspend);
    }
    const auto known = on.attempts(key);
    BOOST_TEST(known.left_out == 12U + 45U - 20U);
    BOOST_REQUIRE(known.attempts.size() == 20U);
    for (std::size_t n = 0; n != 10U; ++n) {
        BOOST_TEST((known.attempts[n].outcome == outcome::retried && known.attempts[n].attempt == n + 3U));
    }
    BOOST_TEST((known.attempts[10].outcome == outcome::suspended && known.attempts[10].token == 12U + 36U));
    BOOST_TEST((known.attempts[19].outcome == outcome::suspended && known.attempts[19].token == 12U + 45U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_that_fails_by_the_crash_of_a_subtask_has_succeeded_itself, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    journal_write what;
    what.consumer = w;
    what.token = held.token;
    auto& item = what.items.emplace_back();
    item.key = child_key("0");
    item.text = child_place{q, "work", "mine"}.text();
    item.is_spawned = true;
    on.run(on.broker().write_journal({q, key}, what));
    run_policy policy;
    policy.crash_limit = 1;
    auto child = on.task(policy);
    child.own_id = "mine";
    child.parent = parent_link{{q, key}, child_key("0")};
    const auto below = on.add(child);
    on.settle(held, kind::complete);
    on.fetch_one();
    on.pass(on.lease);
    BOOST_TEST((on.state(below) == task_state::failed && on.state(key) == task_state::failed));
    BOOST_TEST((on.outcomes(below) == some{outcome::lost}));
    BOOST_TEST((on.outcomes(key) == some{outcome::succeeded}));
    on.requeue(key);
    BOOST_TEST((on.outcomes(key) == some{outcome::succeeded}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
