#include "scripts.hpp"

#include <taskflux/broker/redis/queue_calls.hpp>
#include <taskflux/broker/redis/segments.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What scripts leave on the server: to the last key, as a caller that asks by broker can't see it.
namespace redis_script_effects {

using namespace test;
using namespace std::chrono_literals;
using numbers = std::vector<std::uint32_t>;

struct fixture : scripts_fixture {
    /// Stores plain tasks as one segment; their nonces and payloads are 1, 2, 3…
    void store_together(std::uint32_t count) {
        std::vector<redis::task_item> all;
        for (std::uint32_t n = 1; n <= count; ++n) all.emplace_back(plain_task(std::to_string(n)), n);
        redis::arguments with;
        redis::add_segments(all, with);
        maintain();
        words args{"me", std::to_string(++batches), run, "", ""};
        for (const auto& word : with.words()) args.emplace_back(word);
        BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, args) == "OK 1");
    }

    /// Stores a task with a deadline that is far away.
    void store_limited(std::uint32_t nonce, bool hold = false, duration delay = {}) {
        auto task = plain_task();
        auto spec = *task.spec;
        spec.policy.deadline = 1h;
        task.spec = std::make_shared<task_spec>(spec);
        task.hold = hold;
        task.delay = delay;
        const redis::task_item item(task, nonce);
        maintain();
        const auto batch = std::to_string(++batches);
        BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", batch, run, "", "", item.record, item.place}) == "OK 1");
    }

    /// The nonces of the tasks of a piece of a segment in the answer of a fetch; their payloads must be the same.
    static numbers piece_of(const redis_value& answer) {
        numbers found;
        redis::record_reader records;
        redis::read_piece(answer.items.at(5).text, answer.items.at(6).text, records, [&](const auto& one) {
            BOOST_TEST(one.payload == std::to_string(one.nonce));
            BOOST_TEST(one.spec->name == "job");
            found.push_back(one.nonce);
        });
        return found;
    }

    words counted(const std::string& a, const std::string& b) { return server.command({"HMGET", key("c"), a, b}).texts(); }
    bool is_there(const std::string& name) { return server.command({"EXISTS", key(name)}).integer() == 1; }
    std::uint32_t crashes_of(const std::string& seq, const std::string& nonce) {
        return redis::read_status(call(scripts::get, {}, {seq, nonce}).items.at(1).items.at(1).text).crashes;
    }
};

}  // namespace redis_script_effects

BOOST_FIXTURE_TEST_SUITE(redis_script_effects, fixture)

BOOST_AUTO_TEST_CASE(tasks_that_came_together_are_handed_out_in_pieces_and_ended_in_any_order_by_the_quick_scripts) {
    store_together(8);
    join();
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, {"w", "1", "", "1:w", "known", "", "another"}) == "SLOW");
    std::uint32_t first = 1;
    for (const auto& [most, piece] : {std::pair{3U, numbers{1, 2, 3}}, {3U, numbers{4, 5, 6}}, {10U, numbers{7, 8}}}) {
        const auto answer = call(scripts::fetch_plain, {"l:0", "a:w"}, {"w", std::to_string(most), "", "1:w", "known", "", "job"});
        BOOST_REQUIRE(answer.items.size() == 7U);
        BOOST_TEST(answer.items.at(0) == "OK");
        BOOST_TEST(answer.items.at(2) == "0");
        BOOST_TEST(answer.items.at(3) == "-1");
        BOOST_TEST(answer.items.at(4) == "-" + std::to_string(first));
        BOOST_TEST(piece_of(answer) == piece, boost::test_tools::per_element());
        first += std::uint32_t(piece.size());
        BOOST_TEST(counted("n2", "n3") == (words{std::to_string(9 - first), std::to_string(first - 1)}),
                   boost::test_tools::per_element());
        BOOST_TEST(is_there("l:0") == (first <= 8));
    }
    BOOST_TEST(server.command({"SMEMBERS", key("a:w")}).texts() == words{"@1:8"}, boost::test_tools::per_element());
    words ends{"w"};
    for (const std::uint32_t n : {2U, 1U, 3U, 8U}) ends.push_back(end_of(n, n));
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, ends) == "OK");
    BOOST_TEST(counted("n3", "n5") == (words{"4", "4"}), boost::test_tools::per_element());
    BOOST_TEST(server.command({"ZRANGE", key("f"), "0", "-1"}).texts() == words{"1-3,8-8"}, boost::test_tools::per_element());
    BOOST_TEST(is_there("a:w"));
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, ends) == "SLOW");
    ends = {"w"};
    for (std::uint32_t n = 4; n <= 7; ++n) ends.push_back(end_of(n, n));
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, ends) == "OK");
    BOOST_TEST(counted("n3", "n5") == (words{"0", "8"}), boost::test_tools::per_element());
    BOOST_TEST(!is_there("a:w"));
    for (std::uint32_t n = 1; n <= 8; ++n) {
        const auto nonce = std::to_string(n);
        const auto state = call(scripts::get, {}, {nonce, nonce}).items.at(1).items.at(1).text;
        BOOST_TEST(redis::read_status(state).result == "42");
    }
}

