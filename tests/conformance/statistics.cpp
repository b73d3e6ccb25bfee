#include <conformance/fixture.hpp>
#include <taskflux/admin/metrics.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/statistics.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/failure.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_statistics {

/// A queue whose attempts are settled as a worker does.
struct counted : fixture {
    explicit counted(std::unique_ptr<backend> on) : fixture(std::move(on)), seen(shared(), q) { join(w); }

    static settlement marked(const delivery& which, kind how, duration ran = {}, bool has_timed_out = false) {
        auto end = settled(which, how);
        if (how == kind::fail || how == kind::retry) end.data = encode(failure{"task_failed", "", "why", "", ""});
        end.mark.spec = which.spec;
        end.mark.ran = ran;
        end.mark.has_timed_out = has_timed_out;
        if (is_first_attempt(which)) end.mark.waited = which.started_at - which.due_at;
        return end;
    }

    effect end(const delivery& which, kind how, duration ran = {}) { return settle(marked(which, how, ran)); }

    /// One task from its submission to its end.
    void pass_through(const std::string& name = "work", kind how = kind::complete) {
        add(task(name));
        end(fetch_one(), how);
    }

    /// A process sends what it has counted at most once a second.
    void send() {
        pass(1s);
        renew();
    }
    queue_statistics totals() {
        let_work();
        return run(seen.now());
    }
    task_statistics of(const std::string& name) {
        for (const auto& one : totals().tasks) {
            if (one.name == name) return one.counts;
        }
        return {};
    }
    throughput rates(const std::string& name = {}) {
        let_work();
        return run(seen.rates(name));
    }
    std::vector<history_point> history(history_tier tier, const std::string& name = {}) {
        let_work();
        return run(seen.history(tier, name));
    }

    statistics seen;
};

}  // namespace conformance_statistics

