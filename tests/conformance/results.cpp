#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_results)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_ends_with_the_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    auto waiting = on.start(on.broker().wait({q, task.key}, 1h));
    BOOST_TEST(on.still_waiting(waiting));
    on.settle(on.settled(task.last, kind::complete, "{\"value\":3}"));
    const auto end = waiting.get();
    BOOST_REQUIRE(end.has_value());
    BOOST_TEST(end->state == task_state::succeeded);
    BOOST_TEST(end->result == "{\"value\":3}");
    BOOST_TEST(end->error.empty());
    BOOST_TEST(end->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_for_a_task_that_has_ended_returns_at_once, Backend, backends) {
    for (const auto state : reachable) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, state);
        const auto end = on.outcome(task.key);
        BOOST_TEST(end.has_value() == is_terminal(state));
        if (end) BOOST_TEST(end->state == state);
        BOOST_TEST(on.run(on.broker().wait({q, task.key}, -1s)).has_value() == is_terminal(state));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_gives_nothing_when_its_time_is_over, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto key = on.add();
    auto waiting = on.start(on.broker().wait({q, key}, 10s));
    on.advance(9999ms);
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(1ms);
    BOOST_TEST(!waiting.get().has_value());
    BOOST_TEST(on.state(key) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_for_an_unknown_task_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    BOOST_TEST(on.error_of(on.broker().wait({q, {1, 1}}, 1h)) == errc::not_found);
    auto key = on.add();
    ++key.nonce;
    BOOST_TEST(on.error_of(on.broker().wait({q, key}, 1h)) == errc::not_found);
    BOOST_TEST(on.error_of(on.broker().wait({"none", key}, 1h)) == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_waiting_callers_are_told, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    std::vector<started<std::optional<task_outcome>>> all;
    for (int i = 0; i < 10; ++i) all.push_back(on.start(on.broker().wait({q, task.key}, 1h)));
    all[3].cancel();
    all[9].cancel();
    BOOST_TEST(on.error_of(all[3]) == aborted);
    BOOST_TEST(on.error_of(all[9]) == aborted);
    on.settle(on.settled(task.last, kind::fail, "why"));
    for (const auto i : {0U, 1U, 2U, 4U, 5U, 6U, 7U, 8U}) {
        const auto end = all[i].get();
        BOOST_TEST((end && end->state == task_state::failed && end->error == "why"));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_that_was_announced_ends_like_any_other, Backend, backends) {
    for (const bool is_awaited : {false, true}) {
        for (const bool is_asleep : {false, true}) {  // whether a consumer sleeps, to whom a task may be handed over
            for (const std::size_t count : {1U, 5U}) {
                for (const auto how : {kind::complete, kind::fail}) {
                    fixture on(std::make_unique<Backend>());
                    on.join();
                    std::optional<started<std::vector<delivery>>> asleep;
                    if (is_asleep) asleep = on.start(on.broker().fetch(on.request(w, count, 1h)));
                    auto one = on.task();
                    one.is_awaited = is_awaited;
                    std::vector<started<std::optional<task_outcome>>> waits;
                    for (const auto& stored : on.run(on.broker().submit(q, std::vector<new_task>(count, one)))) {
                        waits.push_back(on.start(on.broker().wait({q, stored.key}, 1h)));
                    }
                    std::vector<delivery> found;
                    if (asleep) found = asleep->get();
                    while (found.size() < count) found.push_back(on.fetch_one());
                    for (const auto& each : waits) BOOST_TEST(on.still_waiting(each));
                    for (const auto& each : found) on.settle(on.settled(each, how, "\"x\""));
                    for (auto& each : waits) {
                        const auto end = each.get();
                        BOOST_REQUIRE(end.has_value());
                        const bool succeeded = how == kind::complete;
                        BOOST_TEST(end->state == (succeeded ? task_state::succeeded : task_state::failed));
                        BOOST_TEST((succeeded ? end->result : end->error) == "\"x\"");
                        BOOST_TEST(end->attempts == 1U);
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_that_was_announced_may_begin_when_the_task_has_ended, Backend, backends) {
    for (const bool is_awaited : {false, true}) {
        fixture on(std::make_unique<Backend>());
        on.join();
        auto one = on.task();
        one.is_awaited = is_awaited;
        const auto key = on.add(std::move(one));
        on.settle(on.settled(on.fetch_one(), kind::complete, "42"));
        for (int times = 0; times < 2; ++times) {
            const auto end = on.outcome(key);
            BOOST_TEST((end && end->state == task_state::succeeded && end->result == "42" && end->attempts == 1U));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_that_was_announced_sees_a_task_that_is_placed_elsewhere, Backend, backends) {
    for (const bool is_awaited : {false, true}) {
        fixture on(std::make_unique<Backend>());
        on.join();
        auto late = on.task(run_policy{.expires_in = 10s});
        late.is_awaited = is_awaited;
        auto held = late;
        held.hold = true;
        for (auto* one : {&late, &held}) {
            const auto key = on.add(*one);
            auto waiting = on.start(on.broker().wait({q, key}, 1h));
            BOOST_TEST(on.still_waiting(waiting));
            on.advance(10s);
            BOOST_TEST((waiting.get().value().state == task_state::expired));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_outlasts_retries_and_lost_leases, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    auto waiting = on.start(on.broker().wait({q, task.key}, 24h));
    on.settle(on.settled(task.last, kind::retry, "no", 5s));
    on.advance(5s);
    on.fetch_one();
    on.advance(on.lease);
    BOOST_TEST(on.still_waiting(waiting));
    on.join();
    on.settle(on.fetch_one(), kind::complete);
    const auto end = waiting.get();
    BOOST_TEST((end && end->state == task_state::succeeded && end->attempts == 2U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_sees_the_end_that_time_brings, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto expires = on.add(on.task(run_policy{.expires_in = 10s}));
    auto first = on.start(on.broker().wait({q, expires}, 1h));
    on.advance(10s);
    BOOST_TEST((first.get().value().state == task_state::expired));
    const auto crashes = on.add(on.task(run_policy{.crash_limit = 1}));
    auto second = on.start(on.broker().wait({q, crashes}, 1h));
    on.fetch_one();
    on.advance(on.lease);
    BOOST_TEST((second.get().value().state == task_state::failed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_retention_only_waiting_callers_get_the_result, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running, run_policy{.retention = 0s});
    auto waiting = on.start(on.broker().wait({q, task.key}, 1h));
    on.settle(on.settled(task.last, kind::complete, "42"));
    const auto end = waiting.get();
    BOOST_TEST((end && end->result == "42"));
    BOOST_TEST(!on.exists(task.key));
    BOOST_TEST(on.error_of(on.broker().wait({q, task.key}, 1h)) == errc::not_found);
    BOOST_TEST(on.counts().succeeded == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_retention_a_client_that_comes_late_to_its_own_task_gets_the_result, Backend, backends) {
    enum class how { plain, large, own_id, unique, expiring, delayed, duplicate };
    for (const auto as : {how::plain, how::large, how::own_id, how::unique, how::expiring, how::delayed, how::duplicate}) {
        for (const std::size_t count : {1U, 5U}) {
            for (const auto end : {kind::complete, kind::fail}) {
                BOOST_TEST_CONTEXT(int(as) << ", " << count) {
                    fixture on(std::make_unique<Backend>());
                    on.join();
                    run_policy policy{.retention = 0s, .failed_retention = 0s};
                    if (as == how::expiring) policy.expires_in = 10s;
                    std::vector<new_task> tasks(count, on.task(policy));
                    for (std::size_t i = 0; i < count; ++i) {
                        if (as == how::own_id || as == how::duplicate) tasks[i].own_id = std::to_string(i);
                        if (as == how::unique) tasks[i].unique_key = std::to_string(i);
                        if (as == how::delayed) tasks[i].delay = 1s;
                    }
                    if (as == how::duplicate) on.run(on.broker().submit(q, tasks));
                    for (auto& one : tasks) one.is_awaited = true;
                    const auto stored = on.run(on.broker().submit(q, tasks));
                    on.advance(1s);
                    const auto text = as == how::large ? '"' + std::string(100'000, 'x') + '"' : std::string("42");
                    const auto found = on.fetch(w, count);
                    BOOST_REQUIRE_EQUAL(found.size(), count);
                    for (const auto& one : found) BOOST_TEST(on.settle(on.settled(one, end, text)) == effect::done);
                    for (const auto& one : stored) {
                        const auto got = on.run(on.broker().wait({q, one.key}, 1h));
                        BOOST_REQUIRE(got.has_value());
                        BOOST_TEST(((end == kind::complete ? got->result : got->error) == text));
                    }
                    on.advance(1min);
                    for (const auto& one : stored) BOOST_TEST(!on.exists(one.key));
                    BOOST_TEST(on.counts().succeeded + on.counts().failed == 0U);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(clients_that_submit_what_another_awaits_get_its_result_though_they_come_when_it_has_ended, Backend, backends) {
    for (const duration retention : {duration(0), duration(1h)}) {
        for (const bool is_unique : {false, true}) {
            BOOST_TEST_CONTEXT(retention.count() << " ms" << (is_unique ? ", by a unique key" : "")) {
                fixture on(std::make_unique<Backend>());
                on.join();
                auto one = on.task(run_policy{.retention = retention});
                (is_unique ? one.unique_key : one.own_id) = "mine";
                one.is_awaited = true;
                const auto key = on.submit(one).key;
                auto first = on.start(on.broker().wait({q, key}, 1h));
                for (int i = 0; i < 2; ++i) BOOST_TEST(on.submit(one).duplicate);
                on.settle(on.settled(on.fetch_one(), kind::complete, "42"));
                BOOST_TEST(first.get()->result == "42");
                on.let_work();
                for (int i = 0; i < 2; ++i) {
                    auto late = on.start(on.broker().wait({q, key}, 1h));
                    on.let_work();  // at once: no time passes
                    BOOST_TEST_REQUIRE(late.done());
                    BOOST_TEST(late.get()->result == "42");
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_without_retention_goes_with_its_end_when_all_its_clients_wait, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto one = on.task(run_policy{.retention = 0s});
    one.own_id = "mine";
    one.is_awaited = true;
    std::vector<started<std::optional<task_outcome>>> all;
    for (int i = 0; i < 3; ++i) all.push_back(on.start(on.broker().wait({q, on.submit(one).key}, 1h)));
    on.settle(on.settled(on.fetch_one(), kind::complete, "42"));
    for (auto& each : all) BOOST_TEST(each.get()->result == "42");
    BOOST_TEST(!on.submit(one).duplicate);  // its id is free
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_caller_that_waits_for_a_removed_task_is_told_that_it_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto keys = on.add_many(2);
    auto removed = on.start(on.broker().wait({q, keys[0]}, 1h));
    auto cleared = on.start(on.broker().wait({q, keys[1]}, 1h));
    on.remove(keys[0]);
    on.run(on.broker().clear(q, std::nullopt, 10));
    BOOST_TEST((removed.get().value().state == task_state::cancelled));
    BOOST_TEST((cleared.get().value().state == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(progress_and_log_are_kept_with_the_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    BOOST_TEST(on.report_progress(task.last, "0.1") == effect::done);
    BOOST_TEST(on.report_progress(task.last, "0.5") == effect::done);
    attempt_report news;
    news.key = task.key;
    news.token = task.last.token;
    log_line line;
    line.at = task.last.started_at;
    line.level = log_level::warning;
    line.text = "hot";
    line.fields = {{"degrees", "95"}};
    news.log = {line};
    on.run(on.broker().report(q, w, {news}));
    auto record = on.record(task.key);
    BOOST_TEST(record.progress == "0.5");  // a report without progress leaves it
    BOOST_REQUIRE(record.log.size() == 1U);
    BOOST_TEST((record.log[0].at == line.at && record.log[0].level == line.level));
    BOOST_TEST(record.log[0].text == "hot");
    BOOST_TEST((record.log[0].fields == line.fields));
    on.settle(task.last, kind::complete);
    record = on.record(task.key);
    BOOST_TEST(record.progress == "0.5");
    BOOST_TEST(record.log.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_hundred_log_lines_are_kept, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    int written = 0;
    for (const int some : {1, 98, 3, 40, 120}) {
        attempt_report news;
        news.key = task.key;
        news.token = task.last.token;
        for (int i = 0; i < some; ++i) {
            log_line line;
            line.text = std::to_string(written++);
            news.log.push_back(line);
        }
        BOOST_TEST((on.run(on.broker().report(q, w, {news})) == std::vector{effect::done}));
        const auto log = on.record(task.key).log;
        BOOST_TEST(log.size() == std::size_t((std::min)(written, 100)));
        for (std::size_t i = 0; i < log.size(); ++i) {
            BOOST_TEST(log[log.size() - 1 - i].text == std::to_string(written - 1 - int(i)));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_the_current_attempt_is_heard, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    on.join("b");
    BOOST_TEST(on.report_progress(task.last, "theirs", "b") == effect::lease_lost);
    on.settle(task.last, kind::retry);
    BOOST_TEST(on.report_progress(task.last, "late") == effect::lease_lost);
    const auto current = on.fetch_one();
    BOOST_TEST(on.report_progress(task.last, "old") == effect::lease_lost);
    on.cancel(task.key);
    BOOST_TEST(on.report_progress(current, "still") == effect::done);
    on.settle(current, kind::cancel);
    BOOST_TEST(on.record(task.key).progress == "still");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