BOOST_AUTO_TEST_CASE(what_is_cancelled_is_in_no_schedule_lane_or_list_of_limits_any_more) {
    struct place {
        bool hold;
        duration delay;
        const char* in;
    };
    for (const auto& [hold, delay, in] : {place{true, 0s, "e"}, place{false, 1min, "d"}, place{false, 0s, "l:0"}}) {
        BOOST_TEST_CONTEXT(in) {
            server.command({"FLUSHDB"});
            begin_life();
            store_limited(7, hold, delay);
            BOOST_TEST(is_there(in));
            BOOST_TEST(is_there("e"));
            BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "7"}) == "OK 0");
            for (const std::string name : {"d", "e", "l:0"}) BOOST_TEST(!is_there(name), name);
            BOOST_TEST(is_there("f"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_task_that_was_passed_over_and_is_cancelled_is_looked_for_by_nobody) {
    store_limited(7);
    join();
    call(scripts::fetch, {"l:0", "a:w"}, {"w", "1", "", "1:w", "known", "", "another"});
    BOOST_TEST(counted("nu", "n2") == (words{"1", "1"}), boost::test_tools::per_element());
    BOOST_TEST(is_there("u"));
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "7"}) == "OK 0");
    BOOST_TEST(counted("nu", "n2") == (words{"0", "0"}), boost::test_tools::per_element());
    for (const std::string name : {"u", "e", "l:0"}) BOOST_TEST(!is_there(name), name);
}

BOOST_AUTO_TEST_CASE(a_task_that_waits_for_subtasks_has_its_deadline_in_the_list_of_limits_until_it_ends) {
    for (const bool is_cancelled : {true, false}) {
        server.command({"FLUSHDB"});
        begin_life();
        store_limited(7);
        join();
        BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
        BOOST_TEST(said(scripts::write_journal, {"j:1"}, {"1", "7", "w", "1", "", "1000", "cx", "+", "1", "other\nwork\nid"})
                       .starts_with("OK 0"));
        BOOST_TEST(said(scripts::settle, {"a:w", "j:1"}, {"w", end_of(1, 7)}) == "OK 40");  // done; it waits for them
        BOOST_TEST(counted("n3", "n4") == (words{"0", "1"}), boost::test_tools::per_element());
        BOOST_TEST(is_there("e"));
        if (is_cancelled) BOOST_TEST(said(scripts::steer, {"j:1"}, {"cancel", "1", "7"}) == "RELAY 0");
        else BOOST_TEST(said(scripts::end_child, {"j:1"}, {"1", "7", "cx", "id", "5", "1", "42", ""}) == "OK");
        BOOST_TEST(!is_there("e"));
        BOOST_TEST(server.command({"HGET", key("c"), "n4"}) == "0");
    }
}

BOOST_AUTO_TEST_CASE(what_can_not_be_erased_wholly_is_not_erased_at_all) {
    store(7);
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "7"}) == "OK 0");
    server.command({"SET", key("w"), "foreign"});
    BOOST_CHECK_THROW(said(scripts::steer, {"l:0"}, {"remove", "1", "7"}), std::exception);
    BOOST_TEST(is_there("r"));
    BOOST_TEST(is_there("s"));
    server.command({"DEL", key("w")});
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"remove", "1", "7"}) == "OK 0");
    for (const std::string name : {"r", "s", "l:0"}) BOOST_TEST(!is_there(name), name);
}

BOOST_AUTO_TEST_CASE(crashes_before_a_journal_grew_are_forgiven_each_time) {
    store(7);
    for (std::uint32_t token = 1; token <= 3; ++token) {
        join();
        BOOST_TEST(said(scripts::fetch, {"l:0", "a:w", "j:1"}, fetched(1)).starts_with("OK"));
        const auto field = "s" + std::to_string(token);
        BOOST_TEST(said(scripts::write_journal, {"j:1"}, {"1", "7", "w", std::to_string(token), "", "1000", field, "+", "0", "5"})
                       .starts_with("OK 0"));
        BOOST_TEST(crashes_of("1", "7") == 0U);
        let_lease_end();
        call(scripts::maintain, {"l:0", "a:w", "j:1"}, {"100", run});
        BOOST_TEST(crashes_of("1", "7") == 1U);
    }
    join();
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w", "j:1"}, fetched(1)).starts_with("OK"));
    call(scripts::write_journal, {"j:1"}, {"1", "7", "w", "4", "", "1000", "s1", "+", "0", "6"});  // which was there
    BOOST_TEST(crashes_of("1", "7") == 1U);
}