BOOST_AUTO_TEST_SUITE(conformance_statistics)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_new_queue_has_counted_nothing, Backend, backends) {
    counted on(std::make_unique<Backend>());
    const auto all = on.totals();
    BOOST_TEST(all.all.submitted == 0U);
    BOOST_TEST(all.tasks.empty());
    BOOST_TEST((all.oldest_waiting == 0ms));
    BOOST_TEST(on.history(history_tier::minute).empty());
    BOOST_TEST(on.rates().day.submitted == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(submissions_count_by_name_and_duplicates_do_not, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add(on.task("a"));
    on.add_many(300);
    auto own = on.task("a");
    own.own_id = "mine";
    on.submit(own);
    on.submit(own);
    auto later = on.task("b");
    later.delay = 1h;
    on.add(later);
    BOOST_TEST(on.of("a").submitted == 2U);
    BOOST_TEST(on.of("work").submitted == 300U);
    BOOST_TEST(on.of("b").submitted == 1U);
    BOOST_TEST(on.totals().all.submitted == 303U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_handed_to_a_sleeper_counts, Backend, backends) {
    counted on(std::make_unique<Backend>());
    auto sleeper = on.start(on.broker().fetch(on.request(w, 1, 1h)));
    on.add(on.task("a"));
    on.end(sleeper.get().at(0), kind::complete);
    on.send();
    BOOST_TEST(on.of("a").submitted == 1U);
    BOOST_TEST(on.of("a").ended.succeeded == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_count_by_how_they_end_and_attempts_too, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.pass_through();
    on.pass_through("work", kind::fail);
    on.pass_through("other work");
    on.add();
    on.end(on.fetch_one(), kind::retry);
    on.end(on.fetch_one(), kind::complete);
    on.cancel(on.add());
    run_policy short_lived;
    short_lived.expires_in = 1s;
    on.add(on.task(short_lived));
    on.pass(2s);
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.submitted == 5U);
    BOOST_TEST(work.ended.succeeded == 2U);
    BOOST_TEST(work.ended.failed == 1U);
    BOOST_TEST(work.ended.cancelled == 1U);
    BOOST_TEST(work.ended.expired == 1U);
    BOOST_TEST(work.attempts.succeeded == 2U);
    BOOST_TEST(work.attempts.failed == 1U);
    BOOST_TEST(work.attempts.retried == 1U);
    BOOST_TEST(work.attempts.timed_out == 0U);
    BOOST_TEST(on.of("other work").ended.succeeded == 1U);
    BOOST_TEST(on.totals().all.ended.succeeded == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_that_end_together_count_each, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add_many(50);
    std::vector<settlement> ends;
    for (const auto& one : on.fetch(w, 50)) ends.push_back(on.marked(one, ends.size() < 10 ? kind::fail : kind::complete, 30ms));
    on.run(on.broker().settle(q, w, ends));
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.ended.succeeded == 40U);
    BOOST_TEST(work.ended.failed == 10U);
    BOOST_TEST(work.attempts.succeeded == 40U);
    BOOST_TEST(work.run.count() == 50U);
    BOOST_TEST(work.run.sum_ms == 1'500U);
    BOOST_TEST(work.wait.count() == 50U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_that_is_refused_does_not_count, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add();
    const auto first = on.fetch_one();
    on.end(first, kind::release);
    BOOST_TEST((on.end(first, kind::complete) == effect::lease_lost));
    BOOST_TEST((on.end(on.fetch_one(), kind::cancel) == effect::wrong_state));
    const auto work = on.of("work");
    BOOST_TEST(work.attempts.succeeded == 0U);
    BOOST_TEST(work.attempts.cancelled == 0U);
    BOOST_TEST(work.ended.succeeded == 0U);
    BOOST_TEST(work.run.count() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_task_that_completes_has_ended_as_cancelled, Backend, backends) {
    counted on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto run = on.fetch_one();
    on.cancel(key);
    on.end(run, kind::complete);
    BOOST_TEST(on.of("work").ended.succeeded == 0U);
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.ended.cancelled == 1U);
    BOOST_TEST(work.ended.succeeded == 0U);
    BOOST_TEST(work.attempts.succeeded == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(attempts_count_as_what_became_of_their_tasks, Backend, backends) {
    counted on(std::make_unique<Backend>());
    for (const auto how : {kind::fail, kind::retry}) {
        const auto key = on.add();
        const auto run = on.fetch_one();
        on.cancel(key);
        on.end(run, how);
        BOOST_TEST((on.state(key) == task_state::cancelled));
    }
    run_policy policy;
    policy.deadline = 5s;
    const auto late = on.add(on.task(policy));
    auto end = on.marked(on.fetch_one(), kind::retry);
    end.delay = 10s;
    on.settle(end);
    BOOST_TEST((on.state(late) == task_state::failed));
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.attempts.cancelled == 2U);
    BOOST_TEST(work.attempts.failed == 1U);
    BOOST_TEST(work.attempts.retried == 0U);
    BOOST_TEST(work.ended.cancelled == 2U);
    BOOST_TEST(work.ended.failed == 1U);
    const auto groups = on.run(inspector(on.shared()).errors(q));
    BOOST_REQUIRE(groups.size() == 1U);
    BOOST_TEST(groups[0].failed == 1U);
    BOOST_TEST(groups[0].retried == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_timeout_counts_as_one_whether_another_attempt_follows_or_not, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add();
    on.settle(on.marked(on.fetch_one(), kind::retry, 1s, true));
    on.settle(on.marked(on.fetch_one(), kind::fail, 1s, true));
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.attempts.timed_out == 2U);
    BOOST_TEST(work.attempts.retried == 0U);
    BOOST_TEST(work.attempts.failed == 0U);
    BOOST_TEST(work.ended.failed == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(attempts_are_lost_with_their_lease_and_the_last_one_fails_the_task, Backend, backends) {
    counted on(std::make_unique<Backend>());
    run_policy policy;
    policy.crash_limit = 2;
    on.add(on.task(policy));
    for (const auto* const consumer : {"x", "y"}) {
        on.join(consumer);
        on.fetch_one(consumer);
        on.pass(on.lease + 1ms);
    }
    const auto work = on.of("work");
    BOOST_TEST(work.attempts.lost == 2U);
    BOOST_TEST(work.ended.failed == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_wait_is_counted_once_from_when_a_task_was_due, Backend, backends) {
    counted on(std::make_unique<Backend>());
    auto one = on.task();
    one.delay = 10s;
    on.add(one);
    on.pass(12s);  // due for 2 s
    on.renew();
    on.end(on.fetch_one(), kind::retry, 100ms);
    on.pass(5s);
    on.end(on.fetch_one(), kind::complete, 7s);
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.wait.count() == 1U);
    BOOST_TEST(work.wait.sum_ms == 2'000U);
    BOOST_TEST((work.wait.percentile(0.5) == 2s));
    BOOST_TEST(work.run.count() == 2U);
    BOOST_TEST(work.run.sum_ms == 7'100U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_first_attempt_that_suspends_has_ended_the_wait, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add();
    on.pass(2s);
    on.renew();
    on.end(on.fetch_one(), kind::release);
    on.pass(1s);
    on.end(on.fetch_one(), kind::suspend);
    on.pass(1ms);
    on.end(on.fetch_one(), kind::complete);
    on.send();
    const auto work = on.of("work");
    BOOST_TEST(work.wait.count() == 1U);
    BOOST_TEST(work.wait.sum_ms == 3'000U);
    BOOST_TEST(work.run.count() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_leaves_has_told_what_it_has_counted, Backend, backends) {
    counted on(std::make_unique<Backend>());
    for (int i = 0; i < 3; ++i) on.pass_through();  // the first is sent at once
    on.pass_through("work", kind::fail);
    on.run(on.broker().leave(w, {q}));
    const auto all = on.run(on.seen.now()).all;
    BOOST_TEST(all.ended.succeeded == 3U);
    BOOST_TEST(all.attempts.failed == 1U);
    BOOST_TEST(on.run(inspector(on.shared()).errors(q)).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sum_of_times_never_falls, Backend, backends) {
    counted on(std::make_unique<Backend>());
    for (int i = 0; i < 4; ++i) {
        on.add();
        on.end(on.fetch_one(), kind::complete, duration(600'000'000'000'000));
        if (i % 2 == 1) on.send();
    }
    on.pass(20s);
    on.renew();
    BOOST_TEST(on.of("work").run.sum_ms >= 999'999'999'999'999U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_names_at_once_are_counted_together_beyond_a_bound, Backend, backends) {
    counted on(std::make_unique<Backend>());
    constexpr std::size_t many = 700;
    std::vector<settlement> ends;
    for (std::size_t i = 0; i < many; ++i) on.add(on.task("name " + std::to_string(i)));
    for (std::size_t left = many; left > 0; left -= 100) {
        for (const auto& one : on.fetch(w, 100)) ends.push_back(on.marked(one, kind::complete));
    }
    on.run(on.broker().settle(q, w, ends));
    on.send();
    const auto all = on.totals();
    BOOST_TEST(all.all.ended.succeeded == many);
    BOOST_TEST(all.all.attempts.succeeded == many);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_requeued_task_waits_from_then_on, Backend, backends) {
    counted on(std::make_unique<Backend>());
    const auto key = on.add();
    on.end(on.fetch_one(), kind::fail);
    on.pass(10s);
    on.renew();
    on.requeue(key);
    on.pass(3s);
    on.end(on.fetch_one(), kind::complete);
    on.send();
    BOOST_TEST(on.of("work").wait.sum_ms == 3'000U);
    BOOST_TEST(on.of("work").ended.succeeded == 1U);
    BOOST_TEST(on.of("work").ended.failed == 1U);
    BOOST_TEST(on.of("work").submitted == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_oldest_waiting_task_is_the_first_of_a_lane_or_one_that_was_passed_over, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add(on.task("low", -5));
    on.pass(4s);
    on.add_many(20);
    on.pass(3s);
    on.renew();
    BOOST_TEST((on.totals().oldest_waiting == 7s));
    auto wanted = on.request(w, 1);
    wanted.names = std::make_shared<const name_set>(name_set{"other"});
    BOOST_TEST(on.run(on.broker().fetch(wanted)).empty());  // passes all over
    BOOST_TEST((on.totals().oldest_waiting == 7s));
    on.fetch(w, 21);
    BOOST_TEST((on.totals().oldest_waiting == 0s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_scheduled_task_is_as_old_as_it_has_been_due, Backend, backends) {
    counted on(std::make_unique<Backend>());
    auto one = on.task();
    one.delay = 10s;
    on.add(one);
    on.pass(9s);
    BOOST_TEST((on.totals().oldest_waiting == 0s));
    on.pass(4s);
    BOOST_TEST((on.totals().oldest_waiting == 3s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(periods_keep_what_was_counted_in_them, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.pass_through("a");
    on.pass(10s);
    on.pass_through("b");
    on.pass_through("b", kind::fail);
    on.pass(10s);
    on.renew();
    on.pass_through("a");
    const auto all = on.history(history_tier::ten_seconds);
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST((all[1].begin - all[0].begin == 10s));
    BOOST_TEST((all[2].begin - all[1].begin == 10s));
    BOOST_TEST(all[0].counts.submitted == 1U);
    BOOST_TEST(all[1].counts.submitted == 2U);
    BOOST_TEST(all[1].counts.ended.failed == 1U);
    BOOST_TEST(all[2].counts.submitted == 1U);
    const auto b = on.history(history_tier::ten_seconds, "b");
    BOOST_REQUIRE(!b.empty());
    BOOST_TEST((b[0].begin == all[1].begin));
    BOOST_TEST(b[0].counts.submitted == 2U);
    BOOST_TEST(b[0].counts.run.count() == 0U);  // of one name the history has no times
    std::uint64_t sum = 0;
    for (const auto& one : on.history(history_tier::quarter)) sum += one.counts.submitted;
    BOOST_TEST(sum == 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tier_forgets_what_is_older_than_it_reaches, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.pass_through();
    on.advance(10s);
    on.join();
    on.pass_through();
    on.advance(1h - 10s);  // the first is as old as the tier is long
    on.join();
    on.pass_through();
    std::uint64_t fine = 0, coarse = 0;
    for (const auto& one : on.history(history_tier::ten_seconds)) fine += one.counts.submitted;
    for (const auto& one : on.history(history_tier::minute)) coarse += one.counts.submitted;
    BOOST_TEST(fine == 2U);
    BOOST_TEST(coarse == 3U);
    BOOST_TEST(on.totals().all.submitted == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rates_are_of_the_last_minute_quarter_hour_and_day, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add(on.task("a"));
    on.advance(20min);
    on.join();
    on.add(on.task("a"));
    on.add(on.task("b"));
    on.advance(5min);
    on.join();
    on.add(on.task("a"));
    const auto all = on.rates();
    BOOST_TEST(all.minute.submitted == 1U);
    BOOST_TEST(all.quarter.submitted == 3U);
    BOOST_TEST(all.hour.submitted == 4U);
    BOOST_TEST(all.day.submitted == 4U);
    BOOST_TEST((all.minute.length >= 60s));
    BOOST_TEST((all.minute.length < 70s));
    BOOST_TEST((all.day.length >= 24h));
    const auto b = on.rates("b");
    BOOST_TEST(b.minute.submitted == 0U);
    BOOST_TEST(b.quarter.submitted == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_beyond_the_first_hundred_are_counted_together, Backend, backends) {
    counted on(std::make_unique<Backend>());
    for (int i = 0; i < 120; ++i) on.add(on.task("name " + std::to_string(1000 + i)));
    on.end(on.fetch_one(), kind::complete);
    on.pass(10s);
    on.renew();
    on.end(on.fetch_one(), kind::complete);
    on.pass(10s);
    on.renew();
    on.end(on.fetch_one(), kind::complete);
    on.send();
    const auto all = on.totals();
    BOOST_TEST(all.all.submitted == 120U);
    BOOST_TEST(all.all.ended.succeeded == 3U);
    BOOST_TEST(all.tasks.size() == 101U);
    BOOST_REQUIRE(!all.tasks.empty());
    BOOST_TEST(all.tasks.front().name == "");  // no task has that name, as it may have the name "other"
    BOOST_TEST(all.tasks.front().counts.submitted == 20U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(metrics_of_a_queue_are_read_once_however_often_it_is_named, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.pass_through("other");
    on.send();
    const auto once = on.run(read_metrics(on.shared(), {q}));
    BOOST_TEST(once.find("taskflux_tasks_submitted_total{queue=\"" + std::string(q) + "\",task=\"other\"} 1\n") != std::string::npos);
    BOOST_TEST(once.find("taskflux_attempts_total{queue=\"" + std::string(q) + "\",task=\"other\",outcome=\"succeeded\"} 1\n") !=
               std::string::npos);
    BOOST_TEST(on.run(read_metrics(on.shared(), {q, q})) == once);
    BOOST_TEST(on.run(read_metrics(on.shared(), {})) == once);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(queues_are_counted_apart, Backend, backends) {
    counted on(std::make_unique<Backend>());
    on.add(on.task(), "another");
    BOOST_TEST(on.totals().all.submitted == 0U);
    BOOST_TEST(on.run(statistics(on.shared(), "another").now()).all.submitted == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
