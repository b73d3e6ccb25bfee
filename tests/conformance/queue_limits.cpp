#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace taskflux::conformance {

namespace conformance_queue_limits {

/// A queue with a limit, and two consumers.
struct limited : fixture {
    explicit limited(std::unique_ptr<backend> on, const limit& value) : fixture(std::move(on)) {
        declare(value);
        join(w);
        join(other);
    }

    void declare(const limit& value) { run(broker().set_limit(q, limit_kind::declared, value, "")); }
    void set(const limit& value, const std::string& reason = "why") {
        run(broker().set_limit(q, limit_kind::live, value, reason));
    }
    void reset() { run(broker().set_limit(q, limit_kind::live, std::nullopt, "")); }
    queue_limits limits() { return run(broker().limits(q)); }

    started<std::vector<delivery>> waiting_fetch(const std::string& consumer = other, std::size_t max = 1) {
        return start(broker().fetch(request(consumer, max, 1h)));
    }
    /// The same by one who knows only this name.
    started<std::vector<delivery>> waiting_fetch_of(const std::string& name, const std::string& consumer) {
        join(consumer);
        auto wanted = request(consumer, 1, 1h);
        wanted.names = std::make_shared<const name_set>(name_set{name});
        return start(broker().fetch(wanted));
    }
    /// Tasks that wait, and that who knows only `a` has passed over.
    void add_unclaimed(int count) {
        for (int i = 0; i < count; ++i) add(task("b"));
        let_work();
    }
    std::size_t running() { return counts().running; }

    inline static const std::string other = "other";
};

}  // namespace conformance_queue_limits

