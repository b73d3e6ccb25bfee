#include <conformance/placing.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/core/codec.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace taskflux::conformance {

namespace conformance_journals {

/// A running parent, and what tests do to its journal.
struct family {
    explicit family(fixture& f) : on(f) {
        on.join();
        parent.queue = q;
        parent.key = on.add();
        last = on.fetch_one();
    }

    journal_write new_write() const {
        journal_write made;
        made.consumer = w;
        made.token = last.token;
        return made;
    }

    journal_written write(journal_write what) { return on.run(on.broker().write_journal(parent, std::move(what))); }

    std::optional<journal_entry> step(std::string name, std::string value) {
        auto what = new_write();
        what.items.push_back({step_key(name), std::move(value), journal_write::mode::add, false});
        return write(std::move(what)).before.at(0);
    }

    /// Notes a subtask and submits it.
    task_key add_child(const std::string& name, const std::string& queue = q, bool is_spawned = true) {
        const auto own_id = to_string(parent) + '/' + name;
        auto what = new_write();
        what.items.push_back({child_key(name), child_place{queue, "work", own_id}.text(), journal_write::mode::add, is_spawned});
        write(std::move(what));
        auto child = on.task();
        child.own_id = own_id;
        child.parent = parent_link{parent, child_key(name)};
        return on.add(std::move(child), queue);
    }

    /// Notes a continuation and submits it.
    task_key add_continuation(const std::string& own_id, const std::string& queue = q) {
        auto what = new_write();
        what.items.push_back({std::string(continuation_key), child_place{queue, "work", own_id}.text(), journal_write::mode::add, false});
        BOOST_TEST(!write(std::move(what)).before.at(0).has_value());
        auto next = on.task();
        next.own_id = own_id;
        next.hold = true;
        next.parent = parent_link{parent, std::string(continuation_key)};
        return on.add(std::move(next), queue);
    }

    effect end(kind how = kind::complete, std::string data = "1", duration delay = {}) {
        return on.settle(on.settled(last, how, std::move(data), delay));
    }

    void set_policy(children_policy policy) {
        auto what = new_write();
        what.policy = policy;
        write(std::move(what));
    }

    /// Runs the child that is next in the queue.
    void run_child(kind how, std::string data, const std::string& queue = q) {
        auto request = on.request();
        request.queues = {queue};
        const auto found = on.run(on.broker().fetch(request));
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        settlement one = on.settled(found[0], how, std::move(data));
        BOOST_TEST((on.run(on.broker().settle(queue, w, {one})).at(0) == effect::done));
    }

    journal_page read(journal_query query = {}) { return on.run(on.broker().journal(parent, std::move(query))); }

    fixture& on;
    task_id parent;
    delivery last;
};

const std::string why = R"({"code":"task_failed","type":"","message":"no luck","pointer":"","expected":""})";

}  // namespace conformance_journals

