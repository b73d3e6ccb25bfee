#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_keyed_limits {

/// A queue with tasks that have keys, and two consumers.
struct keyed : fixture {
    explicit keyed(std::unique_ptr<backend> on) : fixture(std::move(on)) {
        join(w);
        join(other);
    }
    keyed(std::unique_ptr<backend> on, const limit& each) : keyed(std::move(on)) { limit_each(each); }

    void limit_each(const limit& value) { run(broker().set_key_limit(q, "", limit_kind::declared, value, "")); }
    void limit_one(const std::string& key, std::optional<limit> value) {
        run(broker().set_key_limit(q, key, limit_kind::live, value, "why"));
    }

    static new_task of(const std::string& key, new_task made = task()) {
        made.key = key;
        return made;
    }
    task_key put(const std::string& key, new_task made = task()) { return add(of(key, std::move(made))); }
    std::vector<task_key> put_many(const std::string& key, std::size_t count) {
        std::vector<task_key> keys;
        const std::vector<new_task> all(count, of(key));
        for (const auto& one : run(broker().submit(q, all))) keys.push_back(one.key);
        return keys;
    }

    /// The keys of what is handed out now, in its order; '-' for none.
    std::string order(std::size_t most = 100, const std::string& consumer = w) {
        std::string found;
        for (const auto& one : fetch_all(most, consumer)) found += (found.empty() ? "" : " ") + shown(one);
        return found;
    }
    std::string shown(const delivery& one) {
        const auto key = record(one.key).key;
        return key.empty() ? "-" : key;
    }
    std::vector<delivery> fetch_all(std::size_t most = 100, const std::string& consumer = w) {
        std::vector<delivery> all;
        for (bool more = true; more && all.size() < most;) {
            const auto some = fetch(consumer, most - all.size());
            more = !some.empty();
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }
    std::map<std::string, std::size_t> running() {
        std::map<std::string, std::size_t> found;
        for (const auto& one : list()) found[one.key] += one.state == task_state::running ? 1U : 0U;
        return found;
    }
    started<std::vector<delivery>> waiting_fetch(const std::string& consumer = other, std::size_t max = 1) {
        return start(broker().fetch(request(consumer, max, 1h)));
    }
    fetch_request knowing(const std::string& name, const std::string& consumer = w, std::size_t max = 10) {
        auto made = request(consumer, max);
        made.names = std::make_shared<const name_set>(name_set{name});
        return made;
    }

    inline static const std::string other = "other";
};

}  // namespace conformance_keyed_limits

