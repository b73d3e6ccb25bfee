#include <conformance/fixture.hpp>

#include <taskflux/admin/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace {

struct limited : fixture {
    using fixture::fixture;

    void declare(std::optional<limit> what) { run(control.declare(what)); }
    queue_limits limits() { return run(control.limits()); }
    std::size_t fetched(std::size_t max = 100, const std::string& consumer = w) { return fetch(consumer, max).size(); }

    /// Fetches all that may start, step by step, for so long; gives how many those were.
    std::size_t started_within(duration time, duration step) {
        std::size_t started = 0;
        for (auto passed = duration(0); passed < time; passed += step) {
            started += fetched(10'000);
            advance(step);
            renew();
        }
        return started;
    }

    queue_control control{shared(), q};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(conformance_queue_limits)

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_tasks_run_than_the_limit_allows, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.join("other");
    on.declare(limit().running(3));
    on.add_many(5);
    const auto some = on.fetch(w, 2);
    BOOST_TEST(some.size() == 2U);
    BOOST_TEST(on.fetched(100, "other") == 1U);
    BOOST_TEST(on.fetched() == 0U);
    BOOST_TEST(on.counts().running == 3U);
    BOOST_TEST(on.counts().waiting == 2U);
    BOOST_TEST(on.limits().may_start == 0U);
    BOOST_TEST((on.limits().why_not_more == obstacle::running));
    on.settle(some[0], kind::complete);
    BOOST_TEST(on.limits().may_start == 1U);
    BOOST_TEST(on.fetched() == 1U);
    BOOST_TEST(on.fetched() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_gives_a_place_back_lets_the_next_task_start, Backend, backends) {
    const kind ways[] = {kind::complete, kind::fail, kind::retry, kind::release, kind::suspend};
    for (const auto how : ways) {
        for (const bool alone : {true, false}) {  // a record of its own, or one of a segment
            BOOST_TEST_CONTEXT(static_cast<int>(how) << ' ' << alone) {
                limited on(std::make_unique<Backend>());
                on.join();
                on.join("other");
                on.declare(limit().running(1));
                if (alone) {
                    on.add();
                    on.add();
                } else {
                    on.add_many(2);
                }
                const auto first = on.fetch_one();
                auto waiting = on.start(on.broker().fetch(fixture::request("other", 5, 1h)));
                auto end = fixture::settled(first, how, how == kind::suspend ? "" : "{}", 10min);
                on.settle(end);
                BOOST_TEST(waiting.get().size() == 1U);
                BOOST_TEST(on.counts().running == 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lost_or_left_lease_gives_its_places_back, Backend, backends) {
    for (const bool leaves : {true, false}) {
        BOOST_TEST_CONTEXT(leaves) {
            limited on(std::make_unique<Backend>());
            on.join();
            on.declare(limit().running(2));
            on.add_many(3);
            BOOST_TEST(on.fetched() == 2U);
            if (leaves) on.run(on.broker().leave(w, {q}));
            else on.advance(fixture::lease);
            on.join("other");
            BOOST_TEST(on.fetched(100, "other") == 2U);
            BOOST_TEST(on.counts().running == 2U);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_task_gives_its_place_back_when_it_ends, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().running(1));
    on.add_many(2);
    const auto first = on.fetch_one();
    BOOST_TEST(on.cancel(first.key) == effect::requested);
    BOOST_TEST(on.fetched() == 0U);
    BOOST_TEST(on.settle(first, kind::cancel) == effect::done);
    BOOST_TEST(on.fetched() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(several_places_wake_several_workers, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().running(3));
    on.add_many(6);
    const auto first = on.fetch(w, 3);
    std::vector<started<std::vector<delivery>>> waiting;
    for (const std::string name : {"a", "b", "c"}) {
        on.join(name);
        waiting.push_back(on.start(on.broker().fetch(fixture::request(name, 1, 1h))));
    }
    std::vector<settlement> ends;
    for (const auto& one : first) ends.push_back(fixture::settled(one, kind::complete, "1"));
    on.run(on.broker().settle(q, w, ends));
    for (auto& one : waiting) BOOST_TEST(one.get().size() == 1U);
    BOOST_TEST(on.counts().running == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_start_at_their_rate, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(10, 1s, 1));
    on.add_many(200);
    BOOST_TEST(on.fetched() == 1U);
    BOOST_TEST(on.fetched() == 0U);
    const auto limits = on.limits();
    BOOST_TEST((limits.why_not_more == obstacle::rate));
    const auto now = on.record({on.list()[0].id.key}).started_at;
    BOOST_TEST(((limits.starts_again - now) == 100ms));
    on.advance(99ms);
    BOOST_TEST(on.fetched() == 0U);
    on.advance(1ms);
    BOOST_TEST(on.fetched() == 1U);
    on.advance(1s);  // what nobody has used is not saved up beyond the burst
    BOOST_TEST(on.fetched() == 1U);
    on.advance(100ms);
    BOOST_TEST(on.started_within(10s, 20ms) == 100U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_burst_starts_at_once_what_was_saved_up, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(60, 1min, 5));
    on.add_many(100);
    BOOST_TEST(on.fetched() == 5U);
    on.advance(1s);
    BOOST_TEST(on.fetched() == 1U);
    on.advance(2500ms);
    BOOST_TEST(on.fetched() == 2U);
    on.advance(20s);
    BOOST_TEST(on.fetched() == 5U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_high_rate_is_kept_without_a_start_a_millisecond, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(1000, 1s));
    on.add_many(2000);
    BOOST_TEST(on.fetched(1000) == 50U);
    on.advance(20ms);
    BOOST_TEST(on.fetched(1000) == 20U);
    BOOST_TEST(on.started_within(1s, 37ms) <= 1010U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(retries_count_as_starts, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(1, 1s));
    on.add();
    on.settle(on.fetch_one(), kind::retry);
    BOOST_TEST(on.fetched() == 0U);
    on.advance(1s);
    BOOST_TEST(on.fetched() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_fetch_gets_a_task_when_the_rate_allows, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(1, 10s));
    on.add_many(3);
    BOOST_TEST(on.fetched(1) == 1U);
    on.join("other");
    auto waiting = on.start(on.broker().fetch(fixture::request("other", 5, 1h)));
    on.pass(9999ms);
    BOOST_TEST(!waiting.done());
    on.pass(1ms);
    BOOST_TEST(waiting.get().size() == 1U);
    auto next = on.start(on.broker().fetch(fixture::request("other", 5, 1h)));
    on.pass(10s);
    BOOST_TEST(next.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_comes_while_the_rate_holds_back_starts_when_it_allows, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().rate(1, 10s));
    on.add();
    BOOST_TEST(on.fetched() == 1U);
    auto waiting = on.start(on.broker().fetch(fixture::request(w, 5, 1h)));
    on.pass(4s);
    on.add();
    on.pass(5s);
    BOOST_TEST(!waiting.done());
    on.pass(1s);
    BOOST_TEST(waiting.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_from_several_queues_gets_a_task_when_the_rate_of_one_allows, Backend, backends) {
    limited on(std::make_unique<Backend>());
    auto both = fixture::request(w, 5, 1h);
    both.queues = {"other", q, "third"};
    on.join(w, both.queues);
    on.declare(limit().rate(1, 10s));
    on.add_many(3);
    BOOST_TEST(on.run(on.broker().fetch(both)).size() == 1U);
    for (int i = 0; i < 2; ++i) {
        auto waiting = on.start(on.broker().fetch(both));
        on.pass(9999ms);
        BOOST_TEST(!waiting.done());
        on.pass(1ms);
        BOOST_TEST(waiting.get().size() == 1U);
        on.run(on.broker().renew(w, both.queues, fixture::lease));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_limits_hold_and_the_stricter_is_named, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().running(2).rate(10, 1s, 3));
    on.add_many(10);
    const auto two = on.fetch(w, 10);
    BOOST_TEST(two.size() == 2U);
    BOOST_TEST((on.limits().why_not_more == obstacle::running));
    for (const auto& one : two) on.settle(one, kind::complete);
    BOOST_TEST(on.fetched() == 1U);
    BOOST_TEST((on.limits().why_not_more == obstacle::rate));
    on.run(on.control.pause());
    BOOST_TEST((on.limits().why_not_more == obstacle::paused));
    on.advance(1s);
    BOOST_TEST(on.limits().may_start == 0U);
    on.run(on.control.resume());
    BOOST_TEST(on.fetched() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_of_none_starts_nothing, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.declare(limit().running(0));
    on.add_many(2);
    BOOST_TEST(on.fetched() == 0U);
    on.declare(std::nullopt);
    BOOST_TEST(on.fetched() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_live_limit_holds_until_it_is_reset_whatever_programs_declare, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.add_many(20);
    on.declare(limit().running(5));
    on.run(on.control.set_limit(limit().running(2), "the provider is in trouble"));
    on.declare(limit().running(7));
    const auto limits = on.limits();
    BOOST_REQUIRE(limits.declared.has_value());
    BOOST_REQUIRE(limits.live.has_value());
    BOOST_TEST((limits.declared->what == limit().running(7)));
    BOOST_TEST((limits.live->what == limit().running(2)));
    BOOST_TEST(limits.live->reason == "the provider is in trouble");
    BOOST_TEST((limits.live->since == on.list()[0].submitted_at));
    BOOST_TEST((*limits.in_force() == limit().running(2)));
    BOOST_TEST(on.fetched() == 2U);
    on.run(on.control.reset_limit());
    BOOST_TEST(!on.limits().live.has_value());
    BOOST_TEST(on.fetched() == 5U);
    on.declare(std::nullopt);
    BOOST_TEST((on.limits().in_force() == nullptr));
    BOOST_TEST(on.fetched() == 13U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_that_is_raised_or_taken_back_wakes_who_waits, Backend, backends) {
    for (const bool is_live : {true, false}) {
        limited on(std::make_unique<Backend>());
        on.join();
        on.declare(limit().running(0));
        on.add();
        auto waiting = on.start(on.broker().fetch(fixture::request(w, 5, 1h)));
        if (is_live) on.run(on.control.set_limit(limit().running(1), ""));
        else on.declare(std::nullopt);
        BOOST_TEST(waiting.get().size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_below_what_runs_stops_nothing_and_lets_nothing_start, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.add_many(6);
    const auto first = on.fetch(w, 4);
    on.declare(limit().running(2));
    for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(on.fetched() == 0U);
        BOOST_TEST(on.settle(first[i], kind::complete) == effect::done);
    }
    BOOST_TEST(on.fetched() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_rate_begins_anew_and_the_same_one_goes_on, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.add_many(20);
    on.declare(limit().rate(1, 1h));
    BOOST_TEST(on.fetched() == 1U);
    on.declare(limit().rate(1, 1h));
    BOOST_TEST(on.fetched() == 0U);
    on.run(on.control.set_limit(limit().rate(1, 1h), "the same"));
    BOOST_TEST(on.fetched() == 0U);
    on.declare(limit().rate(2, 1min, 2));
    BOOST_TEST(on.fetched() == 0U);
    on.run(on.control.reset_limit());
    BOOST_TEST(on.fetched() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(limits_are_read_as_they_were_given, Backend, backends) {
    limited on(std::make_unique<Backend>());
    BOOST_TEST((on.limits().in_force() == nullptr));
    BOOST_TEST(on.limits().may_start == 1'000'000U);
    const limit all[] = {limit(), limit().running(1'000'000), limit().rate(1'000'000, 1ms, 1), limit().rate(3, 24h * 366, 3).running(0)};
    for (const auto& one : all) {
        on.declare(one);
        BOOST_TEST((on.limits().declared.value().what == one));
    }
    const std::string reason = "line one\nline two \xC3\xA4 \"'";
    on.run(on.control.set_limit(limit(), reason));
    BOOST_TEST(on.limits().live.value().reason == reason);
    BOOST_TEST(on.error_of(on.control.set_limit(limit(), std::string(1001, 'x'))) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.control.set_limit(limit(), "\xff")) == errc::invalid_argument);
    BOOST_TEST(on.limits().live.value().reason == reason);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_limit_is_of_one_queue, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join(w, {q, "free"});
    on.declare(limit().running(1));
    on.add_many(3);
    on.add_many(3, "free");
    auto both = fixture::request(w, 10);
    both.queues = {q, "free"};
    BOOST_TEST(on.run(on.broker().fetch(both)).size() == 4U);
    BOOST_TEST(on.run(queue_control(on.shared(), "free").counts()).running == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_is_cleared_whole_or_of_one_state, Backend, backends) {
    limited on(std::make_unique<Backend>());
    on.join();
    on.add_many(1200);
    auto held = fixture::task();
    held.hold = true;
    on.add(held);
    on.fetch_one();
    BOOST_TEST(on.run(on.control.clear(task_state::held)) == 1U);
    BOOST_TEST(on.run(on.control.clear()) == 1199U);
    const auto left = on.run(on.control.counts());
    BOOST_TEST(left.running == 1U);
    BOOST_TEST(left.waiting == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
