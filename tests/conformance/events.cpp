#include <conformance/fixture.hpp>

#include <taskflux/admin/events.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux::conformance {

namespace conformance_events {

using event = queue_event;
using ek = event_kind;

struct observed : fixture {
    explicit observed(std::unique_ptr<backend> on) : fixture(std::move(on)) { join(); }

    events reader(events_options options = events_options()) { return events(shared(), q, std::move(options)); }

    /// A reader that has got its beginning.
    events begun(events_options options = events_options()) {
        auto made = reader(std::move(options));
        const auto first = next(made);
        BOOST_TEST((first.kind == ek::begun));
        return made;
    }

    event_item item(events& from) {
        auto waits = begin(from.next());
        while (still_waiting(waits)) advance(500ms);
        return waits.get();
    }
    event next(events& from) {
        auto got = item(from);
        BOOST_REQUIRE(std::holds_alternative<event>(got));
        return std::get<event>(got);
    }
    event_gap gap(events& from) {
        auto got = item(from);
        BOOST_REQUIRE(std::holds_alternative<event_gap>(got));
        return std::get<event_gap>(got);
    }
    /// Events up to the one that a pause brings about.
    std::vector<event> all(events& from) {
        run(broker().pause(q));
        run(broker().resume(q));
        std::vector<event> found;
        for (;;) {
            auto one = next(from);
            if (one.kind == ek::paused) continue;
            if (one.kind == ek::resumed) return found;
            found.push_back(std::move(one));
        }
    }
    static std::vector<ek> kinds(const std::vector<event>& found) {
        std::vector<ek> made;
        for (const auto& one : found) made.push_back(one.kind);
        return made;
    }
    static bool is_of(const event& one, ek kind, const std::vector<task_key>& keys) {
        return one.kind == kind && one.count() == keys.size() &&
               std::ranges::all_of(keys, [&](const auto& key) { return one.has(key.sequence); });
    }
};

using ks = std::vector<ek>;

}  // namespace conformance_events