BOOST_AUTO_TEST_SUITE(conformance_keyed_limits)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_record_shows_the_key_of_its_task, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    auto full = on.of("customer/7");
    full.own_id = "mine";
    full.unique_key = "unique";
    full.payload = "1";
    const auto key = on.add(full);
    BOOST_TEST(on.record(key).key == "customer/7");
    BOOST_TEST(on.record(key).own_id == "mine");
    BOOST_TEST(on.record(key).payload == "1");
    BOOST_TEST(on.record(on.add()).key == "");
    BOOST_TEST(on.list()[0].key == "customer/7");
    const auto one = on.fetch_one();
    BOOST_TEST(on.settle(one, kind::complete) == effect::done);
    BOOST_TEST(on.record(one.key).key == (one.key == key ? "customer/7" : ""));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_tasks_of_a_key_run_than_the_limit_says, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(2));
    const auto a = on.put_many("a", 5);
    const auto found = on.fetch_all();
    BOOST_REQUIRE_EQUAL(found.size(), 2U);
    BOOST_CHECK((found[0].key == a[0] && found[1].key == a[1]));
    on.put("b");
    BOOST_TEST(on.order() == "b");
    BOOST_TEST(on.settle(found[1], kind::complete) == effect::done);
    const auto next = on.fetch_all();
    BOOST_REQUIRE_EQUAL(next.size(), 1U);
    BOOST_CHECK((next[0].key == a[2]));
    BOOST_TEST(on.counts().waiting == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_take_turns_and_tasks_without_a_key_have_one_turn_together, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    on.put_many("a", 4);
    on.put_many("b", 2);
    on.add_many(3);
    on.put("c");
    const auto sorted = [](std::string text) {
        std::ranges::sort(text);
        text.erase(0, text.find_first_not_of(' '));
        return text;
    };
    BOOST_TEST(sorted(on.order(4)) == "-abc");
    BOOST_TEST(sorted(on.order(3)) == "-ab");
    BOOST_TEST(sorted(on.order(3)) == "-aa");
    BOOST_TEST(on.counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_without_a_key_have_their_turn_where_one_is_fetched_at_a_time, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    on.put_many("a", 20);
    on.put_many("b", 20);
    on.add_many(4);
    std::map<std::string, std::size_t> seen;
    for (int times = 0; times < 9; ++times) ++seen[on.order(1)];
    BOOST_TEST(seen["-"] == 3U);
    BOOST_TEST(seen["a"] == 3U);
    BOOST_TEST(seen["b"] == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_small_fetch_finds_what_stands_behind_keys_that_have_nothing_for_it, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    for (const std::string key : {"a", "b", "c", "d"}) on.put(key, on.task("other"));
    on.put("e", on.task("mine"));
    auto wanted = on.knowing("mine", w, 1);
    wanted.wait = 1h;
    auto sleeper = on.start(on.broker().fetch(wanted));
    BOOST_TEST(sleeper.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_whose_tasks_were_cancelled_hide_no_others, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    std::vector<task_key> gone;
    for (const std::string key : {"a", "b", "c", "d"}) gone.push_back(on.put(key));
    on.put("e");
    for (const auto& key : gone) on.cancel(key);
    BOOST_TEST(on.waiting_fetch().get().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_that_may_start_nothing_any_more_hide_no_others, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    for (const std::string key : {"a", "b", "c", "d", "e"}) on.put(key);
    for (const std::string key : {"a", "b", "c", "d"}) on.limit_one(key, limit().running(0));
    auto sleeper = on.waiting_fetch();
    BOOST_TEST(on.shown(sleeper.get().at(0)) == "e");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_backlog_of_one_key_does_not_delay_others, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    on.put_many("flood", 300);
    for (int i = 0; i < 5; ++i) on.put("k" + std::to_string(i));
    on.add_many(2);
    std::map<std::string, std::size_t> seen;
    for (const auto& one : on.fetch_all(9)) ++seen[on.shown(one)];
    BOOST_TEST(seen.size() == 7U);
    BOOST_TEST(seen["k4"] == 1U);
    BOOST_TEST(seen["flood"] <= 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_of_a_key_start_by_priority_and_then_arrival, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    const auto first = on.put("a", on.task("work", 0));
    const auto last = on.put("a", on.task("work", -1));
    const auto second = on.put("a", on.task("work", 0));
    const auto urgent = on.put("a", on.task("work", 5));
    for (const auto expected : {urgent, first, second, last}) {
        const auto one = on.fetch_one();
        BOOST_CHECK((one.key == expected));
        BOOST_TEST(on.fetch_all().empty());
        on.settle(one, kind::complete);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_way_in_which_a_task_stops_running_makes_room_for_its_key, Backend, backends) {
    for (const auto how : {kind::complete, kind::fail, kind::retry, kind::release, kind::suspend}) {
        keyed on(std::make_unique<Backend>(), limit().running(1));
        on.put_many("a", 2);
        const auto first = on.fetch_one();
        auto sleeper = on.waiting_fetch();
        BOOST_TEST(on.still_waiting(sleeper));
        const auto end = on.settled(first, how, how == kind::fail ? R"({"code":"task_failed"})" : "", how == kind::release ? 0ms : 1h);
        BOOST_TEST(on.settle(end) == effect::done);
        BOOST_TEST(sleeper.get().size() == 1U, "after the end of kind " << int(how));
        BOOST_TEST(on.running()["a"] == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_end_a_leave_and_a_lost_lease_make_room_for_a_key, Backend, backends) {
    for (const std::string how : {"cancel", "leave", "lease"}) {
        keyed on(std::make_unique<Backend>(), limit().running(1));
        on.put_many("a", 2);
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
        BOOST_TEST(on.running()["a"] == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_waits_before_it_may_start_takes_no_place, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    auto late = on.of("a");
    late.delay = 1h;
    const auto scheduled = on.add(late);
    auto held = on.of("a");
    held.hold = true;
    const auto kept = on.add(held);
    const auto free = on.put("a");
    const auto one = on.fetch_one();
    BOOST_CHECK((one.key == free));
    on.start_held(kept);
    on.promote(scheduled);
    BOOST_TEST(on.fetch_all().empty());
    on.settle(one, kind::complete);
    const auto next = on.fetch_one();
    BOOST_CHECK((next.key == scheduled));
    BOOST_TEST(on.remove(kept) == effect::done);
    on.settle(next, kind::complete);
    BOOST_TEST(on.fetch_all().empty());
    const auto again = on.put("a");
    BOOST_CHECK((on.fetch_one().key == again));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_others_have_passed_over_holds_nothing_and_keeps_to_the_limit_when_it_is_claimed, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    for (int i = 0; i < 3; ++i) on.put("a", on.task("b"));
    on.put("a", on.task("c"));
    const auto one = on.run(on.broker().fetch(on.knowing("c")));
    BOOST_REQUIRE_EQUAL(one.size(), 1U);
    BOOST_TEST(on.counts().unclaimed == 3U);
    BOOST_TEST(on.fetch_all(10, on.other).empty());
    on.settle(one[0], kind::complete);
    for (int i = 0; i < 3; ++i) {
        const auto next = on.fetch_all(10, on.other);
        BOOST_REQUIRE_EQUAL(next.size(), 1U);
        BOOST_TEST(on.running()["a"] == 1U);
        on.settle(next[0], kind::complete, on.other);
    }
    BOOST_TEST(on.counts().unclaimed == 0U);
    BOOST_TEST(on.counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(workers_with_other_handlers_do_not_hand_the_backlog_of_a_key_to_and_fro, Backend, backends) {
    constexpr std::size_t many = 300;
    keyed on(std::make_unique<Backend>(), limit().running(1));
    const auto all = on.put_many("a", many);  // of a name that `other` knows
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    BOOST_TEST(on.counts().unclaimed == many);
    for (std::size_t done = 0; done < 5; ++done) {
        const auto next = on.run(on.broker().fetch(on.knowing("work", on.other)));
        BOOST_REQUIRE_EQUAL(next.size(), 1U);
        BOOST_CHECK((next[0].key == all[done]));
        BOOST_TEST(on.counts().unclaimed == many - done - 1);
        BOOST_TEST(on.run(on.broker().fetch(on.knowing("work", on.other))).empty());
        BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
        BOOST_TEST(on.counts().unclaimed == many - done - 1);
        on.settle(next[0], kind::complete, on.other);
        BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
        BOOST_TEST(on.counts().unclaimed == many - done - 1);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_whose_tasks_others_have_passed_over_take_turns, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    for (const auto* const key : {"a", "b", "c"}) on.put_many(key, 20);
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    BOOST_TEST(on.counts().unclaimed == 60U);
    std::map<std::string, std::size_t> seen;
    for (int times = 0; times < 9; ++times) {
        for (const auto& one : on.run(on.broker().fetch(on.knowing("work", on.other, 1)))) ++seen[on.shown(one)];
    }
    for (const auto* const key : {"a", "b", "c"}) BOOST_TEST(seen[key] == 3U, key << ": " << seen[key]);
    on.put_many("d", 20);
    on.add_many(4);
    seen.clear();
    for (int times = 0; times < 9; ++times) {
        for (const auto& one : on.run(on.broker().fetch(on.knowing("work", on.other, 1)))) ++seen[on.shown(one)];
    }
    BOOST_TEST(seen["d"] >= 3U);
    BOOST_TEST(seen["d"] <= 5U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_starts_what_others_have_passed_over_in_the_order_of_its_tasks, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    const auto first = on.put("a"), second = on.put("a");
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    const auto third = on.put("a");
    const auto before_all = on.put("a", on.task("work", 5));
    for (const auto& wanted : {before_all, first, second, third}) {
        const auto one = on.fetch_one();
        BOOST_CHECK((one.key == wanted));
        on.settle(one, kind::complete);
    }
    BOOST_TEST(on.counts().unclaimed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_keeps_its_order_where_more_keys_have_what_others_have_passed_over_than_are_fetched, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    for (const auto* const key : {"a", "b", "c"}) on.put(key);
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    on.put_many("c", 2);
    std::vector<std::uint64_t> of_c;
    for (int times = 0; times < 5; ++times) {
        const auto one = on.fetch_one();
        if (on.shown(one) == "c") of_c.push_back(one.key.sequence);
    }
    BOOST_TEST(of_c.size() == 3U);
    BOOST_TEST(std::ranges::is_sorted(of_c));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_without_a_key_have_their_turn_beside_keys_of_which_others_have_passed_some_over, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    for (const auto* const key : {"a", "b"}) on.put_many(key, 20);
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    for (const auto* const key : {"a", "b"}) on.put(key);
    for (int i = 0; i < 4; ++i) on.add(on.task("work", 5));
    std::map<std::string, std::size_t> seen;
    for (int times = 0; times < 9; ++times) ++seen[on.order(1)];
    BOOST_TEST(seen["-"] == 3U);
    BOOST_TEST(seen["a"] == 3U);
    BOOST_TEST(seen["b"] == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_of_low_priority_does_not_hide_what_others_have_passed_over_of_another, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    on.put("a", on.task("work", 0));
    on.put("b", on.task("work", 50));
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("c"))).empty());
    for (int i = 0; i < 3; ++i) on.add(on.task("work", 10));
    const auto first = on.run(on.broker().fetch(on.knowing("work", on.other, 1)));
    BOOST_REQUIRE_EQUAL(first.size(), 1U);
    BOOST_TEST(on.shown(first[0]) == "b");
    BOOST_TEST(on.order() == "- - - a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_sleeps_gets_what_others_have_passed_over_once_its_key_has_room, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    on.put("a", on.task("c"));
    const auto wanted = on.put("a", on.task("b")), later = on.put("a", on.task("b"));
    for (const auto* const key : {"free", "too", "as well"}) on.put(key);
    const auto one = on.run(on.broker().fetch(on.knowing("c")));
    BOOST_REQUIRE_EQUAL(one.size(), 1U);
    auto asked = on.knowing("b", on.other);
    asked.wait = 1h;
    auto sleeper = on.start(on.broker().fetch(asked));
    BOOST_TEST(on.still_waiting(sleeper));
    on.settle(one[0], kind::complete);
    const auto found = sleeper.get();
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_CHECK((found[0].key == wanted));
    BOOST_TEST(on.cancel(later) == effect::done);
    on.settle(found[0], kind::complete, on.other);
    BOOST_TEST(on.run(on.broker().fetch(on.knowing("b", on.other))).empty());
    BOOST_TEST(on.fetch_all().size() == 3U);
    BOOST_TEST(on.counts().unclaimed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_may_not_start_is_given_to_who_sleeps_once_its_key_has_room, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    on.put("a");
    const auto one = on.fetch_one();
    auto sleeper = on.waiting_fetch();
    on.put("a");
    BOOST_TEST(on.still_waiting(sleeper));
    on.put("b");
    const auto found = sleeper.get();
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_TEST(on.shown(found[0]) == "b");
    auto second = on.waiting_fetch();
    on.settle(one, kind::complete);
    BOOST_TEST(on.shown(second.get().at(0)) == "a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_limits_of_the_queue_and_of_its_keys_count_together, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(2));
    on.run(on.broker().set_limit(q, limit_kind::declared, limit().running(3), ""));
    on.put_many("a", 4);
    on.put_many("b", 4);
    const auto found = on.fetch_all();
    BOOST_TEST(found.size() == 3U);
    auto running = on.running();
    BOOST_TEST((running["a"] <= 2U && running["b"] <= 2U));
    on.run(on.broker().pause(q));
    on.settle(found[0], kind::complete);
    BOOST_TEST(on.fetch_all().empty());
    on.run(on.broker().resume(q));
    BOOST_TEST(on.fetch_all().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_changed_limit_of_keys_counts_at_the_next_start, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    on.put_many("a", 6);
    on.put_many("b", 2);
    BOOST_TEST(on.fetch_all().size() == 2U);
    auto sleeper = on.waiting_fetch(on.other, 10);
    BOOST_TEST(on.still_waiting(sleeper));
    on.limit_each(limit().running(2));
    auto found = sleeper.get().size();
    found += on.fetch_all().size();
    BOOST_TEST(found == 2U);
    on.limit_one("a", limit().running(4));
    BOOST_TEST(on.order() == "a a");
    on.limit_one("a", limit().running(1));
    BOOST_TEST(on.order().empty());
    on.limit_one("a", limit());
    BOOST_TEST(on.order() == "a a");
    on.limit_one("a", std::nullopt);
    on.put("a");
    BOOST_TEST(on.order().empty());
    on.limit_each(limit());
    BOOST_TEST(on.order() == "a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_limits_keys_is_shown, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(3));
    on.run(on.broker().set_key_limit(q, "", limit_kind::live, limit().running(1), "slow"));
    on.limit_one("a", limit().running(7));
    on.run(on.broker().set_key_limit(q, "b", limit_kind::declared, limit().rate(5, 1s), ""));
    on.run(on.broker().set_limit(q, limit_kind::declared, limit().running(9), ""));
    const auto all = on.run(on.broker().limits(q));
    BOOST_REQUIRE((all.declared && all.each_key.declared && all.each_key.live));
    BOOST_TEST((all.declared->value == limit().running(9)));
    BOOST_TEST((all.each_key.declared->value == limit().running(3)));
    BOOST_TEST((all.each_key.in_force() == limit().running(1)));
    BOOST_TEST(all.each_key.live->reason == "slow");
    BOOST_REQUIRE_EQUAL(all.keys.size(), 2U);
    BOOST_TEST((all.keys.at("a").in_force() == limit().running(7)));
    BOOST_TEST(all.keys.at("a").live->reason == "why");
    BOOST_TEST((all.keys.at("b").declared->value == limit().rate(5, 1s)));
    on.limit_one("a", std::nullopt);
    BOOST_TEST(on.run(on.broker().limits(q)).keys.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_waits_is_bounded_by_queue_and_not_by_key, Backend, backends) {
    keyed on(std::make_unique<Backend>());
    const auto bounded = limit().running(1).max_waiting(5);
    for (const char* key : {"", "a"}) {
        auto setting = on.start(on.broker().set_key_limit(q, key, limit_kind::live, bounded, "why"));
        BOOST_TEST(on.error_of(setting) == errc::invalid_argument);
    }
    BOOST_TEST(on.run(on.broker().limits(q)).keys.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_replaced_task_has_the_key_of_the_one_in_its_place, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    auto old = on.of("a");
    old.unique_key = "u";
    const auto key = on.add(old);
    on.put("b");
    on.put("b");
    auto by = on.of("b");
    by.unique_key = "u";
    by.on_duplicate = duplicate::replace;
    BOOST_TEST(on.submit(by).duplicate);
    BOOST_TEST(on.record(key).key == "b");
    BOOST_TEST(on.order() == "b");
    BOOST_TEST(on.counts().waiting == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_replaced_by_one_without_a_key_is_held_back_by_none, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(0));
    auto with_key = on.of("a");
    with_key.unique_key = "u";
    const auto key = on.add(with_key);
    BOOST_TEST(on.order().empty());
    auto plain = with_key;
    plain.key.clear();
    plain.on_duplicate = duplicate::replace;
    BOOST_TEST(on.submit(plain).duplicate);
    BOOST_TEST(on.record(key).key == "");
    BOOST_TEST(on.order() == "-");
    BOOST_TEST(on.counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_of_each_key_holds_that_key_alone, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().rate(1, 1s));
    on.put_many("a", 3);
    on.put("b");
    BOOST_TEST(on.order().size() == std::string("a b").size());
    auto sleeper = on.waiting_fetch(w);
    BOOST_TEST(on.still_waiting(sleeper));
    on.pass(900ms);
    BOOST_TEST(on.still_waiting(sleeper));
    on.pass(100ms);
    BOOST_TEST(sleeper.get().size() == 1U);
    BOOST_TEST(on.order().empty());
    on.put("b");
    BOOST_TEST(on.order() == "b");
    on.pass(1s);
    BOOST_TEST(on.order() == "a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_remembers_a_key_that_has_nothing_left, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().rate(1, 10s));
    on.put("a");
    on.settle(on.fetch_one(), kind::complete);
    on.put("a");
    BOOST_TEST(on.fetch_all().empty());
    on.pass(10s);
    BOOST_TEST(on.order() == "a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(clear_leaves_nothing_of_a_key_behind, Backend, backends) {
    keyed on(std::make_unique<Backend>(), limit().running(1));
    on.put_many("a", 20);
    const auto one = on.fetch_one();
    BOOST_TEST(on.run(on.broker().clear(q, std::nullopt, 100)) == 19U);
    BOOST_TEST(on.fetch_all().empty());
    const auto next = on.put("a");
    BOOST_TEST(on.fetch_all().empty());
    on.settle(one, kind::complete);
    BOOST_CHECK((on.fetch_one().key == next));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(hundreds_of_keys_keep_their_limit_whatever_happens, Backend, backends) {
    constexpr std::size_t most = 2;
    keyed on(std::make_unique<Backend>(), limit().running(most));
    std::vector<new_task> all;
    for (int i = 0; i < 600; ++i) all.push_back(on.of("k" + std::to_string(i * i % 151), on.task(i % 3 == 0 ? "x" : "y", i % 5)));
    on.run(on.broker().submit(q, all));
    unsigned turn = 7;
    for (int round = 0; round < 40; ++round) {
        const auto& consumer = round % 2 == 0 ? w : on.other;
        std::vector<delivery> found;
        for (const auto& name : {"x", "y"}) {
            for (auto& one : on.run(on.broker().fetch(on.knowing(name, consumer, 30)))) found.push_back(std::move(one));
        }
        for (const auto& [key, count] : on.running()) BOOST_REQUIRE(count <= most);
        std::vector<settlement> ends;
        for (const auto& one : found) {
            turn = turn * 1103515245 + 12345;
            switch (turn / 65536 % 6) {
                case 0: ends.push_back(on.settled(one, kind::complete)); break;
                case 1: ends.push_back(on.settled(one, kind::retry, "", 0ms)); break;
                case 2: ends.push_back(on.settled(one, kind::release)); break;
                case 3: ends.push_back(on.settled(one, kind::retry, "", 3s)); break;
                case 4: ends.push_back(on.settled(one, kind::suspend, "", 2s)); break;
                default: break;  // goes on
            }
        }
        on.run(on.broker().settle(q, consumer, ends));
        if (round % 7 == 3) {
            on.run(on.broker().leave(on.other, {q}));
            on.join(on.other);
        }
        on.pass(round % 9 == 5 ? 31s : 1s);
        on.join(w);
        on.join(on.other);
    }
    // Nothing is stuck: all that is left runs to its end.
    on.run(on.broker().leave(w, {q}));
    on.run(on.broker().leave(on.other, {q}));
    on.pass(10s);
    on.join(w);
    for (bool more = true; more;) {
        const auto found = on.fetch_all(500);
        std::vector<settlement> ends;
        for (const auto& one : found) ends.push_back(on.settled(one, kind::complete));
        on.run(on.broker().settle(q, w, ends));
        more = !found.empty();
    }
    const auto counts = on.counts();
    BOOST_TEST(counts.waiting == 0U);
    BOOST_TEST(counts.running == 0U);
    BOOST_TEST(counts.unclaimed == 0U);
    BOOST_TEST(counts.scheduled == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