BOOST_AUTO_TEST_SUITE(conformance_queue_limits)

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_tasks_run_than_a_limit_says, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(2));
    const auto keys = on.add_many(5);
    const auto found = on.fetch(w, 10);
    BOOST_TEST(found.size() == 2U);
    BOOST_TEST(on.fetch(on.other, 10).empty());
    on.settle(found[0], kind::complete);
    const auto next = on.fetch(on.other, 10);
    BOOST_REQUIRE(next.size() == 1U);
    BOOST_TEST((next[0].key == keys[2]));
    BOOST_TEST(on.counts().waiting == 2U);
    BOOST_TEST(on.running() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_submitted_to_a_full_queue_is_not_handed_over, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    on.add();
    const auto first = on.fetch_one();
    auto sleeper = on.waiting_fetch();
    for (int i = 0; i < 3; ++i) on.add();
    BOOST_TEST(on.still_waiting(sleeper));
    on.settle(first, kind::complete);
    BOOST_TEST(sleeper.get().size() == 1U);
    BOOST_TEST(on.running() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lone_task_is_handed_over_while_there_is_room, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    auto sleeper = on.waiting_fetch();
    on.add();
    BOOST_TEST(sleeper.get().size() == 1U);
    auto second = on.waiting_fetch(w);
    on.add();
    BOOST_TEST(on.still_waiting(second));
    on.run(on.broker().leave(on.other, {q}));
    BOOST_TEST(second.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_way_in_which_a_task_stops_running_wakes_who_waits_for_its_place, Backend, backends) {
    for (const auto how : {kind::complete, kind::fail, kind::retry, kind::release, kind::suspend}) {
        limited on(std::make_unique<Backend>(), limit().running(1));
        on.add_many(2);
        const auto first = on.fetch_one();
        auto sleeper = on.waiting_fetch();
        BOOST_TEST(on.still_waiting(sleeper));
        const auto end = on.settled(first, how, how == kind::fail ? R"({"code":"task_failed"})" : "", how == kind::release ? 0ms : 1h);
        BOOST_TEST(on.settle(end) == effect::done);
        BOOST_TEST(sleeper.get().size() == 1U, "after the end of kind " << int(how));
        BOOST_TEST(on.running() == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_end_a_leave_and_a_lost_lease_wake_who_waits_for_the_place, Backend, backends) {
    for (const std::string how : {"cancel", "leave", "lease"}) {
        limited on(std::make_unique<Backend>(), limit().running(1));
        on.add_many(2);
        const auto first = on.fetch_one();
        on.pass(5s);
        on.renew(on.other);
        auto sleeper = on.waiting_fetch();
        BOOST_TEST(on.still_waiting(sleeper));
        if (how == "cancel") {
            on.cancel(first.key);
            on.settle(first, kind::cancel);
        } else if (how == "leave") {
            on.run(on.broker().leave(w, {q}));
        } else {
            on.pass(on.lease - 5s);
        }
        BOOST_TEST(sleeper.get().size() == 1U, how);
        BOOST_TEST(on.running() == 1U, how);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_of_ends_wakes_as_many_as_there_are_places, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(3));
    on.add_many(10);
    const auto found = on.fetch(w, 10);
    BOOST_REQUIRE(found.size() == 3U);
    std::vector<started<std::vector<delivery>>> sleepers;
    for (int i = 0; i < 4; ++i) {
        const auto name = "s" + std::to_string(i);
        on.join(name);
        sleepers.push_back(on.waiting_fetch(name));
    }
    std::vector<settlement> ends;
    for (const auto& one : found) ends.push_back(on.settled(one, kind::complete, "1"));
    on.run(on.broker().settle(q, w, ends));
    on.let_work();
    std::size_t served = 0;
    for (auto& one : sleepers) served += one.done();
    BOOST_TEST(served == 3U);
    BOOST_TEST(on.running() == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_place_goes_to_who_knows_the_tasks_that_wait, Backend, backends) {
    for (const std::string how : {"end", "rate", "raise", "reset", "resume"}) {
        const auto first = how == "rate" ? limit().rate(1, 3s, 1) : limit().running(1);
        limited on(std::make_unique<Backend>(), first);
        on.add(on.task("a"));
        const auto held = on.fetch_one();
        std::vector<started<std::vector<delivery>>> foreign;
        for (int i = 0; i < 9; ++i) foreign.push_back(on.waiting_fetch_of("a", "a" + std::to_string(i)));
        if (how != "rate") on.set(limit().running(2));
        on.add_unclaimed(3);
        if (how == "end" || how == "raise" || how == "reset") on.set(limit().running(how == "reset" ? 0 : 1));
        if (how == "resume") on.run(on.broker().pause(q));
        on.let_work();
        auto knows = on.waiting_fetch_of("b", "b");
        if (how != "rate") BOOST_TEST(on.still_waiting(knows), how);
        if (how == "end") on.settle(held, kind::complete);
        if (how == "rate") on.pass(3s);
        if (how == "raise") on.set(limit().running(2));
        if (how == "reset") {
            on.settle(held, kind::complete);
            on.reset();
        }
        if (how == "resume") on.run(on.broker().resume(q));
        on.let_work();
        BOOST_TEST(knows.done(), how);
        for (auto& one : foreign) BOOST_TEST(!one.done(), how);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_that_sleep_or_wait_for_subtasks_hold_no_place, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    on.add_many(3);
    const auto first = on.fetch_one();
    on.settle(on.settled(first, kind::suspend, "", 10s));
    const auto second = on.fetch_one();
    on.settle(on.settled(second, kind::retry, "{}", 10s));
    const auto third = on.fetch_one();
    on.pass(15s);
    BOOST_TEST(on.counts().waiting == 2U);
    BOOST_TEST(on.fetch(on.other, 10).empty());
    on.settle(third, kind::complete);
    BOOST_TEST(on.fetch(on.other, 10).size() == 1U);
    BOOST_TEST(on.running() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_of_none_running_starts_nothing_until_it_is_changed, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(0));
    on.add_many(2);
    auto sleeper = on.waiting_fetch();
    BOOST_TEST(on.still_waiting(sleeper));
    on.declare(limit().running(1));
    BOOST_TEST(sleeper.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_spreads_starts_evenly, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(2, 1s, 1));
    on.add_many(10);
    BOOST_TEST(on.fetch(w, 10).size() == 1U);
    BOOST_TEST(on.fetch(w, 10).empty());
    on.advance(499ms);
    BOOST_TEST(on.fetch(w, 10).empty());
    on.advance(1ms);
    BOOST_TEST(on.fetch(w, 10).size() == 1U);
    on.advance(5s);
    BOOST_TEST(on.fetch(w, 10).size() == 1U);  // what was not used is lost, but for the burst
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_burst_may_start_together_after_a_pause, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(10, 1s, 4));
    on.add_many(20);
    BOOST_TEST(on.fetch(w, 3).size() == 3U);
    BOOST_TEST(on.fetch(w, 10).size() == 1U);
    on.advance(200ms);
    BOOST_TEST(on.fetch(w, 10).size() == 2U);
    on.advance(5s);
    BOOST_TEST(on.fetch(w, 10).size() == 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_is_exact_over_a_long_time, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(300, 1s));  // a burst of 15
    on.add_many(1000);
    std::size_t started = 0;
    for (int step = 0; step < 100; ++step) {
        started += on.fetch(w, 500).size();
        on.advance(20ms);
    }
    BOOST_TEST(started >= 600U);  // of 1.98 s: 594, and the burst
    BOOST_TEST(started <= 609U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_asks_a_little_late_each_time_reaches_the_rate_all_the_same, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(30, 1s));
    on.add_many(200);
    std::size_t started = 0;
    for (int step = 0; step < 400; ++step) {
        started += on.fetch(w, 10).size();
        on.advance(7ms);
    }
    BOOST_TEST(started >= 84U);  // of 2.793 s: 83.8, and the first
    BOOST_TEST(started <= 85U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_attempt_is_a_start_too, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(1, 10s, 1));
    on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, "{}", 1s));
    on.advance(5s);
    BOOST_TEST(on.fetch().empty());
    on.advance(5s);
    BOOST_TEST(on.fetch().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_for_a_rate_is_woken_when_it_lets_the_next_one_start, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().rate(2, 1s, 1));
    on.add_many(3);
    BOOST_TEST(on.fetch().size() == 1U);
    auto first = on.waiting_fetch(w), second = on.waiting_fetch();
    for (int round = 0; round < 2; ++round) {
        on.pass(499ms);
        BOOST_TEST(int(first.done()) + int(second.done()) == round);
        on.pass(1ms);
        BOOST_TEST(int(first.done()) + int(second.done()) == round + 1);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_slept_before_a_rate_was_used_up_is_woken_in_time, Backend, backends) {
    for (const std::size_t many : {1U, 3U}) {  // alone they are handed over, where a rate allows it
        limited on(std::make_unique<Backend>(), limit().rate(2, 1s, 1));
        auto sleeper = on.waiting_fetch();
        on.join("third");
        auto second = on.waiting_fetch("third");
        on.add();
        on.let_work();
        BOOST_TEST(int(sleeper.done()) + int(second.done()) == 1);
        on.add_many(many);
        on.let_work();
        BOOST_TEST(int(sleeper.done()) + int(second.done()) == 1);
        on.pass(500ms);
        BOOST_TEST(int(sleeper.done()) + int(second.done()) == 2);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(running_and_rate_both_count, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(2).rate(1, 1s, 5));
    on.add_many(10);
    const auto found = on.fetch(w, 10);
    BOOST_TEST(found.size() == 2U);
    auto sleeper = on.waiting_fetch(on.other, 10);
    on.pass(10s);
    BOOST_TEST(!sleeper.done());
    on.settle(found[0], kind::complete);
    BOOST_TEST(sleeper.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_that_is_raised_or_reset_wakes_who_waits, Backend, backends) {
    for (const bool by_reset : {false, true}) {
        limited on(std::make_unique<Backend>(), limit().running(3));
        on.set(limit().running(1));
        on.add_many(5);
        BOOST_TEST(on.fetch(w, 10).size() == 1U);
        auto sleeper = on.waiting_fetch(on.other, 10);
        BOOST_TEST(on.still_waiting(sleeper));
        by_reset ? on.reset() : on.set(limit().running(3));
        BOOST_TEST(sleeper.get().size() == 2U);
        BOOST_TEST(on.running() == 3U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_lowered_below_what_runs_starts_nothing_until_fewer_run, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(4));
    on.add_many(8);
    const auto found = on.fetch(w, 10);
    on.set(limit().running(2));
    auto sleeper = on.waiting_fetch(on.other, 10);
    for (int i = 0; i < 2; ++i) {
        on.settle(found[std::size_t(i)], kind::complete);
        BOOST_TEST(on.still_waiting(sleeper));
    }
    on.settle(found[2], kind::complete);
    BOOST_TEST(sleeper.get().size() == 1U);
    BOOST_TEST(on.running() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_slower_rate_that_is_taken_back_wakes_who_waits, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit());
    on.set(limit().rate(1, 1h));
    on.add_many(3);
    BOOST_TEST(on.fetch().size() == 1U);
    auto sleeper = on.waiting_fetch();
    on.pass(20s);
    BOOST_TEST(!sleeper.done());
    on.set(limit().rate(10, 1s));
    BOOST_TEST(sleeper.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_live_limit_counts_until_it_is_reset_and_both_are_shown, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(5).rate(7, 3s, 2));
    const auto begun = on.record(on.add()).submitted_at;
    on.advance(1min);
    on.set(limit().running(0), "the provider is down\nsince noon");
    const auto shown = on.limits();
    BOOST_REQUIRE((shown.declared && shown.live));
    BOOST_TEST((shown.declared->value == limit().running(5).rate(7, 3s, 2)));
    BOOST_TEST((shown.declared->since == begun));
    BOOST_TEST((shown.live->value == limit().running(0)));
    BOOST_TEST(shown.live->reason == "the provider is down\nsince noon");
    BOOST_TEST((shown.live->since == begun + 1min));
    BOOST_TEST((shown.in_force() == limit().running(0)));
    on.declare(limit().running(6));
    BOOST_TEST((on.limits().in_force() == limit().running(0)));
    on.reset();
    BOOST_TEST(!on.limits().live.has_value());
    BOOST_TEST((on.limits().in_force() == limit().running(6)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_declared_again_has_been_so_since_the_first_time, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(5));
    const auto since = on.limits().declared->since;
    on.advance(1min);
    on.declare(limit().running(5));
    BOOST_TEST((on.limits().declared->since == since));
    on.declare(limit().running(4));
    BOOST_TEST((on.limits().declared->since == since + 1min));
    on.declare(limit());
    BOOST_TEST(!on.limits().declared.has_value());
    on.add_many(6);
    on.join("late");
    BOOST_TEST(on.fetch("late", 10).size() == 6U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_live_limit_sets_the_declared_one_aside, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    on.set(limit());
    on.add_many(3);
    BOOST_TEST(on.fetch(w, 10).size() == 3U);
    BOOST_TEST(on.limits().in_force().is_empty());
    on.reset();
    BOOST_TEST((on.limits().in_force() == limit().running(1)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(other_queues_of_a_worker_go_on_while_one_is_full, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(0));
    const std::vector<std::string> queues{q, "free"};
    on.join("both", queues);
    on.add_many(3);
    auto request = on.request("both", 10, 1h);
    request.queues = queues;
    auto sleeper = on.start(on.broker().fetch(request));
    BOOST_TEST(on.still_waiting(sleeper));
    on.add(on.task(), "free");
    const auto found = sleeper.get();
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].queue == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_queue_with_a_limit_starts_as_many_as_that_allows_when_it_is_resumed, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(2));
    on.run(on.broker().pause(q));
    on.add_many(5);
    auto sleeper = on.waiting_fetch(on.other, 10);
    BOOST_TEST(on.still_waiting(sleeper));
    on.run(on.broker().resume(q));
    BOOST_TEST(sleeper.get().size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_given_back_and_its_place_are_for_one, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    on.add();
    const auto first = on.fetch_one();
    auto sleeper = on.waiting_fetch();
    on.join("third");
    auto second = on.waiting_fetch("third");
    on.settle(first, kind::release);
    on.let_work();
    BOOST_TEST(int(sleeper.done()) + int(second.done()) == 1);
    BOOST_TEST(on.running() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_with_a_limit_is_listed, Backend, backends) {
    limited on(std::make_unique<Backend>(), limit().running(1));
    BOOST_TEST(on.run(on.broker().queues()) == std::vector<std::string>{q}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reason_that_is_too_long_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto set = [&](const std::string& reason) {
        return on.error_of(on.broker().set_limit(q, limit_kind::live, limit().running(1), reason));
    };
    BOOST_TEST(set(std::string(1025, 'a')) == errc::invalid_argument);
    BOOST_TEST(!set(std::string(1024, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