BOOST_AUTO_TEST_CASE(crashes_are_forgiven_though_the_parent_is_handed_out_as_its_subtask_is_given_up) {
    store(7);
    join();
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w", "j:1"}, fetched(1)).starts_with("OK"));
    BOOST_TEST(said(scripts::write_journal, {"j:1"}, {"1", "7", "w", "1", "", "1000", "cx", "+", "1", "q\njob\nid"}).starts_with("OK 0"));
    let_lease_end();
    call(scripts::maintain, {"l:0", "a:w", "j:1"}, {"100", run});
    BOOST_TEST(crashes_of("1", "7") == 1U);
    join();
    auto child = plain_task();
    auto spec = *child.spec;
    spec.policy.deadline = 1ms;
    child.spec = std::make_shared<task_spec>(spec);
    child.own_id = "id";
    child.parent = parent_link{{"q", {1, 7}}, "cx"};
    const redis::task_item item(child, 8);
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "99", run, "", "", item.record, item.place}) == "OK 2");
    server.command({"BLPOP", "nothing", "0.01"});  // until its deadline has passed
    BOOST_TEST(call(scripts::fetch, {"l:0", "a:w", "j:1"}, {"w", "5", "", "1:w", "*", "1"}).items.at(4).text == "1");
    BOOST_TEST(server.command({"HGET", key("c"), "n8"}) == "1");
    BOOST_TEST(crashes_of("1", "7") == 0U);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_can_not_note_its_names_leaves_nobody_asleep) {
    join();
    server.command({"SET", key("N"), "foreign"});
    for (const auto* const script : {&scripts::fetch_plain, &scripts::fetch}) {
        BOOST_CHECK_THROW(said(*script, {"l:0", "a:w"}, {"w", "1", "inbox", "1:w", "known", "", "job"}), std::exception);
        BOOST_TEST(!is_there("i"));
    }
}

BOOST_AUTO_TEST_CASE(a_large_journal_is_read_in_longer_and_longer_pages) {
    store(7);
    BOOST_TEST(said(scripts::write_journal, {"j:1"}, {"1", "7", "", "0", "", "1000", "sa", "+", "0", "5"}).starts_with("OK 0"));
    words fields{"HSET", key("j:1")};
    for (int n = 0; n < 1000; ++n) fields.insert(fields.end(), {"s" + std::to_string(n), "1"});
    server.command(fields);
    server.command({"CONFIG", "RESETSTAT"});
    BOOST_TEST(call(scripts::journal, {"j:1"}, {"1", "7", "0", "5000"}).items.size() == 6U + 2U * 1001U);
    const auto told = server.command({"INFO", "commandstats"}).text;
    const std::string name = "cmdstat_hscan:calls=";
    BOOST_REQUIRE(told.find(name) != std::string::npos);
    BOOST_TEST(std::stoi(told.substr(told.find(name) + name.size())) <= 20);
}

BOOST_AUTO_TEST_CASE(maintain_takes_back_so_many_tasks_and_comes_to_the_next_consumer_in_another_call) {
    join("v");
    join("w");
    for (const std::string consumer : {"v", "v", "w"}) {
        store(7);
        BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:" + consumer}, {consumer, "1", "", "1:w", "*"}).starts_with("OK"));
    }
    let_lease_end("v");
    let_lease_end("w");
    BOOST_TEST(said(scripts::maintain, {"l:0", "a:v"}, {"2", ""}) == "OK 1");
    BOOST_TEST(counted("n2", "n3") == (words{"2", "1"}), boost::test_tools::per_element());
    BOOST_TEST(server.command({"ZRANGE", key("C"), "0", "-1"}).texts() == words{"w"}, boost::test_tools::per_element());
    BOOST_TEST(said(scripts::maintain, {"l:0", "a:w"}, {"2", ""}) == "OK 0");
    BOOST_TEST(counted("n2", "n3") == (words{"3", "0"}), boost::test_tools::per_element());
    BOOST_TEST(!is_there("C"));
}

