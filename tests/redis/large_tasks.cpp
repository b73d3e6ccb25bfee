#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/broker.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Large payloads and results: no call of a script reads many of them, as the server serves nobody else meanwhile.
namespace redis_large_tasks {

using namespace taskflux;
using namespace taskflux::conformance;

constexpr std::size_t kib = 1024;

struct large_tasks : test::frozen_fixture {
    static new_task sized(std::size_t bytes) {
        auto one = task();
        one.payload = '"' + std::string(bytes, 'x') + '"';
        return one;
    }
    std::vector<task_key> add_large(std::size_t count, std::size_t bytes) {
        std::vector<task_key> keys;
        for (std::size_t i = 0; i < count; ++i) keys.push_back(add(sized(bytes)));
        return keys;
    }
    std::size_t script_calls() {
        const std::string name = "cmdstat_evalsha:calls=", told = server.command({"INFO", "commandstats"}).text;
        const auto at = told.find(name);
        return at == std::string::npos ? 0 : std::stoul(told.substr(at + name.size()));
    }
    peek_page look(const std::string& cursor = {}, const std::string& name = "work") {
        peek_query query;
        query.cursor = cursor;
        query.limit = 1000;
        name_set names;
        names.insert(name);
        query.names = std::make_shared<const name_set>(std::move(names));
        return run(broker().peek(q, std::move(query)));
    }
    /// How many tasks pages have, of which none has more than `most`.
    std::size_t look_at_all(std::size_t most) {
        std::size_t seen = 0;
        for (std::string cursor;;) {
            const auto page = look(cursor);
            BOOST_TEST(page.tasks.size() <= most);
            seen += page.tasks.size();
            if (page.tasks.empty()) return seen;
            cursor = page.cursor;
        }
    }
    void succeed_with(std::size_t bytes, std::size_t most) {
        for (auto& one : fetch(w, most)) settle(settled(one, kind::complete, '"' + std::string(bytes, 'y') + '"'));
    }
    search_step step(const std::string& filter, std::uint64_t from = 0) {
        search_query query;
        query.queue = q;
        query.filter = parse_search(filter, broker().clock().now());
        query.from = from;
        return run(broker().search(query));
    }
    /// How many tasks all steps of a search find, and how many steps these are.
    std::pair<std::size_t, std::size_t> search_all(const std::string& filter) {
        std::size_t found = 0, steps = 0;
        std::uint64_t from = 0;
        do {
            const auto part = step(filter, from);
            BOOST_REQUIRE((from == 0 || part.next < from));
            from = part.next;
            found += part.tasks.size();
            ++steps;
        } while (from != 0);
        return {found, steps};
    }
};

}  // namespace redis_large_tasks

BOOST_FIXTURE_TEST_SUITE(redis_large_tasks, large_tasks)

BOOST_AUTO_TEST_CASE(a_look_at_waiting_tasks_reads_few_large_payloads_though_it_shows_none) {
    add_large(12, 400 * kib);
    BOOST_TEST(look_at_all(2) == 12U);
    const auto before = script_calls();
    BOOST_TEST(look({}, "other").tasks.empty());
    BOOST_TEST(script_calls() - before >= 6U);
}

BOOST_AUTO_TEST_CASE(a_look_reads_few_large_payloads_of_tasks_that_were_given_back_or_are_larger_than_all_it_may_read) {
    look();
    join();
    add_many(4);
    add_large(4, 400 * kib);
    add_large(3, 1500 * kib);
    add();
    for (int i = 0; i < 2; ++i) {
        for (const auto& one : fetch(w, 20)) settle(settled(one, kind::release));
        const auto before = script_calls();
        BOOST_TEST(look_at_all(6) == 12U);
        BOOST_TEST(script_calls() - before >= 5U);
    }
}

BOOST_AUTO_TEST_CASE(a_look_reads_few_large_results_of_tasks_that_have_ended) {
    join();
    for (int i = 0; i < 6; ++i) add();
    succeed_with(700 * kib, 10);
    const auto last = add();
    const auto before = script_calls();
    const auto page = look();
    BOOST_REQUIRE(page.tasks.size() == 1U);
    BOOST_TEST((page.tasks[0].key == last));
    BOOST_TEST(script_calls() - before >= 6U);
}

BOOST_AUTO_TEST_CASE(a_step_of_a_search_reads_few_large_results_of_tasks_that_came_together) {
    join();
    add_many(12);  // a segment
    succeed_with(1500 * kib, 20);
    const auto found = search_all("queue:q state:succeeded");
    BOOST_TEST(found.first == 12U);
    BOOST_TEST(found.second == 12U);
    const auto none = search_all("queue:q node:nobody");
    BOOST_TEST(none.first == 0U);
    BOOST_TEST(none.second >= 3U);  // 2.4 MB each
}

BOOST_AUTO_TEST_CASE(a_search_by_time_gets_on_where_finding_out_where_to_begin_has_read_much) {
    add_many(149);
    const auto large = add(sized(2600 * kib));  // where it looks first
    add_many(150);
    BOOST_REQUIRE(large.sequence == 150U);
    BOOST_TEST(search_all("queue:q since:-1d").first == 300U);
    BOOST_TEST(search_all("queue:q until:-1d").first == 0U);
}

BOOST_AUTO_TEST_CASE(large_tasks_are_taken_by_name_some_in_each_call) {
    const auto keys = add_large(7, 400 * kib);
    acquire_request request;
    request.queue = q;
    request.consumer = "me";
    request.lease = 10s;
    for (const auto& key : keys) request.tasks.push_back({key, {}});
    const auto before = script_calls();
    const auto taken = run(broker().acquire(std::move(request)));
    BOOST_TEST(script_calls() - before >= 4U);
    BOOST_REQUIRE(taken.size() == keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        BOOST_REQUIRE(taken[i].task.has_value());
        BOOST_TEST((taken[i].task->key == keys[i]));
    }
    BOOST_TEST(counts().running == 7U);
}

BOOST_AUTO_TEST_SUITE_END()