BOOST_AUTO_TEST_SUITE(conformance_journals)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_is_written_once_and_read_by_the_next_run, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    BOOST_TEST(!all.step("charge", "42").has_value());
    const auto there = all.step("charge", "43");
    BOOST_REQUIRE(there.has_value());
    BOOST_TEST(there->text == "42");
    all.end(kind::release);
    all.last = on.fetch_one();
    const auto page = all.read({{step_key("charge"), step_key("other")}, 10, ""});
    BOOST_REQUIRE_EQUAL(page.entries.size(), 1U);
    BOOST_TEST(page.entries[0].key == step_key("charge"));
    BOOST_TEST(page.entries[0].text == "42");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_note_can_be_replaced, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    for (const std::string text : {"1", "2"}) {
        auto what = all.new_write();
        what.items.push_back({step_key("low"), text, journal_write::mode::set, false});
        all.write(std::move(what));
        BOOST_TEST(all.read({{step_key("low")}, 1, ""}).entries.at(0).text == text);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_older_attempt_and_an_ended_task_take_no_notes, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto refused = [&](journal_write what) { return on.error_of(on.broker().write_journal(all.parent, std::move(what))); };
    auto old = all.new_write();
    all.end(kind::release);
    BOOST_TEST(refused(old) == errc::lease_lost);
    all.last = on.fetch_one();
    BOOST_TEST(refused(old) == errc::lease_lost);
    auto others = all.new_write();
    others.consumer = "somebody";
    BOOST_TEST(refused(others) == errc::lease_lost);
    journal_write outside;
    outside.items.push_back({child_key("a"), child_place{q, "work", "x"}.text(), journal_write::mode::add, false});
    BOOST_TEST(!refused(outside));
    all.end();
    BOOST_TEST(refused(outside) == errc::wrong_state);
    all.parent.key.sequence += 100;
    BOOST_TEST(refused(outside) == errc::not_found);
    BOOST_TEST(on.error_of(on.broker().journal(all.parent, {})) == errc::not_found);
    BOOST_TEST((on.run(on.broker().signal(all.parent, "s", "1")) == effect::not_found));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_look_tells_what_is_there_and_changes_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.step("a", "1");
    all.add_child("c");
    const auto before = all.read();
    auto what = all.new_write();
    for (const auto& key : {step_key("a"), step_key("b"), child_key("c"), child_key("d")}) {
        what.items.push_back({key, "", journal_write::mode::look, false});
    }
    const auto seen = all.write(std::move(what)).before;
    BOOST_REQUIRE_EQUAL(seen.size(), 4U);
    BOOST_TEST((seen[0] && seen[0]->text == "1"));
    BOOST_TEST(!seen[1]);
    BOOST_TEST((seen[2] && child_place::parse(seen[2]->text).name == "work"));
    BOOST_TEST(!seen[3]);
    const auto after = all.read();
    BOOST_TEST(after.entries.size() == before.entries.size());
    BOOST_TEST((after.counts == before.counts));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crash_counts_against_what_the_journal_has_gained, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto crash = [&] {
        on.advance(on.lease);
        on.join();
    };
    const auto crashes = [&] { return on.record(all.parent.key).crashes; };
    const auto run_again = [&] { all.last = on.fetch_one(); };
    const auto set = [&](const char* name, const char* value) {
        auto what = all.new_write();
        what.items.push_back({step_key(name), value, journal_write::mode::set, false});
        all.write(std::move(what));
    };
    for (int day = 0; day != 5; ++day) {  // more than the limit of 3 in all
        crash();
        BOOST_TEST(crashes() == 1U);
        run_again();
        crash();
        BOOST_TEST(crashes() == 2U);
        run_again();
        all.step("day " + std::to_string(day), "1");
        BOOST_TEST(crashes() == 0U);
    }
    set("place", "1");
    crash();
    run_again();
    all.step("day 0", "1");  // what is there already is no progress
    set("place", "1");
    auto nothing = all.new_write();
    nothing.items.push_back({step_key("place"), "", journal_write::mode::look, false});
    all.write(std::move(nothing));
    BOOST_TEST(crashes() == 1U);
    set("place", "2");
    BOOST_TEST(crashes() == 0U);
    for (int i = 0; i != 2; ++i) {
        crash();
        run_again();
    }
    crash();
    BOOST_TEST((on.state(all.parent.key) == task_state::failed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_end_of_a_child_is_progress_of_its_parent, Backend, backends) {
    for (const std::string& place : {q, std::string("far")}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        const auto child = all.add_child("a", place, false);
        on.advance(on.lease);
        on.join(w, {q, "far"});
        BOOST_TEST(on.record(all.parent.key).crashes == 1U);
        auto request = on.request(w, 2);
        request.queues = {q, "far"};
        for (int tries = 0; tries != 10; ++tries) {
            for (const auto& one : on.run(on.broker().fetch(request))) {
                if (request.queues[one.queue] != place || one.key != child) continue;
                const auto end = on.settled(one, kind::complete, "1");
                on.run(on.broker().settle(place, w, {end}));
            }
        }
        on.let_work();
        BOOST_TEST(on.record(all.parent.key).crashes == 0U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(steps_that_are_too_large_together_are_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const std::string half(max_journal_size / 2, 'x');
    all.step("a", half);
    auto what = all.new_write();
    what.items.push_back({step_key("b"), half, journal_write::mode::add, false});
    BOOST_TEST(on.error_of(on.broker().write_journal(all.parent, std::move(what))) == errc::too_large);
    BOOST_TEST(on.error_of(on.broker().signal(all.parent, "s", half)) == errc::too_large);
    BOOST_TEST(all.read().entries.size() == 1U);
    BOOST_TEST(!all.step("c", "small").has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(subtasks_are_refused_with_a_step_that_is_too_large, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.step("a", std::string(max_journal_size - 1000, 'x'));
    const auto there = child_key("there");
    auto one = all.new_write();
    one.items.push_back({there, "here", journal_write::mode::add, true});
    on.run(on.broker().write_journal(all.parent, std::move(one)));
    auto what = all.new_write();
    for (int i = 0; i != 500; ++i) {  // more than one script takes
        what.items.push_back({i % 2 == 0 ? there : child_key(std::to_string(i)), "here", journal_write::mode::add, true});
    }
    what.items.push_back({step_key("b"), std::string(2000, 'x'), journal_write::mode::add, false});
    BOOST_TEST(on.error_of(on.broker().write_journal(all.parent, std::move(what))) == errc::too_large);
    const auto page = all.read();
    BOOST_REQUIRE_EQUAL(page.entries.size(), 2U);
    BOOST_TEST((page.entries[0].key == there || page.entries[1].key == there));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_in_a_journal_counts_once_and_signals_count_with_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const std::string third(max_journal_size / 3, 'x');
    for (int times = 0; times != 4; ++times) all.step("a", third);  // it is there
    BOOST_TEST((on.run(on.broker().signal(all.parent, "s", third)) == effect::done));
    BOOST_TEST(on.error_of(on.broker().signal(all.parent, "s", third)) == errc::too_large);
    auto what = all.new_write();
    what.items.push_back({step_key("b"), third, journal_write::mode::add, false});
    BOOST_TEST(on.error_of(on.broker().write_journal(all.parent, std::move(what))) == errc::too_large);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_that_is_cancelled_waits_for_no_child_that_it_has_spawned, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto child = all.add_child("a");
    BOOST_TEST((on.cancel(all.parent.key) == effect::requested));
    BOOST_TEST((all.end(kind::complete) == effect::done));
    BOOST_TEST((on.state(all.parent.key) == task_state::cancelled));
    BOOST_TEST((on.run(on.broker().wait({q, child}, 1h))->state == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_that_is_removed_has_been_cancelled_for_its_parent, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto child = all.add_child("a");
    all.end();
    BOOST_TEST((on.remove(child) == effect::done));
    const auto record = on.record(all.parent.key);
    BOOST_TEST((record.state == task_state::failed));
    BOOST_TEST(decode<failure>(record.error).message == "subtask \"a\" was cancelled");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_ends_with_its_last_child, Backend, backends) {
    for (const bool is_elsewhere : {false, true}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        const std::string queue = is_elsewhere ? "elsewhere" : q;
        if (is_elsewhere) on.join(w, {"elsewhere"});
        const auto first = all.add_child("a", queue);
        all.add_child("b", queue);
        auto waiting = on.start(on.broker().wait(all.parent, 1h));
        BOOST_TEST((all.end(kind::complete, "7") == effect::done));
        BOOST_TEST((on.state(all.parent.key) == task_state::waiting_children));
        BOOST_TEST(on.counts().waiting_children == 1U);
        BOOST_TEST(on.run(on.broker().get({queue, first}))->parent == to_string(all.parent));
        all.run_child(kind::complete, "8", queue);
        BOOST_TEST(on.still_waiting(waiting));
        all.run_child(kind::complete, "9", queue);
        const auto end = waiting.get();
        BOOST_REQUIRE(end.has_value());
        BOOST_TEST((end->state == task_state::succeeded));
        BOOST_TEST(end->result == "7");
        BOOST_TEST(end->attempts == 1U);
        const auto page = all.read();
        BOOST_TEST((page.counts == children_counts{2, 2, 0}));
        BOOST_REQUIRE_EQUAL(page.entries.size(), 2U);
        for (const auto& entry : page.entries) {
            BOOST_REQUIRE(entry.outcome.has_value());
            BOOST_TEST(entry.outcome->result == (entry.key == child_key("a") ? "8" : "9"));
            BOOST_TEST(child_place::parse(entry.text).queue == queue);
            BOOST_TEST(entry.is_spawned);
        }
        BOOST_TEST(on.counts().waiting_children == 0U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tree_shows_subtasks_in_the_order_of_their_calls, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const std::vector<std::string> in_order{"2", "2.9", "2.10", "10", "b2", "b10", "call", "call\xC3\xA9"};
    for (auto name = in_order.rbegin(); name != in_order.rend(); ++name) all.add_child(*name);
    const inspector tells{on.shared()};
    const auto tree = on.run(tells.tree(all.parent));
    std::vector<std::string> names;
    for (const auto& child : tree.node.children) names.push_back(child.name);
    BOOST_TEST(names == in_order, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(children_may_end_before_their_parent_returns, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.add_child("a");
    all.run_child(kind::complete, "8");
    BOOST_TEST((on.state(all.parent.key) == task_state::running));
    all.end();
    BOOST_TEST((on.state(all.parent.key) == task_state::succeeded));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_first_failure_fails_the_parent_and_cancels_the_others, Backend, backends) {
    for (const auto& queue : {q, std::string("elsewhere")}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        on.join(w, {"elsewhere"});
        all.add_child("a", queue);
        const auto other = all.add_child("b", queue);
        all.end();
        auto waiting = on.start(on.broker().wait({queue, other}, 1h));
        all.run_child(kind::fail, why, queue);
        const auto left = waiting.get();
        BOOST_TEST((left && left->state == task_state::cancelled));
        const auto end = on.run(on.broker().wait(all.parent, 1h));
        BOOST_REQUIRE(end.has_value());
        BOOST_TEST((end->state == task_state::failed));
        BOOST_TEST(decode<failure>(end->error).message == "subtask \"a\" failed: no luck");
        BOOST_TEST(end->attempts == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(policies_say_when_a_parent_ends, Backend, backends) {
    struct row {
        children_policy policy;
        std::vector<bool> ends;  // of three children
        std::vector<task_state> parent;
    };
    using enum task_state;
    const auto waits = waiting_children;
    for (const auto& [policy, ends, states] : std::vector<row>{
             {children_policy::collect(), {false, true, false}, {waits, waits, succeeded}},
             {children_policy::quorum(2), {true, false, true}, {waits, waits, succeeded}},
             {children_policy::quorum(2), {true, true}, {waits, succeeded}},
             {children_policy::quorum(2), {false, false}, {waits, failed}},
             {children_policy::quorum(4), {}, {}},
             {children_policy::fail_fast(), {true, false}, {waits, failed}}}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        all.set_policy(policy);
        std::vector<task_key> children;
        for (const std::string name : {"a", "b", "c"}) children.push_back(all.add_child(name));
        all.end();
        if (ends.empty()) {
            BOOST_TEST(decode<failure>(on.record(all.parent.key).error).message == "it has fewer subtasks than must succeed");
        }
        for (std::size_t i = 0; i < ends.size(); ++i) {
            all.run_child(ends[i] ? kind::complete : kind::fail, ends[i] ? "1" : why);
            BOOST_TEST((on.state(all.parent.key) == states[i]), policy.text() << " after " << i + 1);
        }
        for (const auto child : children) BOOST_TEST(is_terminal(on.run(on.broker().wait({q, child}, 1h))->state));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_that_ends_in_any_way_cancels_what_it_had_open, Backend, backends) {
    for (const auto how : {kind::fail, kind::cancel, kind::complete}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        const auto call = all.add_child("call", q, false);
        auto waiting = on.start(on.broker().wait({q, call}, 1h));
        if (how == kind::cancel) on.cancel(all.parent.key);
        all.end(how, how == kind::fail ? why : "1");
        const auto end = waiting.get();
        BOOST_TEST((end && end->state == task_state::cancelled));
        BOOST_TEST(is_terminal(on.state(all.parent.key)));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelling_a_parent_that_waits_cancels_its_children, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto waiting = all.add_child("a"), running = all.add_child("b");
    on.promote(waiting);
    const auto taken = on.fetch_one();
    all.end();
    BOOST_TEST((on.cancel(all.parent.key) == effect::done));
    BOOST_TEST((on.state(all.parent.key) == task_state::cancelled));
    const auto key_left = taken.key == waiting ? running : waiting;
    BOOST_TEST((on.run(on.broker().wait({q, key_left}, 1h))->state == task_state::cancelled));
    while (!on.record(taken.key).cancel_requested) on.run(on.broker().watch(w, 1s));
    BOOST_TEST(on.settle(taken, kind::cancel) == effect::done);
    BOOST_TEST(on.counts().running == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_without_retention_leaves_nothing_behind, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add(on.task(run_policy{.retention = 0ms, .failed_retention = 0ms}));
    const auto last = on.fetch_one();
    journal_write notes;
    notes.consumer = w;
    notes.token = last.token;
    const std::string own_id = "child";
    notes.items.push_back({child_key("a"), child_place{q, "work", own_id}.text(), journal_write::mode::add, false});
    on.run(on.broker().write_journal({q, key}, notes));
    auto child = on.task();
    child.own_id = own_id;
    child.parent = parent_link{{q, key}, child_key("a")};
    const auto child_at = on.add(child);
    auto waiting = on.start(on.broker().wait({q, child_at}, 1h));
    on.settle(last, kind::complete);
    BOOST_TEST(!on.exists(key));
    BOOST_TEST((waiting.get()->state == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_past_its_deadline_fails_while_it_waits_for_children, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.end();
    const auto key = on.add(on.task(run_policy{.deadline = 10s}));
    all.parent.key = key;
    all.last = on.fetch_one();
    const auto child = all.add_child("a");
    all.end();
    on.advance(10s);
    BOOST_TEST((on.state(key) == task_state::failed));
    BOOST_TEST((on.run(on.broker().wait({q, child}, 1h))->state == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_attempt_finds_successes_and_open_children_but_not_failures, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    for (const std::string name : {"good", "bad", "open"}) all.add_child(name, q, false);
    all.run_child(kind::complete, "1");
    all.run_child(kind::fail, why);
    const auto before = [&](const std::string& name) {
        auto what = all.new_write();
        what.items.push_back({child_key(name), child_place{q, "work", "another"}.text(), journal_write::mode::add, false});
        return all.write(std::move(what)).before.at(0);
    };
    BOOST_TEST((before("bad") && before("bad")->outcome));
    all.end(kind::retry, why);
    for (const auto& found : on.fetch(w, 2)) {  // the parent, and the child that is open
        if (found.key == all.parent.key) all.last = found;
    }
    BOOST_TEST((before("good") && before("good")->outcome->state == task_state::succeeded));
    BOOST_TEST((before("open") && !before("open")->outcome));
    BOOST_TEST(!before("bad").has_value());
    BOOST_TEST((before("bad") && !before("bad")->outcome));
    BOOST_TEST(child_place::parse(before("bad")->text).own_id == "another");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(children_can_be_attached_to_a_task_that_has_not_started, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const task_id parent{q, on.add()};
    journal_write outside;
    outside.items.push_back({child_key("x"), child_place{q, "work", "own"}.text(), journal_write::mode::add, true});
    on.run(on.broker().write_journal(parent, outside));
    auto child = on.task();
    child.own_id = "own";
    child.parent = parent_link{parent, child_key("x")};
    on.add(child);
    const auto first = on.fetch_one();
    BOOST_TEST((first.key == parent.key));
    on.settle(first, kind::complete);
    BOOST_TEST((on.state(parent.key) == task_state::waiting_children));
    on.settle(on.fetch_one(), kind::complete);
    BOOST_TEST((on.state(parent.key) == task_state::succeeded));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_continuation_starts_after_the_children_and_gives_the_result, Backend, backends) {
    for (const auto& queue : {q, std::string("elsewhere")}) {
        for (const bool has_children : {true, false}) {
            fixture on(std::make_unique<Backend>());
            family all(on);
            on.join(w, {"elsewhere"});
            if (has_children) all.add_child("a");
            const auto key = all.add_continuation("then", queue);
            all.end(kind::complete, "1");
            BOOST_TEST((on.state(all.parent.key) == task_state::waiting_children));
            if (has_children) {
                BOOST_TEST((on.run(on.broker().get({queue, key}))->state == task_state::held));
                all.run_child(kind::complete, "1");
            }
            auto waiting = on.start(on.broker().wait(all.parent, 1h));
            auto request = on.request(w, 1, 10s);
            request.queues = {queue};
            auto fetching = on.start(on.broker().fetch(request));
            const auto found = fetching.get();
            BOOST_REQUIRE_EQUAL(found.size(), 1U);
            BOOST_TEST((found[0].key == key));
            on.run(on.broker().settle(queue, w, {on.settled(found[0], kind::complete, "99")}));
            const auto end = waiting.get();
            BOOST_TEST((end && end->state == task_state::succeeded));
            BOOST_TEST(end->result == "99");
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_that_waits_gets_a_continuation_when_its_turn_comes, Backend, backends) {
    for (const auto& queue : {q, std::string("elsewhere")}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        on.join("v", {queue});
        all.add_child("a");
        const auto next = all.add_continuation("then", queue);
        all.end(kind::complete, "1");
        const auto child = on.fetch_one();
        auto request = on.request("v", 1, 1h);
        request.queues = {queue};
        auto fetching = on.start(on.broker().fetch(request));
        on.settle(child, kind::complete);
        const auto found = fetching.get();
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        BOOST_TEST((found[0].key == next));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_whose_continuation_was_cancelled_while_it_ran_fails_when_its_children_have_ended, Backend, backends) {
    for (const auto& queue : {q, std::string("elsewhere")}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        all.add_child("a");
        const auto next = all.add_continuation("then", queue);
        BOOST_TEST((on.run(on.broker().cancel(queue, {next})).at(0) == effect::done));
        on.let_work();
        all.end(kind::complete, "1");
        BOOST_TEST((on.state(all.parent.key) == task_state::waiting_children));
        on.settle(on.fetch_one(), kind::complete);
        BOOST_TEST((on.state(all.parent.key) == task_state::failed));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_whose_continuation_failed_starts_another_when_it_is_requeued, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    for (const std::string own_id : {"first", "second"}) {
        all.add_continuation(own_id);
        all.end(kind::complete, "1");
        auto request = on.request(w, 1, 10s);
        const auto found = on.start(on.broker().fetch(request)).get();
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        BOOST_TEST(found[0].own_id == own_id);
        on.settle(on.settled(found[0], own_id == "first" ? kind::fail : kind::complete, own_id == "first" ? why : "9"));
        const auto end = on.run(on.broker().wait(all.parent, 1h));
        BOOST_TEST((end->state == (own_id == "first" ? task_state::failed : task_state::succeeded)));
        if (own_id == "second") break;
        BOOST_TEST(on.requeue(all.parent.key) == effect::done);
        all.last = on.fetch_one();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_ends_are_carried_to_another_queue_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    on.join(w, {"elsewhere"});
    constexpr int many = 450;
    auto what = all.new_write();
    std::vector<new_task> tasks;
    for (int i = 0; i != many; ++i) {
        const auto name = std::to_string(i);
        what.items.push_back({child_key(name), child_place{"elsewhere", "work", "c" + name}.text(), journal_write::mode::add, true});
        tasks.push_back(on.task());
        tasks.back().own_id = "c" + name;
        tasks.back().parent = parent_link{all.parent, child_key(name)};
    }
    all.write(std::move(what));
    on.run(on.broker().submit("elsewhere", std::move(tasks)));
    all.end(kind::complete, "7");
    auto waiting = on.start(on.broker().wait(all.parent, 1h));
    auto request = on.request(w, 500);
    request.queues = {"elsewhere"};
    std::vector<settlement> ends;
    while (ends.size() < many) {
        for (const auto& one : on.run(on.broker().fetch(request))) ends.push_back(on.settled(one, kind::complete, "1"));
    }
    on.run(on.broker().settle("elsewhere", w, ends));
    BOOST_TEST((waiting.get()->state == task_state::succeeded));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_hears_of_a_child_that_ends_as_its_consumer_leaves, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    on.join("b", {"elsewhere", "quiet"});
    const auto child = all.add_child("a", "elsewhere");
    all.end();
    auto waiting = on.start(on.broker().wait(all.parent, 1h));
    auto request = on.request("b");
    request.queues = {"elsewhere"};
    BOOST_REQUIRE_EQUAL(on.run(on.broker().fetch(request)).size(), 1U);
    on.run(on.broker().cancel("elsewhere", {child}));
    on.run(on.broker().leave("b", {"elsewhere", "quiet"}));  // the cancelled child ends with that
    BOOST_TEST(is_terminal(waiting.get()->state));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_ends_when_the_child_that_it_still_waited_for_is_taken_out, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.add_child("a");
    all.end();
    journal_write outside;
    outside.items.push_back({child_key("a"), "", journal_write::mode::drop, false});
    on.run(on.broker().write_journal(all.parent, outside));
    BOOST_TEST((on.state(all.parent.key) == task_state::succeeded));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_ends_the_pause_that_waits_for_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    const auto awaited = signal_key("go", 1);
    BOOST_TEST((all.end(kind::suspend, awaited, 1h) == effect::done));
    BOOST_TEST((on.state(all.parent.key) == task_state::scheduled));
    BOOST_TEST((on.run(on.broker().signal(all.parent, "other", "0")) == effect::done));
    BOOST_TEST((on.state(all.parent.key) == task_state::scheduled));
    BOOST_TEST((on.run(on.broker().signal(all.parent, "go", "5")) == effect::done));
    all.last = on.fetch_one();
    BOOST_TEST(all.last.attempt == 1U);
    BOOST_TEST(all.read({{awaited}, 1, ""}).entries.at(0).text == "5");
    // The next one of that name has not come.
    all.end(kind::suspend, signal_key("go", 2), 10s);
    BOOST_TEST((on.state(all.parent.key) == task_state::scheduled));
    on.advance(10s);
    all.last = on.fetch_one();
    all.end();
    BOOST_TEST((on.run(on.broker().signal(all.parent, "go", "6")) == effect::wrong_state));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_that_came_before_the_pause_ends_it_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const task_id id{q, on.add()};
    BOOST_TEST((on.run(on.broker().signal(id, "go", "5")) == effect::done));
    const auto last = on.fetch_one();
    on.settle(on.settled(last, kind::suspend, signal_key("go", 1), 1h));
    BOOST_TEST((on.state(id.key) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_does_not_end_the_back_off_of_an_attempt_that_failed_after_it_was_awaited, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.end(kind::suspend, signal_key("go", 1), 10s);
    on.advance(10s);
    for (const bool counts : {true, false}) {
        all.last = on.fetch_one();
        auto again = on.settled(all.last, kind::retry, why, 1min);
        again.counts = counts;
        BOOST_TEST((on.settle(again) == effect::done));
        BOOST_TEST((on.run(on.broker().signal(all.parent, "go", "5")) == effect::done));
        BOOST_TEST((on.state(all.parent.key) == task_state::scheduled));
        on.advance(1min);
        on.join();
        if (!counts) break;
        all.last = on.fetch_one();
        all.end(kind::suspend, signal_key("go", 2), 10s);  // the next one of that name
        on.advance(10s);
    }
    BOOST_TEST((on.state(all.parent.key) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_late_end_of_a_replaced_child_does_not_count, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.add_child("a");
    const auto late = on.fetch_one();
    auto out = all.new_write();
    out.items.push_back({child_key("a"), "", journal_write::mode::drop, false});
    all.write(std::move(out));
    auto again = all.new_write();
    again.items.push_back({child_key("a"), child_place{q, "work", "another"}.text(), journal_write::mode::add, true});
    all.write(std::move(again));
    auto child = on.task();
    child.own_id = "another";
    child.parent = parent_link{all.parent, child_key("a")};
    on.add(std::move(child));
    all.end(kind::complete, "7");
    BOOST_TEST(on.settle(on.settled(late, kind::fail, why)) == effect::done);
    on.let_work();
    BOOST_TEST((on.state(all.parent.key) == task_state::waiting_children));
    BOOST_TEST((all.read().counts == children_counts{1, 0, 0}));
    all.run_child(kind::complete, "8");
    BOOST_TEST((on.state(all.parent.key) == task_state::succeeded));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stranger_with_the_own_id_of_a_child_is_not_cancelled_for_it, Backend, backends) {
    for (const auto& queue : {q, std::string("elsewhere")}) {
        fixture on(std::make_unique<Backend>());
        family all(on);
        auto stranger = on.task();
        stranger.own_id = "mine";
        const auto key = on.add(std::move(stranger), queue);
        auto what = all.new_write();
        what.items.push_back({child_key("a"), child_place{queue, "work", "mine"}.text(), journal_write::mode::add, false});
        all.write(std::move(what));
        all.end(kind::fail, why);
        on.let_work();
        BOOST_TEST((on.run(on.broker().get({queue, key}))->state == task_state::waiting));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_that_is_taken_out_counts_no_more_however_it_ended, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.set_policy(children_policy::collect());
    for (const std::string name : {"good", "bad", "open"}) all.add_child(name);
    all.run_child(kind::complete, "1");
    all.run_child(kind::fail, why);
    BOOST_TEST((all.read().counts == children_counts{3, 2, 1}));
    const auto counts_without = [&](const std::string& name) {
        auto out = all.new_write();
        out.items.push_back({child_key(name), "", journal_write::mode::drop, false});
        all.write(std::move(out));
        return all.read().counts;
    };
    BOOST_TEST((counts_without("bad") == children_counts{2, 1, 0}));
    BOOST_TEST((counts_without("open") == children_counts{1, 1, 0}));
    BOOST_TEST((counts_without("good") == children_counts{0, 0, 0}));
    BOOST_TEST((counts_without("good") == children_counts{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_that_is_requeued_and_ends_again_counts_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.set_policy(children_policy::collect());
    const auto first = all.add_child("a"), second = all.add_child("b");
    all.end(kind::complete, "7");
    all.run_child(kind::fail, why);
    const auto again = on.state(first) == task_state::failed ? first : second;
    BOOST_TEST((on.requeue(again) == effect::done));
    on.promote(again);
    for (const auto& found : on.fetch(w, 2)) {
        if (found.key == again) on.settle(found, kind::complete);
    }
    BOOST_TEST((all.read().counts == children_counts{2, 1, 1}));
    BOOST_TEST((on.state(all.parent.key) == task_state::waiting_children));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_that_runs_when_its_parent_ends_is_told_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.add_child("a");
    const auto running = on.fetch_one();
    all.end();
    auto watching = on.start(on.broker().watch(w, 1h));
    BOOST_TEST((on.cancel(all.parent.key) == effect::done));
    on.let_work();
    BOOST_TEST(watching.done());
    BOOST_TEST(on.record(running.key).cancel_requested);
    watching.cancel();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_failed_children_the_first_says_why, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    for (const std::string name : {"a", "b"}) all.add_child(name);
    all.set_policy(children_policy::quorum(2));
    all.run_child(kind::fail, why);
    all.run_child(kind::fail, R"({"code":"task_failed","type":"","message":"other luck","pointer":"","expected":""})");
    all.end();
    const auto record = on.record(all.parent.key);
    BOOST_TEST((record.state == task_state::failed));
    BOOST_TEST(decode<failure>(record.error).message == "subtask \"a\" failed: no luck");
    BOOST_TEST(record.attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_task_can_be_cancelled_and_keeps_its_deadline, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    all.end(kind::suspend, "", (duration::max)());
    BOOST_TEST((on.cancel(all.parent.key) == effect::done));
    const auto key = on.add(on.task(run_policy{.deadline = 10s}));
    const auto last = on.fetch_one();
    on.settle(on.settled(last, kind::suspend, signal_key("go", 1), (duration::max)()));
    BOOST_TEST((on.state(key) == task_state::scheduled));
    on.advance(10s);
    BOOST_TEST((on.state(key) == task_state::failed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_results_of_subtasks_are_all_read, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    journal_query named;
    constexpr std::size_t count = 9, size = 600 * 1024;
    for (std::size_t i = 0; i < count; ++i) {
        named.keys.push_back(child_key(std::to_string(i)));
        named.keys.push_back(child_key("no " + std::to_string(i)));
        all.add_child(std::to_string(i));
        all.run_child(kind::complete, std::string(size, char('a' + i)));
    }
    const auto check = [&](const std::vector<journal_entry>& found) {
        std::string letters;
        for (const auto& one : found) {
            BOOST_REQUIRE(one.outcome.has_value());
            BOOST_TEST(one.outcome->result.size() == size);
            letters += one.outcome->result[0];
        }
        std::ranges::sort(letters);
        BOOST_TEST(letters == "abcdefghi");
    };
    const auto page = all.read(named);
    BOOST_TEST(page.cursor.empty());
    check(page.entries);
    std::vector<journal_entry> paged;
    journal_query query;
    do {
        auto next = all.read(query);
        std::ranges::move(next.entries, std::back_inserter(paged));
        query.cursor = next.cursor;
    } while (!query.cursor.empty());
    check(paged);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_journal_is_read_in_pages, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    family all(on);
    auto what = all.new_write();
    for (int i = 0; i != 1500; ++i) {
        const auto name = std::to_string(i);
        what.items.push_back({child_key(name), child_place{q, "work", "c" + name}.text(), journal_write::mode::add, true});
    }
    all.write(std::move(what));
    std::vector<std::string> keys;
    journal_query query;
    query.limit = 100;
    std::size_t pages = 0;
    do {
        const auto page = all.read(query);
        BOOST_TEST((page.counts == children_counts{1500, 0, 0}));
        for (const auto& entry : page.entries) keys.push_back(entry.key);
        query.cursor = page.cursor;
        ++pages;
    } while (!query.cursor.empty());
    std::ranges::sort(keys);
    BOOST_TEST(keys.size() == 1500U);
    BOOST_TEST((std::ranges::adjacent_find(keys) == keys.end()));
    BOOST_TEST(pages > 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_journal_is_read_with_any_size_of_pages, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const task_id id{q, on.add()};
    for (int i = 0; i != 5; ++i) on.run(on.broker().signal(id, "go", "1"));
    for (const std::size_t limit : {0UL, 1UL, ~0UL}) {
        std::set<std::string> found;
        journal_query query;
        query.limit = limit;
        do {
            auto page = on.run(on.broker().journal(id, query));
            for (auto& entry : page.entries) found.insert(std::move(entry.key));
            query.cursor = std::move(page.cursor);
        } while (!query.cursor.empty());
        BOOST_TEST(found.size() == 5U, limit);
    }
    journal_query query;
    query.cursor = "~1";
    BOOST_TEST(on.error_of(on.broker().journal(id, query)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_no_cursor_of_a_journal_is_refused_whether_or_not_it_is_used, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const task_id id{q, on.add()};
    task_id unknown = id;
    unknown.key.sequence += 1000;
    journal_query query, of_keys;
    query.cursor = of_keys.cursor = "~1";
    of_keys.keys.push_back(step_key("a"));
    BOOST_TEST(on.error_of(on.broker().journal(id, query)) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.broker().journal(unknown, query)) == errc::invalid_argument);
    on.run(on.broker().signal(id, "go", "1"));
    BOOST_TEST(on.error_of(on.broker().journal(id, of_keys)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_subtasks_are_taken_out_of_a_journal, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const task_id id{q, on.add()};
    const auto held = on.fetch_one();
    on.run(on.broker().signal(id, "go", "1"));
    const auto write = [&](std::string key, journal_write::mode how) {
        journal_write what;
        what.consumer = w;
        what.token = held.token;
        what.items.push_back({std::move(key), "1", how, false});
        return on.broker().write_journal(id, std::move(what));
    };
    on.run(write(step_key("a"), journal_write::mode::add));
    for (const auto& key : {step_key("a"), step_key("none"), signal_key("go", 1)}) {
        BOOST_TEST(on.error_of(write(key, journal_write::mode::drop)) == errc::invalid_argument, key);
    }
    BOOST_TEST(on.run(on.broker().journal(id, {})).entries.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