BOOST_AUTO_TEST_CASE(a_segment_is_left_by_its_holder_though_a_foreign_member_stands_among_its_numbers) {
    store_together(5);
    join();
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(5)).starts_with("OK"));
    server.command({"ZADD", key("B"), "2", "junk"});
    words ends{"w"};
    for (const std::uint32_t n : {4U, 5U, 3U, 2U, 1U}) ends.push_back(end_of(n, n));
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, ends) == "OK");
    BOOST_TEST(!is_there("a:w"));
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_listed_twice_is_looked_at_once) {
    store(7);
    store(8);
    join();
    server.command({"HSET", key("c"), "lanes", ",0,0,"});
    BOOST_TEST(call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(5)).items.size() == 4U + 2U * 3U);
    BOOST_TEST(counted("n2", "n3") == (words{"0", "2"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_task_of_higher_priority_comes_before_one_that_was_passed_over) {
    store(7);
    join();
    call(scripts::fetch, {"l:0", "a:w"}, {"w", "1", "", "1:w", "known", "", "another"});
    auto urgent = plain_task();
    auto spec = *urgent.spec;
    spec.priority = 5;
    urgent.spec = std::make_shared<task_spec>(spec);
    const auto batch = std::to_string(++batches);
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:5"}, {"me", batch, run, "", "", redis::encode_record(urgent, 8), ""}) == "OK 2");
    for (const std::string number : {"2", "1"}) {
        const auto answer = call(scripts::fetch, {"l:0", "l:5", "a:w"}, fetched(1));
        BOOST_REQUIRE(answer.items.size() > 4U);
        BOOST_TEST(answer.items.at(4) == number);
    }
    BOOST_TEST(!is_there("u"));
}

BOOST_AUTO_TEST_CASE(who_watched_the_clock_does_so_no_more_when_nothing_is_to_come) {
    join();
    join("v");
    const words looking{"w", "channel", "1:w", "*", ""};
    call(scripts::look, {"a:w"}, looking);
    BOOST_TEST(counted("watcher", "watching").at(0) == "channel\n1:w\n*");
    server.command({"ZREM", key("C"), "v"});
    server.command({"HSET", key("c"), "watching", "1"});  // that time has come
    const auto answer = call(scripts::look, {"a:w"}, looking);
    BOOST_TEST(answer.items.at(2) == "-2");
    BOOST_TEST(server.command({"HEXISTS", key("c"), "watcher"}) == "0");
    BOOST_TEST(server.command({"HEXISTS", key("c"), "watching"}) == "0");
}

BOOST_AUTO_TEST_CASE(a_counter_that_is_no_number_begins_anew_and_not_below_zero) {
    for (const auto* what : {&scripts::settle_one, &scripts::settle_plain, &scripts::settle}) {
        server.command({"FLUSHDB"});
        begin_life();
        store(7);
        join();
        BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
        server.command({"HSET", key("c"), "n3", "junk", "n5", "1.5"});
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7)}).starts_with("OK"));
        BOOST_TEST(counted("n3", "n5") == (words{"0", "1"}), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_task_is_in_the_group_of_its_latest_attempt_whoever_tells_of_it_first) {
    begin_life();
    const auto tell = [&](const std::string& group, const std::string& token) {
        return said(scripts::count_failures, {},
                    {"1", group, "job", "refused", "", "why", "1", "0", "node", "5:7 ", "5", "7", token, group});
    };
    const auto group_of = [&] { return server.command({"ZRANGE", key("F"), "0", "-1"}).texts(); };
    BOOST_TEST(tell("b", "2") == "OK");
    BOOST_TEST(tell("a", "1") == "OK");  // told of late
    BOOST_TEST(group_of() == words{"5:7:2:b"}, boost::test_tools::per_element());
    BOOST_TEST(tell("c", "0") == "OK");  // given up after that
    BOOST_TEST(group_of() == words{"5:7:2:c"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(damaged_groups_and_members_are_passed_over) {
    begin_life();
    const words told{"1", "a", "job", "refused", "", "why", "1", "0", "node", "5:7 ", "5", "7", "1", "a"};
    BOOST_TEST(said(scripts::count_failures, {}, told) == "OK");
    server.command({"HSET", key("E"), "damaged", "\xC1"});
    server.command({"ZADD", key("F"), "1", "damaged", "2", "2:99999999999999999999:1:a"});
    BOOST_TEST(call(scripts::errors, {}, {}).items.at(1) == "a");
    BOOST_TEST(said(scripts::act_on_group, {}, {"a", "0", "retry"}) == "OK 0 0");  // that task is not there
    BOOST_TEST(server.command({"ZCARD", key("F")}) == "2");
    server.command({"HSET", key("E"), "a", "\xC1"});
    BOOST_TEST(said(scripts::count_failures, {}, told) == "OK");
    BOOST_TEST(call(scripts::errors, {}, {}).items.at(1) == "a");
}

BOOST_AUTO_TEST_SUITE_END()