BOOST_AUTO_TEST_SUITE(conformance_events)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_life_of_a_task_is_told_step_by_step, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    const auto key = on.add();
    const auto held = on.fetch_one();
    on.settle(held, kind::complete);
    const auto found = on.all(reads);
    BOOST_REQUIRE((on.kinds(found) == ks{ek::submitted, ek::started, ek::succeeded}));
    for (const auto& one : found) BOOST_TEST(on.is_of(one, one.kind, {key}));
    BOOST_TEST((found[0].name == "work" && found[1].name == "work"));
    BOOST_TEST((found[0].attempt == 0U && found[1].attempt == 1U && found[2].attempt == 1U));
    BOOST_TEST((found[0].consumer.empty() && found[1].consumer == w && found[2].consumer == w));
    BOOST_TEST((found[0].at != time_point{} && found[0].at <= found[2].at));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_one_call_does_to_many_tasks_is_one_event_with_ranges, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    const auto keys = on.add_many(200);
    const auto held = on.fetch(w, 200);
    BOOST_REQUIRE(held.size() == 200U);
    std::vector<settlement> ends;
    for (const auto& one : held) ends.push_back(on.settled(one, kind::complete));
    on.run(on.broker().settle(q, w, ends));
    const auto found = on.all(reads);
    std::size_t submitted = 0, started = 0, succeeded = 0;
    for (const auto& one : found) {
        if (one.kind == ek::submitted) submitted += one.count();
        if (one.kind == ek::started) started += one.count();
        if (one.kind == ek::succeeded) succeeded += one.count();
        BOOST_TEST(one.numbers.size() <= 2U);
    }
    BOOST_TEST((submitted == 200U && started == 200U && succeeded == 200U));
    BOOST_TEST(found.size() <= 12U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_one_call_does_to_tasks_of_many_names_in_turn_is_told_together, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    std::vector<new_task> tasks;
    for (int n = 0; n < 40; ++n) tasks.push_back(on.task(n % 2 ? "one" : "other"));
    on.run(on.broker().submit(q, tasks));
    std::vector<settlement> ends;
    for (const auto& one : on.fetch(w, 40)) ends.push_back(on.settled(one, kind::fail));
    BOOST_REQUIRE(ends.size() == 40U);
    std::ranges::reverse(ends);
    on.run(on.broker().settle(q, w, ends));
    std::size_t failed = 0, events = 0;
    for (const auto& one : on.all(reads)) {
        BOOST_TEST(std::ranges::is_sorted(one.numbers, {}, &number_range::first));
        failed += one.kind == ek::failed ? one.count() : 0;
        events += one.kind == ek::failed;
    }
    BOOST_TEST((failed == 40U && events <= 2U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_told_stays_for_an_hour_when_nobody_reads_or_has_it_kept_any_more, Backend, backends) {
    for (const bool is_kept : {false, true}) {
        observed on(std::make_unique<Backend>());
        const queue_control control(on.shared(), q);
        if (is_kept) on.run(control.keep_events(1000));
        auto reads = on.begun();
        const auto cursor = reads.cursor();
        const auto key = on.add();
        auto later = on.task();
        for (const auto delay : {30min, 120min}) {  // something to do for the broker
            later.delay = delay;
            on.add(later);
        }
        on.next(reads);
        on.pass(2min);  // its lease is over
        if (is_kept) on.run(control.keep_events(0));
        on.pass(40min);
        on.join();
        auto back = on.reader(events_options().from(cursor));
        BOOST_TEST(on.is_of(on.next(back), ek::submitted, {key}));
        on.pass(2h);
        on.join();
        on.add();
        auto late = on.reader(events_options().from(cursor));
        on.gap(late);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_is_handed_over_is_told_too, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    auto waits = on.start(on.broker().fetch(on.request(w, 1, 1h)));
    const auto key = on.add();
    BOOST_REQUIRE(waits.get().size() == 1U);
    const auto found = on.all(reads);
    BOOST_REQUIRE((on.kinds(found) == ks{ek::submitted, ek::started}));
    BOOST_TEST((on.is_of(found[1], ek::started, {key}) && found[1].consumer == w));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_other_end_of_an_attempt_has_its_kind, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    on.add();
    on.settle(on.settled(on.fetch_one(), kind::retry, "{}"));
    auto later = on.settled(on.fetch_one(), kind::retry);
    later.counts = false;
    on.settle(later);
    on.settle(on.fetch_one(), kind::release);
    on.settle(on.fetch_one(), kind::suspend);
    on.settle(on.settled(on.fetch_one(), kind::fail, "{}"));
    auto found = on.all(reads);
    std::erase_if(found, [](const event& one) { return one.kind == ek::started || one.kind == ek::submitted; });
    BOOST_TEST((on.kinds(found) == ks{ek::retried, ek::postponed, ek::released, ek::suspended, ek::failed}));
    BOOST_TEST((found[0].attempt == 1U && found[1].attempt == 2U && found[4].attempt == 2U));
    for (const auto& one : found) BOOST_TEST(one.consumer == w);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lost_lease_is_told_of_and_an_expired_task, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    run_policy policy;
    policy.expires_in = 1s;
    const auto lost = on.add();
    on.fetch_one();
    const auto expired = on.add(on.task(policy));
    on.pass(1s);
    on.counts();
    on.pass(on.lease);
    on.exists(lost);
    const auto found = on.all(reads);
    const auto is_told = [&](ek kind, task_key key) {
        return std::ranges::any_of(found, [&](const event& one) { return on.is_of(one, kind, {key}); });
    };
    BOOST_TEST(is_told(ek::expired, expired));
    BOOST_TEST(is_told(ek::lost, lost));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_done_by_hand_is_told, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    const auto key = on.add();
    on.cancel(key);
    on.requeue(key);
    on.remove(key);
    auto keyed = on.task();
    keyed.unique_key = "one";
    keyed.on_duplicate = duplicate::replace;
    on.submit(keyed);
    on.submit(keyed);
    on.run(on.broker().set_limit(q, limit_kind::live, limit().running(1), "why"));
    std::vector<new_task> tasks;
    tasks.push_back(on.task());
    on.run(on.broker().set_schedule(q, "every day", "", "text", tasks));
    const auto found = on.all(reads);
    BOOST_TEST((on.kinds(found) == ks{ek::submitted, ek::cancelled, ek::requeued, ek::cancelled, ek::removed, ek::submitted,
                                      ek::replaced, ek::limit_changed, ek::submitted, ek::schedule_fired}));
    BOOST_TEST(found.back().schedule == "every day");
    BOOST_TEST((found.back().count() == 1U && found.back().consumer.empty()));
    BOOST_TEST(found[7].numbers.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_that_nobody_listens_to_tells_nothing, Backend, backends) {
    observed on(std::make_unique<Backend>());
    on.add();
    auto reads = on.begun();
    on.add_many(2);
    const auto found = on.all(reads);
    std::size_t told = 0;
    for (const auto& one : found) told += one.count();
    BOOST_TEST(told == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_goes_on_at_its_cursor_and_gets_again_what_it_has_not_taken_whole, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    const auto begin = reads.cursor();
    BOOST_TEST(!begin.empty());
    on.cancel(on.add());
    on.next(reads);
    const auto behind_first = reads.cursor();
    BOOST_TEST(behind_first != begin);
    auto other = on.reader(events_options().from(behind_first));
    BOOST_TEST((on.kinds(on.all(other)) == ks{ek::cancelled}));
    auto again = on.reader(events_options().from(begin));
    BOOST_TEST((on.kinds(on.all(again)) == ks{ek::submitted, ek::cancelled}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_of_one_call_are_given_again_until_the_last_was_taken, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    std::vector<new_task> two;
    for (const std::string name : {"a", "b"}) two.push_back(on.task(name));
    on.run(on.broker().submit(q, std::move(two)));
    BOOST_TEST(on.next(reads).name == "a");
    auto again = on.reader(events_options().from(reads.cursor()));
    BOOST_TEST(on.next(again).name == "a");
    BOOST_TEST(on.next(reads).name == "b");
    on.cancel(on.add());
    auto behind = on.reader(events_options().from(reads.cursor()));
    BOOST_TEST((on.next(behind).kind == ek::submitted && on.next(behind).kind == ek::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_that_was_away_for_longer_than_its_lease_is_told_of_a_gap, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    on.add();
    on.next(reads);
    on.pass(2min);
    on.add();  // nobody hears
    const auto missing = on.gap(reads);
    BOOST_TEST((missing.since < missing.until && !missing.to.empty() && missing.from != missing.to));
    const auto key = on.add();
    BOOST_TEST(on.is_of(on.next(reads), ek::submitted, {key}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_that_are_kept_wait_for_a_reader_that_comes_back, Backend, backends) {
    observed on(std::make_unique<Backend>());
    const queue_control control(on.shared(), q);
    on.run(control.keep_events(1000));
    auto reads = on.begun();
    const auto cursor = reads.cursor();
    on.pass(1h);
    on.join();
    const auto key = on.add();
    auto back = on.reader(events_options().from(cursor));
    BOOST_TEST(on.is_of(on.next(back), ek::submitted, {key}));
    on.run(control.keep_events(0));
    on.pass(10min);
    on.add();
    on.gap(back);
    BOOST_TEST(on.error_of(control.keep_events(1'000'001)) == errc::invalid_argument);
    BOOST_TEST(on.error_of(control.keep_events(10, -1ms)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_slow_reader_is_told_what_was_dropped_and_goes_on, Backend, backends) {
    observed on(std::make_unique<Backend>());
    on.run(on.broker().keep_events(q, 10, 0ms));
    auto reads = on.begun();
    for (int n = 0; n < 300; ++n) {
        on.cancel(on.add());
        if (n % 20 == 0) on.advance(1ms);
    }
    const auto missing = on.gap(reads);
    BOOST_TEST(missing.from != missing.to);
    BOOST_TEST(reads.cursor() == missing.to);
    const auto left = on.all(reads);
    BOOST_TEST((!left.empty() && left.size() < 400U));
    BOOST_TEST((left.back().kind == ek::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_gets_only_the_kinds_and_tasks_that_it_wants, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto ends = on.begun(events_options().only(ek::cancelled).only(ek::resumed));
    const auto key = on.add();
    on.add();
    const auto other = on.add(on.task("other"));
    auto of_one = on.begun(events_options().of({q, key}));
    auto of_name = on.begun(events_options().named("other").only(ek::cancelled));
    on.cancel(other);
    on.cancel(key);
    const auto first = on.next(ends);
    BOOST_TEST(on.is_of(first, ek::cancelled, {other}));
    BOOST_TEST(on.is_of(on.next(of_one), ek::cancelled, {key}));
    BOOST_TEST(on.is_of(on.next(of_name), ek::cancelled, {other}));
    std::vector<settlement> done;
    const auto both = on.add_many(2);
    auto of_two = on.begun(events_options().of({q, both[1]}));
    for (const auto& one : on.fetch(w, 3)) done.push_back(on.settled(one, kind::complete));
    on.run(on.broker().settle(q, w, done));
    BOOST_TEST(on.is_of(on.next(of_two), ek::started, {both[1]}));
    BOOST_TEST(on.is_of(on.next(of_two), ek::succeeded, {both[1]}));
    const auto last = on.add(on.task("other"));
    on.cancel(on.add());
    on.cancel(last);
    BOOST_TEST(on.is_of(on.next(of_name), ek::cancelled, {last}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_readers_get_the_same_events, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto first = on.begun(), second = on.begun();
    const auto key = on.add(on.task("-"));
    for (auto* const reads : {&first, &second}) {
        const auto got = on.next(*reads);
        BOOST_TEST(on.is_of(got, ek::submitted, {key}));
        BOOST_TEST(got.name == "-");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_closed_broker_ends_the_wait_for_events, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun(events_options().lease(24h).poll(8h));
    auto waits = on.start(reads.next());
    on.broker().close();
    BOOST_TEST(on.error_of(std::move(waits)) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lease_lasts_from_the_last_call_on, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun(events_options().lease(1min));
    on.pass(29s);
    on.cancel(on.add());
    on.next(reads);
    on.pass(59s);
    const auto key = on.add();
    on.next(reads);
    BOOST_TEST(on.is_of(on.next(reads), ek::submitted, {key}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lease_may_be_as_long_as_anybody_wants, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun(events_options().lease((duration::max)()));
    on.pass(24h);
    on.join();
    const auto key = on.add();
    BOOST_TEST(on.is_of(on.next(reads), ek::submitted, {key}));
    on.run(on.broker().keep_events(q, 10, 0ms));
    on.run(on.broker().keep_events(q, 0, 0ms));
    on.pass(24h);
    on.join();
    const auto later = on.add();
    BOOST_TEST(on.is_of(on.next(reads), ek::submitted, {later}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cursor_of_other_events_is_a_gap, Backend, backends) {
    observed on(std::make_unique<Backend>());
    for (const std::string cursor : {"q@0@1@0-1", "q@0@0@9000000000000000000-0", "q@0@7@123456-0"}) {
        auto reads = on.reader(events_options().from(cursor));
        on.add();
        const auto missing = on.gap(reads);
        BOOST_TEST((missing.from == cursor && missing.to == reads.cursor()));
        const auto key = on.add();
        while (!on.next(reads).has(key.sequence)) continue;
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_older_than_they_are_kept_are_a_gap, Backend, backends) {
    observed on(std::make_unique<Backend>());
    on.run(on.broker().keep_events(q, 1000, 1min));
    auto reads = on.begun();
    on.add();
    on.next(reads);
    auto back = on.reader(events_options().from(reads.cursor()));
    for (int n = 0; n < 3; ++n) on.add();
    on.pass(2min);
    const auto key = on.add();
    const auto missing = on.gap(back);
    BOOST_TEST((missing.since != time_point{} && missing.since < missing.until));
    BOOST_TEST(on.is_of(on.next(back), ek::submitted, {key}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_for_events_can_be_cancelled_and_nothing_is_lost, Backend, backends) {
    observed on(std::make_unique<Backend>());
    auto reads = on.begun();
    auto waits = on.start(reads.next());
    waits.cancel();
    BOOST_TEST(on.error_of(std::move(waits)) == aborted);
    const auto key = on.add();
    BOOST_TEST(on.is_of(on.next(reads), ek::submitted, {key}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_is_refused_what_it_can_not_do, Backend, backends) {
    observed on(std::make_unique<Backend>());
    for (const std::string cursor : {"x", "1", "1@", "1@2", "1@2-x", "@1-1", "1@-1"}) {
        BOOST_CHECK_THROW(on.reader(events_options().from(cursor)), error);
        event_query query;
        query.cursor = cursor;
        BOOST_TEST(on.error_of(on.broker().events(q, query)) == errc::invalid_argument, cursor);
    }
    BOOST_CHECK_THROW(on.reader(events_options().poll(0ms)), error);
    BOOST_CHECK_THROW(on.reader(events_options().lease(0ms)), error);
    BOOST_CHECK_THROW(on.reader(events_options().poll(2s).lease(5s)), error);
    BOOST_CHECK_THROW(on.reader(events_options().of({"other", on.add()})), error);
    BOOST_CHECK_THROW(events(on.shared(), "other", events_options().from(on.begun().cursor())), error);
    BOOST_CHECK_THROW(events(on.shared(), "no queue"), error);
    BOOST_CHECK_THROW(events(nullptr, q), error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
