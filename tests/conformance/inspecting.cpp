#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

namespace taskflux::conformance {

namespace conformance_inspecting {

list_query by_pages_of(std::size_t limit, const std::string& queue = {}) {
    list_query query;
    query.limit = limit;
    query.queue = queue;
    return query;
}

}  // namespace conformance_inspecting

BOOST_AUTO_TEST_SUITE(conformance_inspecting)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_list_goes_by_queue_and_then_by_submission, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto b = on.add_many(3, "b"), a = on.add_many(2, "a");
    on.cancel(on.add_many(2, "c")[0]);
    for (const std::size_t limit : {1U, 2U, 3U, 7U, 100U}) {
        const auto all = on.list(by_pages_of(limit));
        BOOST_REQUIRE(all.size() == 7U);
        BOOST_TEST(std::ranges::is_sorted(all, {}, [](const task_record& record) { return record.id; }));
        BOOST_TEST(all[0].id.queue == "a");
        BOOST_TEST(all[0].id.key == a[0]);
        BOOST_TEST((keys_of(on.list(by_pages_of(limit, "b"))) == b));
    }
    constexpr auto most = (std::numeric_limits<std::size_t>::max)();
    for (const auto limit : {most, most - 1}) BOOST_TEST(on.list(by_pages_of(limit)).size() == 7U);
    BOOST_TEST(on.list(by_pages_of(5, "none")).empty());
    BOOST_TEST(on.run(on.broker().list(by_pages_of(0))).tasks.empty());
    BOOST_TEST(on.run(on.broker().list(by_pages_of(4))).tasks.size() <= 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_list_can_be_restricted, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (int i = 0; i < 6; ++i) {
        keys.push_back(on.add(on.task(i % 2 ? "odd" : "even")));
        on.advance(1s);
    }
    on.cancel(keys[0]);
    on.cancel(keys[1]);
    list_query query;
    query.limit = 2;
    query.state = task_state::cancelled;
    BOOST_TEST((keys_of(on.list(query)) == std::vector{keys[0], keys[1]}));
    query.name = "odd";
    BOOST_TEST((keys_of(on.list(query)) == std::vector{keys[1]}));
    query.state.reset();
    BOOST_TEST((keys_of(on.list(query)) == std::vector{keys[1], keys[3], keys[5]}));
    query.since = on.record(keys[3]).submitted_at;
    BOOST_TEST((keys_of(on.list(query)) == std::vector{keys[3], keys[5]}));
    query.until = on.record(keys[5]).submitted_at;
    BOOST_TEST((keys_of(on.list(query)) == std::vector{keys[3]}));
    query.queue = "other";
    BOOST_TEST(on.list(query).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_page_of_large_tasks_has_fewer, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (int i = 0; i < 7; ++i) {
        auto large = on.task();
        large.payload.assign(3 << 20, 'x');
        keys.push_back(on.add(std::move(large)));
    }
    keys.push_back(on.add());
    const auto first = on.run(on.broker().list({}));
    BOOST_TEST(first.tasks.size() == 6U);
    BOOST_TEST(!first.cursor.empty());
    BOOST_TEST((keys_of(on.list()) == keys));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_unreadable_cursor_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.add();
    list_query query;
    query.cursor = "?";
    BOOST_TEST(on.error_of(on.broker().list(query)) == errc::invalid_argument);
    query.cursor = "q:~3w5e11264sgsf.0";  // past every task
    BOOST_TEST(on.list(query).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_list_of_a_queue_that_can_not_be_is_refused_also_when_it_is_to_have_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    for (const std::size_t limit : {0U, 1U}) {
        list_query query;
        query.limit = limit;
        query.queue = "no queue";
        BOOST_TEST(on.error_of(on.broker().list(query)) == errc::invalid_argument);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(paging_neither_skips_nor_repeats_while_tasks_come_and_go, Backend, backends) {
    std::mt19937 random(11);
    const auto roll = [&](std::size_t sides) { return std::size_t(random() % sides); };
    for (int round = 0; round < 30; ++round) {
        fixture on(std::make_unique<Backend>());
        on.join(w, {q, "r"});
        std::set<task_id> steady;      // there from the first page to the last
        std::vector<task_key> fickle;  // of q, and may go
        for (int i = 0; i < 60; ++i) {
            const auto& queue = roll(2) ? q : "r";
            const auto key = on.add(on.task(), queue);
            if (queue == q && roll(2)) fickle.push_back(key);
            else steady.insert({queue, key});
        }
        std::map<task_id, int> seen;
        auto query = by_pages_of(1 + roll(9));
        do {
            const auto page = on.run(on.broker().list(query));
            for (const auto& record : page.tasks) ++seen[record.id];
            query.cursor = page.cursor;
            if (!fickle.empty() && roll(2)) {
                const auto gone = fickle.begin() + std::ptrdiff_t(roll(fickle.size()));
                on.remove(*gone);
                fickle.erase(gone);
            }
            if (roll(2)) on.add();
            for (const auto& one : on.fetch(w, roll(3))) on.settle(one, roll(2) ? kind::complete : kind::release);
            if (roll(4) == 0) on.run(on.broker().clear("none", std::nullopt, 5));
        } while (!query.cursor.empty());
        for (const auto& id : steady) BOOST_TEST(seen[id] == 1);
        BOOST_TEST(std::ranges::all_of(seen, [](const auto& one) { return one.second == 1; }));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(queues_are_those_that_hold_or_have_held_tasks, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto names = [&] { return on.run(on.broker().queues()); };
    BOOST_TEST(names().empty());
    on.join(w, {"joined"});
    on.run(on.broker().pause("paused"));
    on.counts("looked-at");
    BOOST_TEST(names().empty());
    on.add_many(1, "z");
    on.add_many(1, "a");
    on.run(on.broker().clear("a", std::nullopt, 10));
    BOOST_TEST((names() == std::vector<std::string>{"a", "z"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_unknown_counts_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto counts = on.counts("none");
    BOOST_TEST((counts.waiting + counts.running + counts.succeeded) == 0U);
    BOOST_TEST(!counts.paused);
    BOOST_TEST(!on.run(on.broker().get({"none", {1, 1}})).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_updated_payload_is_what_is_handed_out, Backend, backends) {
    for (const auto state : {task_state::held, task_state::scheduled, task_state::waiting}) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, state);
        BOOST_TEST(on.update(task.key, "new") == effect::done);
        on.start_held(task.key);
        on.promote(task.key);
        BOOST_TEST(on.fetch_one().payload == "new");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(clear_removes_in_steps_what_does_not_run, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add_many(25);
    const auto got = on.fetch(w, 5);
    on.settle(got[0], kind::complete);
    const auto clear = [&](std::optional<task_state> state, std::size_t limit) {
        return on.run(on.broker().clear(q, state, limit));
    };
    BOOST_TEST(clear(task_state::failed, 10) == 0U);
    BOOST_TEST(clear(task_state::running, 10) == 0U);
    BOOST_TEST(clear(task_state::succeeded, 10) == 1U);
    BOOST_TEST(clear(task_state::waiting, 0) == 0U);
    BOOST_TEST(clear(task_state::waiting, 3) == 3U);
    BOOST_TEST(on.counts().waiting == 17U);
    BOOST_TEST(clear(std::nullopt, 10) == 10U);
    BOOST_TEST(clear(std::nullopt, 10) == 7U);
    BOOST_TEST(clear(std::nullopt, 10) == 0U);
    BOOST_TEST(on.counts().running == 4U);
    BOOST_TEST(on.counts().cancelled == 0U);
    BOOST_TEST(on.list().size() == 4U);
    BOOST_TEST(on.run(on.broker().clear("none", std::nullopt, 10)) == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removed_task_is_gone, Backend, backends) {
    for (const auto state : reachable) {
        if (state == task_state::running) continue;
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, state);
        BOOST_TEST(on.remove(task.key) == effect::done);
        BOOST_TEST(!on.exists(task.key));
        BOOST_TEST(on.list().empty());
        on.advance(20s);
        BOOST_TEST(on.fetch().empty());
        BOOST_TEST(on.remove(task.key) == effect::not_found);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
