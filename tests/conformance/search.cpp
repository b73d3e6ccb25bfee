#include <conformance/fixture.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/failure.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_search {

struct searching : fixture {
    explicit searching(std::unique_ptr<backend> on) : fixture(std::move(on)), seen(shared()) { join(w); }

    search_page page(const std::string& filter, const std::string& cursor = {}, std::size_t limit = 50) {
        return run(seen.search(parse_search(filter, now.value_or(broker().clock().now())), cursor, limit));
    }

    /// The numbers of all pages; checks that none is there twice and that they come newest first.
    std::vector<std::uint64_t> all(const std::string& filter, std::size_t limit = 50) {
        std::vector<std::uint64_t> found;
        std::string cursor;
        do {
            const auto one = page("queue:q " + filter, cursor, limit);
            BOOST_TEST(one.tasks.size() <= limit);
            for (const auto& task : one.tasks) {
                BOOST_TEST((found.empty() || task.id.key.sequence < found.back()));
                found.push_back(task.id.key.sequence);
            }
            cursor = one.cursor;
        } while (!cursor.empty());
        return found;
    }

    bool finds(const std::string& filter, const std::vector<task_key>& keys, std::size_t limit = 50) {
        std::vector<std::uint64_t> numbers;
        for (const auto& key : keys) numbers.push_back(key.sequence);
        std::ranges::sort(numbers, std::greater<>());
        return all(filter, limit) == numbers;
    }

    task_key with_payload(std::string payload, const std::string& name = "work") {
        auto one = task(name);
        one.payload = std::move(payload);
        return add(std::move(one));
    }

    task_key with_key(const std::string& key) {
        auto one = task();
        one.key = key;
        return add(std::move(one));
    }

    task_key later_one(duration delay = 1h) {
        auto one = task();
        one.delay = delay;
        return add(std::move(one));
    }

    void fail(const delivery& which, const std::string& message, kind how = kind::fail, duration delay = {}, const std::string& consumer = w) {
        auto end = settled(which, how, encode(failure{"task_failed", "", message, "", ""}), delay);
        end.mark.spec = which.spec;
        settle(end, consumer);
    }

    inspector seen;
    std::optional<time_point> now;  // for times before it: a broker knows its server's from the last fetch
};

}  // namespace conformance_search

