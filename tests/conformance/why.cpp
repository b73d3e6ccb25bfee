#include <conformance/workflow_site.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/why.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

// Why a task is not running, as a value and as a sentence.
namespace taskflux::conformance {

namespace conformance_why {

struct asked : fixture {
    explicit asked(std::unique_ptr<backend> on) : fixture(std::move(on)), control(shared(), q), inspect(shared()) {}

    task_situation why(task_key key) { return run(inspect.why({q, key})); }
    std::vector<why_reason> reasons(task_key key) {
        std::vector<why_reason> all;
        for (const auto& one : why(key).reasons) all.push_back(one.what);
        return all;
    }
    task_reason only(task_key key) {
        const auto found = why(key);
        BOOST_REQUIRE_EQUAL(found.reasons.size(), 1U);
        return found.reasons[0];
    }
    bool are(task_key key, const std::vector<why_reason>& expected) { return reasons(key) == expected; }
    std::string id(task_key key) { return to_string(task_id{q, key}); }

    queue_control control;
    inspector inspect;
};

using why_reason::damaged;
using why_reason::ended;
using why_reason::held;
using why_reason::key_limit;
using why_reason::key_rate;
using why_reason::no_worker;
using why_reason::paused;
using why_reason::rate;
using why_reason::retry;
using why_reason::running;
using why_reason::scheduled;
using why_reason::signal;
using why_reason::sleeping;
using why_reason::subtasks;
using why_reason::successor;
using why_reason::throttled;
using why_reason::turn;
using why_reason::unclaimed;

}  // namespace conformance_why

BOOST_AUTO_TEST_SUITE(conformance_why)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_runs_or_has_ended_says_since_when, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task("send"));
    const auto found = on.fetch_one();
    const auto runs = on.only(key);
    BOOST_TEST((runs.what == running));
    BOOST_TEST((runs.since == on.record(key).started_at));
    BOOST_TEST(runs.count == 1U);
    BOOST_TEST(runs.names == std::vector<std::string>{w}, boost::test_tools::per_element());
    on.settle(found, kind::complete);
    const auto ended_now = on.why(key);
    BOOST_TEST((ended_now.state == task_state::succeeded));
    BOOST_TEST(ended_now.name == "send");
    BOOST_TEST(ended_now.id == on.id(key));
    BOOST_TEST((on.only(key).what == ended));
    BOOST_TEST((on.only(key).since == on.record(key).ended_at));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_does_not_exist_is_not_found, Backend, backends) {
    asked on(std::make_unique<Backend>());
    const auto key = on.add();
    BOOST_TEST((on.error_of(on.inspect.why({q, {key.sequence, key.nonce + 1}})) == errc::not_found));
    BOOST_TEST((on.error_of(on.inspect.why({"nowhere", key})) == errc::not_found));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_held_task_waits_for_a_hand_or_for_the_one_with_its_key, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    auto one = on.task();
    one.hold = true;
    BOOST_TEST((on.only(on.add(one)).what == held));
    auto unique = on.task();
    unique.unique_key = "key";
    const auto first = on.add(unique);
    on.fetch_one();
    unique.on_duplicate = duplicate::replace;
    const auto second = on.add(unique);
    const auto waits = on.only(second);
    BOOST_TEST((waits.what == successor));
    BOOST_TEST(waits.names == std::vector<std::string>{on.id(first)}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_scheduled_task_says_what_it_is_scheduled_for, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    auto later = on.task();
    later.delay = 1h;
    const auto due = on.add(later);
    BOOST_TEST((on.only(due).what == scheduled));
    BOOST_TEST((on.only(due).until == on.record(due).due_at));

    const auto key = on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, "{}", 10s));
    BOOST_TEST((on.only(key).what == retry));
    BOOST_TEST(on.only(key).count == 2U);
    BOOST_TEST((on.only(key).until == on.record(key).due_at));
    on.advance(10s);
    on.settle(on.settled(on.fetch_one(), kind::suspend, "", 1h));
    BOOST_TEST((on.only(key).what == sleeping));
    BOOST_TEST((on.only(key).until == on.record(key).due_at));
    on.promote(key);
    on.settle(on.settled(on.fetch_one(), kind::suspend, signal_key("approved", 1), 1h));
    const auto waits = on.only(key);
    BOOST_TEST((waits.what == signal));
    BOOST_TEST(waits.names == std::vector<std::string>{"approved"}, boost::test_tools::per_element());
    BOOST_TEST((waits.until == on.record(key).due_at));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_in_the_way_of_a_ready_task_is_given_in_order, Backend, backends) {
    asked on(std::make_unique<Backend>());
    const auto first = on.add(), second = on.add();
    BOOST_TEST(on.are(first, {no_worker, turn}));
    on.join();
    BOOST_TEST(on.are(first, {turn}));
    BOOST_TEST(on.only(first).count == 0U);
    BOOST_TEST(on.only(second).count == 1U);
    on.run(on.control.pause());
    BOOST_TEST(on.are(second, {paused, turn}));
    on.run(on.control.resume());
    on.settle(on.settled(on.fetch_one(), kind::throttle, "", 10s));
    BOOST_TEST(on.are(second, {throttled, turn}));
    BOOST_TEST((on.why(second).reasons[0].until == on.run(on.control.limits()).throttled_until));
    on.run(on.control.end_throttle());
    on.run(on.control.declare_limit(limit().running(1)));
    on.fetch_one();
    BOOST_TEST(on.are(second, {why_reason::limit, turn}));
    const auto full = on.why(second).reasons[0];
    BOOST_TEST(full.count == 1U);
    BOOST_TEST(full.most == 1U);
    BOOST_TEST(full.names == std::vector<std::string>{w}, boost::test_tools::per_element());
    on.run(on.control.declare_limit(limit().rate(1, 1h)));
    const auto third = on.add();
    on.fetch(w, 2);
    BOOST_TEST(on.are(third, {rate, turn}));
    const auto opens = on.why(third).reasons[0].until;
    BOOST_TEST((opens > on.record(third).submitted_at));
    BOOST_TEST((opens <= on.record(third).submitted_at + 61min));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_nobody_knows_says_so, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task("odd"));
    auto request = on.request();
    request.names = std::make_shared<const name_set>(name_set{"other"});
    BOOST_TEST(on.run(on.broker().fetch(request)).empty());
    const auto why = on.only(key);
    BOOST_TEST((why.what == unclaimed));
    BOOST_TEST(why.names == std::vector<std::string>{"odd"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_nobody_knows_says_too_what_holds_its_key_back, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    on.run(on.broker().set_key_limit(q, "", limit_kind::declared, limit().running(1), ""));
    auto made = on.task("known");
    made.key = "k";
    auto odd = on.task("odd", 1);
    odd.key = "k";
    const auto key = on.add(odd);
    on.add(made);
    auto request = on.request();
    request.names = std::make_shared<const name_set>(name_set{"known"});
    BOOST_REQUIRE_EQUAL(on.run(on.broker().fetch(request)).size(), 1U);
    BOOST_REQUIRE(on.are(key, {unclaimed, key_limit}));
    const auto limited = on.why(key).reasons[1];
    BOOST_TEST(limited.count == 1U);
    BOOST_TEST(limited.names == std::vector<std::string>{"k"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_turn_counts_what_comes_before_it_in_all_lanes, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    on.add_many(10);
    const auto low = on.add(on.task("work", -1));
    for (int i = 0; i < 3; ++i) on.add(on.task("work", 1));
    const auto last = on.add();
    on.add_many(20);
    BOOST_TEST(on.only(last).count == 13U);
    BOOST_TEST(!on.only(last).is_at_least);
    BOOST_TEST(on.only(low).count == 34U);
    on.fetch(w, 5);  // three of them, and two that came together
    BOOST_TEST(on.only(last).count == 8U);
    const auto together = on.add_many(30);
    BOOST_TEST(on.only(together[17]).count == 8U + 1 + 20 + 17);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_long_way_to_its_turn_is_at_least_so_long, Backend, backends) {
    asked on(std::make_unique<Backend>());
    on.join();
    for (int i = 0; i < 200; ++i) {
        std::vector<new_task> some;  // each alone: no two in a row are alike
        for (int j = 0; j < 100; ++j) some.push_back(on.task("work" + std::to_string(j)));
        on.run(on.broker().submit(q, std::move(some)));
    }
    const auto last = on.add();
    BOOST_TEST(on.only(last).is_at_least);
    BOOST_TEST(on.only(last).count >= 2000U);
    BOOST_TEST(on.only(last).count <= 20'000U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_says_which_subtasks_it_waits_for, Backend, backends) {
    fixture f(std::make_unique<Backend>());
    site on(f);
    f.run(f.broker().pause("far"));
    on.parent_body = [](context& ctx, int count) -> asio::awaitable<int> {
        const std::vector<int> numbers(std::size_t(count), 1);
        co_await ctx.spawn(far, numbers);
        co_return 1;
    };
    on.begin();
    const auto job = f.run(on.client.submit(parent, 7));
    on.until(job.id(), task_state::waiting_children);
    const auto why = f.run(on.inspector.why(job.id()));
    BOOST_REQUIRE_EQUAL(why.reasons.size(), 1U);
    BOOST_TEST((why.reasons[0].what == subtasks));
    BOOST_TEST(why.reasons[0].count == 7U);
    BOOST_TEST(why.reasons[0].most == 7U);
    BOOST_TEST(why.reasons[0].names.size() == 5U);
    const std::set<std::string> names(why.reasons[0].names.begin(), why.reasons[0].names.end());
    BOOST_TEST(names.size() == 5U);
    f.run(f.broker().resume("far"));
    BOOST_TEST(f.run(job.result()) == 1);
}

BOOST_AUTO_TEST_CASE(a_situation_reads_as_a_sentence) {
    task_situation all;
    all.id = "mail:~7.1";
    all.name = "send";
    const auto add = [&](why_reason what) -> task_reason& {
        auto& one = all.reasons.emplace_back();
        one.what = what;
        return one;
    };
    add(paused);
    auto& full = add(why_reason::limit);
    full.count = full.most = 2;
    full.names = {"v", "w"};
    add(turn).count = 1;
    BOOST_TEST(to_string(all) == "task send (mail:~7.1): its queue is paused; its queue lets 2 run, and 2 do, on v, w; "
                                 "1 task comes before it");
    auto& far_away = all.reasons.back();
    far_away.count = 2000;
    far_away.is_at_least = true;
    BOOST_TEST(to_string(far_away) == "at least 2000 tasks come before it");
    far_away = {};
    BOOST_TEST(to_string(far_away) == "it is the next one of its queue");
    auto& waits = add(signal);
    waits.names = {"approved"};
    waits.until = never;
    BOOST_TEST(to_string(waits) == "its handler waits for the signal approved");
    waits.until = time_point(0h);
    BOOST_TEST(to_string(waits) == "its handler waits for the signal approved until 1970-01-01T00:00:00Z");
    // Each kind says something of its own.
    std::set<std::string> texts;
    for (int what = 0; what <= int(damaged); ++what) texts.insert(to_string(task_reason{static_cast<why_reason>(what), {}, {}, 1, 1, false, {"x"}, "y"}));
    BOOST_TEST(texts.size() == std::size_t(damaged) + 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_with_a_key_says_what_holds_its_key_back_and_how_many_of_the_key_come_first, Backend, backends) {
    asked on(std::make_unique<Backend>());
    const auto put = [&](const char* key, int priority = 0) {
        auto one = asked::task("work", priority);
        one.key = key;
        return on.add(std::move(one));
    };
    on.join();
    on.run(on.control.declare_key_limit(limit().running(1)));
    const auto first = put("a"), second = put("a"), third = put("a", 5), other = put("b");
    const auto before = on.only(second);
    BOOST_TEST((before.what == turn && before.count == 2U && !before.is_at_least));
    BOOST_TEST(to_string(before) == "2 tasks of its key a come before it");
    BOOST_TEST(to_string(on.only(first)) == "1 task of its key a comes before it");
    BOOST_TEST(to_string(on.only(other)) == "it is the next one of its key b");

    BOOST_TEST((on.fetch_one().key == third));
    BOOST_TEST(on.are(second, {key_limit, turn}));
    const auto full = on.why(second).reasons;
    BOOST_TEST((full[0].count == 1U && full[0].most == 1U && full[1].count == 1U));
    BOOST_TEST(full[0].names == std::vector<std::string>{"a"}, boost::test_tools::per_element());
    BOOST_TEST(to_string(full[0]) == "its key a lets 1 run, and 1 do");
    BOOST_TEST(on.are(other, {turn}));

    on.run(on.control.set_key_limit("b", limit().rate(1, 10s), "slow"));
    BOOST_TEST((on.fetch_one().key == other));
    const auto late = put("b");
    const auto paced = on.why(late).reasons;
    BOOST_TEST(on.are(late, {key_rate, turn}));
    BOOST_TEST((paced[0].until - on.record(other).started_at >= 9s && paced[0].until - on.record(other).started_at <= 11s));
    BOOST_TEST(to_string(paced[0]).starts_with("the rate of its key b lets no task start until "));
    on.pass(10s);
    BOOST_TEST(on.are(late, {turn}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
