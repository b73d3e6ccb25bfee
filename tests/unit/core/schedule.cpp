#include <taskflux/core/codec.hpp>
#include <taskflux/core/schedule.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace core_schedule {

using namespace taskflux;
using namespace std::chrono_literals;
using misfire = misfire_policy;

/// Every ten seconds from 1970 on; times below are seconds.
schedule_definition each_ten(misfire policy, unsigned limit = 3) {
    schedule_definition made;
    made.id = "it";
    made.cron = "*/10 * * * * *";
    made.misfire = policy;
    made.limit = limit;
    made.grace = 5s;
    return made;
}

time_point at(long seconds) { return time_point(std::chrono::seconds(seconds)); }

tick_plan plan(const schedule_definition& of, long next, double now) {
    return plan_ticks(of, cron(of.cron), zone(), at(next), time_point(duration(static_cast<long>(now * 1000))));
}

std::string text_of(const tick_plan& made) {
    std::string text;
    for (const auto tick : made.fire) text += std::to_string(tick.time_since_epoch() / 1s) + ' ';
    return text + "| " + (made.next ? std::to_string(made.next->time_since_epoch() / 1s) : "none");
}

}  // namespace core_schedule

BOOST_AUTO_TEST_SUITE(core_schedule)

BOOST_AUTO_TEST_CASE(ticks_that_are_late_by_more_than_the_grace_are_missed) {
    struct row {
        misfire policy;
        long next;
        double now;
        std::string expected;  // what fires | the next
    };
    for (const auto& [policy, next, now, expected] : std::initializer_list<row>{
             {misfire::skip, 100, 99.9, "| 100"},
             {misfire::skip, 100, 100, "100 | 110"},
             {misfire::skip, 100, 105, "100 | 110"},
             {misfire::skip, 100, 105.1, "| 110"},
             {misfire::skip, 100, 112, "110 | 120"},
             {misfire::skip, 100, 100'009, "| 100010"},
             {misfire::fire_once, 100, 105.1, "100 | 110"},
             {misfire::fire_once, 100, 112, "110 | 120"},        // the one that is on time stands for it
             {misfire::fire_once, 100, 119, "110 | 120"},
             {misfire::fire_once, 100, 100'009, "100000 | 100010"},
             {misfire::catch_up, 100, 112, "100 110 | 120"},
             {misfire::catch_up, 100, 115, "100 110 | 120"},  // at the very edge of what was missed
             {misfire::catch_up, 100, 149, "120 130 140 | 150"},
             {misfire::catch_up, 100, 150, "120 130 140 150 | 160"},
             {misfire::catch_up, 100, 1'000'000'009, "999999980 999999990 1000000000 | 1000000010"}}) {
        BOOST_TEST(text_of(plan(each_ten(policy), next, now)) == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_plan_says_whether_ticks_were_missed_whatever_becomes_of_them) {
    for (const auto policy : {misfire::skip, misfire::fire_once, misfire::catch_up}) {
        const auto of = each_ten(policy);
        BOOST_TEST(!plan(of, 100, 99).has_missed);
        BOOST_TEST(!plan(of, 100, 105).has_missed);   // within its grace
        BOOST_TEST(plan(of, 100, 105.1).has_missed);
        BOOST_TEST(plan(of, 100, 112).has_missed);    // the next one is on time
        BOOST_TEST(plan(of, 100, 1'000'000'009).has_missed);
        BOOST_TEST(!plan_ticks(of, cron(of.cron), zone(), at(100), at(112), 10s).has_missed);
    }
}

BOOST_AUTO_TEST_CASE(ticks_of_a_time_in_which_nobody_could_ask_are_not_missed) {
    const auto of = each_ten(misfire::skip);
    const auto held_up = [&](duration time) { return text_of(plan_ticks(of, cron(of.cron), zone(), at(100), at(129), time)); };
    BOOST_TEST(held_up(0s) == "| 130");
    BOOST_TEST(held_up(4s) == "120 | 130");
    BOOST_TEST(held_up(14s) == "110 120 | 130");
    BOOST_TEST(held_up(60s) == "100 110 120 | 130");
}

BOOST_AUTO_TEST_CASE(a_hundred_ticks_fire_at_a_time_and_the_others_follow) {
    const auto of = each_ten(misfire::catch_up, 250);
    auto next = at(100);
    std::set<time_point> fired;
    for (const std::size_t expected : {100U, 100U, 50U, 0U}) {
        const auto made = plan_ticks(of, cron(of.cron), zone(), next, at(10'009));
        BOOST_TEST(made.fire.size() == expected);
        fired.insert(made.fire.begin(), made.fire.end());
        next = *made.next;
    }
    BOOST_TEST(fired.size() == 250U);
    BOOST_TEST((*fired.begin() == at(7510)));
    BOOST_TEST((*fired.rbegin() == at(10'000)));
    BOOST_TEST((next == at(10'010)));
}

BOOST_AUTO_TEST_CASE(no_more_than_a_thousand_ticks_are_caught_up) {
    const auto of = each_ten(misfire::catch_up, (std::numeric_limits<unsigned>::max)());
    const auto made = plan(of, 100, 200'109);
    BOOST_TEST(made.fire.size() == 100U);
    BOOST_TEST((made.fire.front() == at(190'110)));
}

BOOST_AUTO_TEST_CASE(where_ticks_must_not_overlap_the_newest_stands_for_all) {
    auto of = each_ten(misfire::catch_up, 100);
    of.overlap = overlap_policy::skip;
    BOOST_TEST(text_of(plan(of, 100, 149)) == "140 | 150");
    of.overlap = overlap_policy::cancel_previous;
    BOOST_TEST(text_of(plan(of, 100, 149)) == "140 | 150");
}

BOOST_AUTO_TEST_CASE(very_many_ticks_that_are_on_time_fire_a_hundred_at_a_time) {
    auto of = each_ten(misfire::skip);
    of.cron = "@every 1ms";
    of.grace = 365 * 24h;
    const auto of_a_year = [&](long now) { return plan_ticks(of, cron(of.cron), zone(), at(100), at(now)); };
    auto made = of_a_year(30'000'000);  // scanning all would take for ever
    BOOST_TEST(made.fire.size() == 100U);
    BOOST_TEST((made.fire.front() == at(100)));
    BOOST_TEST((made.next == at(100) + 100ms));
    of.overlap = overlap_policy::skip;
    for (const auto jitter : {0ms, 50ms, 500ms}) {
        of.jitter = jitter;
        made = of_a_year(30'000'000);
        BOOST_REQUIRE_EQUAL(made.fire.size(), 1U);
        BOOST_TEST((made.fire[0] <= at(30'000'000)));
        BOOST_TEST((made.fire[0] >= at(30'000'000) - jitter));
        BOOST_TEST((made.next > made.fire[0]));
        BOOST_TEST((*made.next > at(30'000'000) - jitter));
        BOOST_TEST(plan_ticks(of, cron(of.cron), zone(), *made.next, at(30'000'000)).fire.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_is_stored_beyond_reason_overflows_nothing) {
    auto of = each_ten(misfire::catch_up, (std::numeric_limits<unsigned>::max)());
    const auto now = 10 * 366 * 86400L;  // of the last year all are on time: the oldest come first
    for (const auto wild : {(duration::max)(), (duration::min)()}) {
        of.grace = wild;
        of.jitter = 0s;
        const auto made = plan(of, 100, static_cast<double>(now));
        BOOST_TEST(made.fire.size() == 100U);
        BOOST_TEST((made.fire.front() < at(now)));
        of.jitter = wild;
        BOOST_TEST((due_at(of, at(100)) >= at(100)));
        BOOST_TEST((due_at(of, at(100)) <= at(100) + 365 * 24h));
    }
}

BOOST_AUTO_TEST_CASE(jitter_is_the_same_everywhere_and_differs_from_tick_to_tick) {
    auto of = each_ten(misfire::skip);
    of.jitter = 8s;
    std::set<duration> delays;
    for (long tick = 100; tick < 10'100; tick += 10) {
        const auto due = due_at(of, at(tick));
        BOOST_REQUIRE(due >= at(tick));
        BOOST_REQUIRE(due <= at(tick) + 8s);
        BOOST_REQUIRE(due == due_at(of, at(tick)));
        delays.insert(due - at(tick));
        const auto made = plan_ticks(of, cron(of.cron), zone(), at(tick), due);
        BOOST_REQUIRE(made.fire == std::vector<time_point>(1, at(tick)));
        BOOST_REQUIRE(plan_ticks(of, cron(of.cron), zone(), at(tick), due - 1ms).fire.empty());
    }
    BOOST_TEST(delays.size() > 800U);
    auto another = of;
    another.id = "another";
    BOOST_TEST((due_at(of, at(100)) != due_at(another, at(100)) || due_at(of, at(110)) != due_at(another, at(110))));
    of.jitter = 0s;
    BOOST_TEST((due_at(of, at(100)) == at(100)));
}

BOOST_AUTO_TEST_CASE(a_tick_has_its_grace_and_the_longest_jitter_from_when_it_is_due) {
    auto of = each_ten(misfire::skip);  // with a grace of 5 s
    of.jitter = 8s;
    for (long tick = 100; tick < 300; tick += 10) {
        const auto latest = due_at(of, at(tick)) + 5s + 8s;
        const auto fires = [&](time_point now) {
            const auto made = plan_ticks(of, cron(of.cron), zone(), at(tick), now);
            return std::ranges::find(made.fire, at(tick)) != made.fire.end();
        };
        BOOST_TEST(fires(latest), tick);
        BOOST_TEST(!fires(latest + 1ms), tick);
    }
}

BOOST_AUTO_TEST_CASE(jitter_is_drawn_from_nothing_to_the_whole) {
    auto of = each_ten(misfire::skip);
    of.jitter = 1ms;
    std::set<duration> delays;
    for (long tick = 100; tick < 1'100; tick += 10) delays.insert(due_at(of, at(tick)) - at(tick));
    BOOST_TEST((delays == std::set<duration>{0ms, 1ms}));
}

BOOST_AUTO_TEST_CASE(an_expression_that_ends_has_no_next_tick) {
    const auto ticks = ticks_from(cron("0 0 1 1 *"), zone(), at(0), 3);
    BOOST_TEST(ticks.size() == 3U);
    BOOST_TEST(to_text(ticks[0]) == "1970-01-01T00:00:00Z");  // the given one is the first
    BOOST_TEST(to_text(ticks[2]) == "1972-01-01T00:00:00Z");
    BOOST_TEST(ticks_from(cron("0 0 1 1 *"), zone(), at(0), 0).empty());
    const auto last = ticks_from(cron("0 0 1 1 *"), zone(), std::chrono::sys_days(std::chrono::year(29'999) / 1 / 1), 3);
    BOOST_TEST(last.size() == 2U);
    BOOST_TEST(ticks_from(cron("0 0 1 1 *"), zone(), std::nullopt, 3).empty());
}

BOOST_AUTO_TEST_CASE(a_schedule_survives_being_stored) {
    stored_schedule made;
    made.version = stored_schedule::current_version;
    made.definition = each_ten(misfire::catch_up, 7);
    made.definition.hosts = {"a", "b"};
    made.definition.task.emplace();
    made.definition.task->name = "report";
    made.definition.task->payload.bytes = std::string("\0\xff", 2);
    made.definition.task->retry = rule_of(retry_policy::exponential(2s).attempts(4));
    made.state.next = at(100);
    made.state.last_task = tick_id("it", at(90));
    made.state.paused = true;
    made.state.run_at = at(95);
    made.state.by = "node.7";
    made.state.revision = 9;
    const auto read = decode<stored_schedule>(encode(made));
    BOOST_TEST((read.definition == made.definition));
    BOOST_TEST((read.state.next == made.state.next));
    BOOST_TEST(!read.state.last.has_value());
    BOOST_TEST(read.state.last_task == "it@1970-01-01T00:01:30Z");
    BOOST_TEST(read.version == stored_schedule::current_version);
    BOOST_TEST(read.state.paused);
    BOOST_TEST((read.state.run_at == at(95)));
    BOOST_TEST(read.state.by == "node.7");
    BOOST_TEST(read.state.revision == 9U);
    BOOST_TEST((policy_of(read.definition.task->retry) == retry_policy::exponential(2s).attempts(4)));
}

BOOST_AUTO_TEST_SUITE_END()