BOOST_AUTO_TEST_SUITE(conformance_search)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_queue_has_nothing_and_says_that_this_was_all, Backend, backends) {
    searching on(std::make_unique<Backend>());
    for (const auto* const filter : {"queue:q", "", "queue:q state:failed", "queue:other", "queue:q since:-1h"}) {
        const auto page = on.page(filter);
        BOOST_TEST(page.tasks.empty());
        BOOST_TEST(page.cursor.empty());
        BOOST_TEST(page.looked_at == 0U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_come_first_and_pages_go_on, Backend, backends) {
    searching on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (const auto& key : on.add_many(300)) keys.push_back(key);  // segments, on a server
    for (int i = 0; i < 3; ++i) keys.push_back(on.with_key("k"));
    for (const auto& key : on.add_many(5)) keys.push_back(key);
    for (const std::size_t limit : {1U, 7U, 100U, 1000U}) BOOST_TEST(on.finds("", keys, limit), limit);
    const auto first = on.page("queue:q", {}, 10);
    BOOST_TEST(first.looked_at == 10U);
    BOOST_TEST(first.queue == q);
    const auto second = on.page("queue:q", first.cursor, 10);
    BOOST_REQUIRE(second.tasks.size() == 10U);
    BOOST_TEST(second.tasks[0].id.key.sequence == keys[keys.size() - 11].sequence);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_found_by_state, Backend, backends) {
    searching on(std::make_unique<Backend>());
    const auto many = on.add_many(8);
    const auto due = on.later_one();
    auto kept = on.task();
    kept.hold = true;
    const auto held = on.add(std::move(kept));
    const auto runs = on.fetch(w, 5);
    BOOST_REQUIRE(runs.size() == 5U);
    on.settle(runs[0], kind::complete);
    on.settle(runs[1], kind::complete);
    on.fail(runs[2], "why");
    on.cancel(many[7]);
    const auto key = [&](std::size_t n) { return runs[n].key; };
    BOOST_TEST(on.finds("state:succeeded", {key(0), key(1)}));
    BOOST_TEST(on.finds("state:failed", {key(2)}));
    BOOST_TEST(on.finds("state:running", {key(3), key(4)}));
    BOOST_TEST(on.finds("state:waiting", {many[5], many[6]}));
    BOOST_TEST(on.finds("state:cancelled", {many[7]}));
    BOOST_TEST(on.finds("state:scheduled", {due}));
    BOOST_TEST(on.finds("state:held", {held}));
    BOOST_TEST(on.finds("state:expired", {}));
    BOOST_TEST(on.finds("state:failed,held,running", {key(2), key(3), key(4), held}));
    BOOST_TEST(on.finds("state:waiting,succeeded", {key(0), key(1), many[5], many[6]}, 1));
    BOOST_TEST(on.finds("state:scheduled task:work", {due}));
    BOOST_TEST(on.finds("state:scheduled task:other", {}));
    const auto found = on.page("queue:q state:failed");
    BOOST_REQUIRE(found.tasks.size() == 1U);
    BOOST_TEST((found.tasks[0].id == task_id{q, key(2)}));
    BOOST_TEST((found.tasks[0].state == task_state::failed));
    BOOST_TEST(!found.tasks[0].error.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_time_has_brought_about_is_found_as_it_is, Backend, backends) {
    searching on(std::make_unique<Backend>());
    const auto due = on.later_one();
    run_policy policy;
    policy.expires_in = 1min;
    const auto gone = on.add(on.task(policy));
    on.advance(2h);
    BOOST_TEST(on.finds("state:waiting", {due}));
    BOOST_TEST(on.finds("state:expired", {gone}));
    BOOST_TEST(on.finds("state:scheduled", {}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_found_by_name_key_and_node, Backend, backends) {
    searching on(std::make_unique<Backend>());
    const auto mail = on.add(on.task("send_mail")), text = on.add(on.task("send_text")), other = on.add(on.task("other"));
    const auto ann = on.with_key("ann"), bob = on.with_key("bob");
    BOOST_TEST(on.finds("task:send_mail", {mail}));
    BOOST_TEST(on.finds("task:send_*", {mail, text}));
    BOOST_TEST(on.finds("task:send_", {}));
    BOOST_TEST(on.finds("key:ann", {ann}));
    BOOST_TEST(on.finds("key:ann task:other", {}));
    on.join("web-3:1");
    on.join("web-3:b:2");
    const auto one = on.fetch_one("web-3:1"), two = on.fetch_one("web-3:1"), three = on.fetch_one("web-3:b:2");
    on.settle(one, kind::complete, "web-3:1");
    on.fail(two, "why", kind::fail, {}, "web-3:1");
    BOOST_TEST(on.finds("node:web-3", {one.key, two.key}));
    BOOST_TEST(on.finds("node:web-3:b", {three.key}));
    BOOST_TEST(on.finds("node:web-3:b state:running", {three.key}));
    BOOST_TEST(on.finds("node:web-3:1 state:succeeded", {one.key}));
    BOOST_TEST(on.finds("node:web", {}));
    BOOST_TEST(on.finds("node:web-3 state:waiting", {}));
    BOOST_TEST(on.exists(other));
    BOOST_TEST(on.exists(bob));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(plain_tasks_that_were_submitted_together_are_found_by_node, Backend, backends) {
    searching on(std::make_unique<Backend>());
    on.add_many(10);
    on.join("a:1");
    const auto here = on.fetch(w, 3), there = on.fetch("a:1", 3);
    on.run(on.broker().settle(q, "a:1", {on.settled(there[0], kind::complete, "1"), on.settled(there[1], kind::complete, "2")}));
    BOOST_TEST(on.finds("node:a", {there[0].key, there[1].key, there[2].key}));
    BOOST_TEST(on.finds("node:a state:succeeded", {there[0].key, there[1].key}));
    BOOST_TEST(on.finds("node:w", {here[0].key, here[1].key, here[2].key}));
    BOOST_TEST(on.finds("node:w state:running", {here[0].key, here[1].key, here[2].key}, 2));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_was_cancelled_after_a_failure_was_not_ended_by_that_node, Backend, backends) {
    searching on(std::make_unique<Backend>());
    run_policy policy;
    policy.deadline = 1h;
    on.add(on.task(policy));
    on.fail(on.fetch_one(), "why", kind::retry, 30min);
    on.advance(2h);
    BOOST_TEST(on.all("state:failed").size() == 1U);
    BOOST_TEST(on.finds("node:w", {}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_found_by_when_they_were_submitted, Backend, backends) {
    searching on(std::make_unique<Backend>());
    std::vector<std::vector<task_key>> hours;
    for (std::size_t i = 0; i < 6; ++i) {
        hours.push_back(on.add_many(i % 2 == 0 ? 200 : 1));
        hours.back().push_back(on.with_key("k"));
        on.advance(1h);
    }
    on.now = later(on.record(hours.back().back()).submitted_at, 1h);
    const auto joined = [&](std::size_t from, std::size_t till) {
        std::vector<task_key> keys;
        for (auto i = from; i < till; ++i) keys.insert(keys.end(), hours[i].begin(), hours[i].end());
        return keys;
    };
    BOOST_TEST(on.finds("since:-90m", joined(5, 6)));
    BOOST_TEST(on.finds("since:-150m until:-90m", joined(4, 5)));
    BOOST_TEST(on.finds("until:-210m", joined(0, 3)));
    BOOST_TEST(on.finds("since:-270m until:-210m", joined(2, 3)));
    BOOST_TEST(on.finds("since:-10h", joined(0, 6)));
    BOOST_TEST(on.finds("until:-10h", {}));
    BOOST_TEST(on.finds("since:-10m", {}));
    BOOST_TEST(on.finds("key:k since:-330m until:-90m", {hours[1].back(), hours[2].back(), hours[3].back(), hours[4].back()}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_page_says_how_far_it_has_looked, Backend, backends) {
    searching on(std::make_unique<Backend>());
    on.add_many(10);
    const auto before = on.record(on.add()).submitted_at;
    on.advance(1h);
    on.add_many(20);
    const auto page = on.page("queue:q", {}, 20);
    BOOST_TEST(page.looked_at == 20U);
    BOOST_TEST((page.back_to == before));
    const auto rest = on.page("queue:q", page.cursor, 20);
    BOOST_TEST(rest.looked_at == 11U);
    BOOST_TEST(rest.cursor.empty());
    BOOST_TEST(rest.queue.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(removed_tasks_leave_gaps_that_are_passed, Backend, backends) {
    searching on(std::make_unique<Backend>());
    const auto many = on.add_many(700);
    const auto one = on.with_key("k");
    std::vector<task_key> some(many.begin() + 50, many.begin() + 650);
    on.run(on.broker().remove(q, some));
    std::vector<task_key> left(many.begin(), many.begin() + 50);
    left.insert(left.end(), many.begin() + 650, many.end());
    left.push_back(one);
    BOOST_TEST(on.finds("", left, 30));
    BOOST_TEST(on.finds("key:k", {one}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_found_by_what_their_payload_says, Backend, backends) {
    searching on(std::make_unique<Backend>());
    std::vector<task_key> ones;
    for (int i = 0; i < 30; ++i) {
        const auto key = on.with_payload("{\"order\":{\"id\":" + std::to_string(i % 10) + "}}");
        if (i % 10 == 4) ones.push_back(key);
    }
    BOOST_TEST(on.finds("order.id:4", ones));
    BOOST_TEST(on.finds("order.id:4", ones, 1));
    BOOST_TEST(on.finds("order.id:4 state:waiting task:work", ones, 2));
    BOOST_TEST(on.finds("order.id:11", {}));
    const auto page = on.page("queue:q order.id:4", {}, 1);
    BOOST_TEST(page.looked_at == 15U);  // up to the next one
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_found_by_their_error_and_its_group, Backend, backends) {
    searching on(std::make_unique<Backend>());
    on.add_many(3);
    const auto a = on.fetch_one(), b = on.fetch_one(), c = on.fetch_one();
    on.fail(a, "Timeout after 3 s");
    on.fail(b, "disk full");
    on.fail(c, "timeout after 12 s", kind::retry, 1h);
    BOOST_TEST(on.finds("error:timeout", {a.key, c.key}));
    BOOST_TEST(on.finds("error:\"timeout after\" state:failed", {a.key}));
    BOOST_TEST(on.finds("error:route", {}));
    on.pass(1s);
    on.renew();
    on.let_work();
    std::size_t found = 0;
    for (const auto& group : on.run(on.seen.errors(q))) {
        const auto numbers = on.all("error:" + group.id);
        BOOST_TEST(numbers.size() == group.failed + group.retried);
        for (const auto number : numbers) found += number;
        BOOST_TEST(on.all("error:" + group.id + " state:failed").size() == group.failed);
    }
    BOOST_TEST(found == a.key.sequence + b.key.sequence + c.key.sequence);
    BOOST_TEST(on.finds("error:0000000000000000", {}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_tasks_without_an_error_none_is_read_to_find_its_words, Backend, backends) {
    searching on(std::make_unique<Backend>());
    on.add_many(8);
    const auto some = on.fetch(w, 4);
    BOOST_REQUIRE(some.size() == 4U);
    on.settle(some[0], kind::complete);
    on.fail(some[1], "disk full");
    on.fail(some[2], "disk full", kind::retry, 1h);
    const auto alone = on.with_key("k");
    const auto numbers = [&](const search_filter& filter) {
        search_query query;
        query.queue = q;
        query.filter = filter;
        std::vector<std::uint64_t> found;
        for (const auto& one : on.run(on.broker().search(query)).tasks) found.push_back(one.id.key.sequence);
        return found;
    };
    const std::vector<std::uint64_t> both{some[2].key.sequence, some[1].key.sequence};
    search_filter filter;
    filter.error = "timeout";
    BOOST_TEST(numbers(filter) == both);
    filter.states = {task_state::scheduled};
    BOOST_TEST(numbers(filter) == std::vector<std::uint64_t>{both[0]});
    filter.states = {task_state::running};
    BOOST_TEST(numbers(filter).empty());
    filter.states = {task_state::failed};
    filter.node = w;
    BOOST_TEST(numbers(filter) == std::vector<std::uint64_t>{both[1]});
    filter = {};
    filter.key = "k";
    BOOST_TEST(numbers(filter) == std::vector<std::uint64_t>{alone.sequence});
    filter.error = "timeout";
    BOOST_TEST(numbers(filter).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(by_id_a_page_looks_at_some_queues_and_goes_on_at_the_next, Backend, backends) {
    searching on(std::make_unique<Backend>());
    for (int i = 0; i < 60; ++i) {
        auto one = on.task();
        one.own_id = i % 20 == 0 ? "order-7" : "other";
        on.add(std::move(one), "queue" + std::to_string(100 + i));
    }
    std::string queues, cursor;
    std::vector<std::uint64_t> looked_at;
    do {
        const auto page = on.page("id:order-7", cursor);
        for (const auto& task : page.tasks) queues += task.id.queue + ' ';
        looked_at.push_back(page.looked_at);
        cursor = page.cursor;
        BOOST_REQUIRE(looked_at.size() < 5U);
    } while (!cursor.empty());
    BOOST_TEST(queues == "queue100 queue120 queue140 ");
    BOOST_REQUIRE(looked_at.size() == 2U);
    BOOST_TEST(looked_at[0] == 50U);
    const auto one = on.page("id:order-7", {}, 1);
    BOOST_REQUIRE(one.tasks.size() == 1U);
    const auto next = on.page("id:order-7", one.cursor, 1);
    BOOST_REQUIRE(next.tasks.size() == 1U);
    BOOST_TEST(next.tasks[0].id.queue == "queue120");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_is_found_by_its_id, Backend, backends) {
    searching on(std::make_unique<Backend>());
    auto one = on.task();
    one.own_id = "order 7";
    const auto key = on.add(std::move(one));
    const auto other = on.add();
    BOOST_TEST(on.finds("id:\"order 7\"", {key}));
    BOOST_TEST(on.finds("id:" + to_string(task_id{q, other}), {other}));
    BOOST_TEST(on.finds("id:\"order 7\" state:failed", {}));
    BOOST_TEST(on.finds("id:nothing", {}));
    BOOST_TEST(on.page("id:\"order 7\"").tasks.size() == 1U);
    BOOST_TEST(on.page(to_string(task_id{q, other})).tasks.size() == 1U);
    BOOST_TEST(on.page("queue:other " + to_string(task_id{q, other})).tasks.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_queue_all_are_searched_by_name, Backend, backends) {
    searching on(std::make_unique<Backend>());
    on.add_many(3, "b");
    on.add_many(3, "a");
    on.add_many(3, "c");
    std::string queues, cursor;
    do {
        const auto page = on.page("task:work", cursor, 2);
        for (const auto& task : page.tasks) queues += task.id.queue;
        cursor = page.cursor;
    } while (!cursor.empty());
    BOOST_TEST(queues == "aaabbbccc");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wrong_cursor_is_refused, Backend, backends) {
    searching on(std::make_unique<Backend>());
    for (const auto* const cursor : {"q", "q:", "q:x", ":1", "q:1x", "a b:1"}) {
        BOOST_TEST((on.error_of(on.seen.search(std::string("queue:q"), cursor)) == errc::invalid_argument), cursor);
    }
    BOOST_TEST((on.error_of(on.seen.search(std::string("nonsense"))) == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_search_ends_where_nothing_matches_among_many, Backend, backends) {
    searching on(std::make_unique<Backend>());
    for (int i = 0; i < 30; ++i) on.add_many(500);
    for (int i = 0; i < 20; ++i) on.with_key("k");
    BOOST_TEST(on.all("task:other").empty());
    BOOST_TEST(on.all("state:failed").empty());
    BOOST_TEST(on.all("key:other").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
