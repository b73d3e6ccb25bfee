#include "damage.hpp"

#include <taskflux/broker/redis/records.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Corrupt and foreign data in a queue: told of, set aside, never destroyed, and in nobody's way.
namespace redis_damage {

using namespace std::chrono_literals;
using namespace taskflux;

}  // namespace redis_damage

BOOST_FIXTURE_TEST_SUITE(redis_damage, test::damage_fixture)

BOOST_AUTO_TEST_CASE(a_record_that_is_cut_off_or_of_an_unknown_version_is_set_aside_and_the_others_are_run) {
    const auto first = add(4);
    const std::string short_record = "tiny", strange_record(40, '\x09');
    server.command({"HSET", "tf:{q}:r", field(first), short_record});
    server.command({"HSET", "tf:{q}:r", field(first + 2), strange_record});
    const auto found = fetch(10);
    BOOST_REQUIRE(found.size() == 2U);
    BOOST_TEST(found[0].key.sequence == first + 1);
    BOOST_TEST(found[1].key.sequence == first + 3);
    BOOST_TEST(counts().set_aside == 2U);
    BOOST_TEST(counts().waiting == 0U);
    BOOST_TEST(counts().running == 2U);
    BOOST_TEST(server.command({"HGET", "tf:{q}:r", field(first)}).text == short_record);
    BOOST_TEST(server.command({"HGET", "tf:{q}:r", field(first + 2)}).text == strange_record);
    BOOST_TEST(server.command({"HGET", "tf:{q}:q", field(first + 2)}).text == "its record has version 9");
    BOOST_TEST(has_said("too short"), said);
    BOOST_TEST(run(broker->list({})).tasks.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_record_that_only_a_worker_finds_damaged_is_set_aside_too) {
    auto bad = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*bad.spec);
    spec->headers["a"] = "b";
    for (const bool together : {false, true}) {
        std::vector<new_task> all;
        for (int i = 0; i < (together ? 5 : 1); ++i) {
            all.push_back(test::plain_task());
            all.back().spec = spec;
        }
        const auto first = run(broker->submit("q", std::move(all))).front().key.sequence;
        const auto hash = together ? "tf:{q}:b" : "tf:{q}:r";
        auto text = server.command({"HGET", hash, field(first)}).text;
        const auto at = text.find("{\"");
        BOOST_REQUIRE(at != std::string::npos);
        text[at] = '!';
        server.command({"HSET", hash, field(first), text});
        add(1);
        const auto found = fetch(10);
        BOOST_TEST(found.size() == (together ? 5U : 1U));
        BOOST_TEST(counts().set_aside == (together ? 2U : 1U));
        BOOST_TEST(has_said(field(first) + " is set aside"), said);
    }
    BOOST_TEST(counts().running == 6U);
}

BOOST_AUTO_TEST_CASE(a_damaged_segment_is_set_aside_and_what_is_behind_it_is_run) {
    for (const std::string_view part : {"", "t"}) {
        const auto first = add_together(8);
        const auto name = field(first) + std::string(part);
        auto text = server.command({"HGET", "tf:{q}:b", name}).text;
        BOOST_REQUIRE(text.size() > 12U);
        text.resize(12);
        server.command({"HSET", "tf:{q}:b", name, text});
        const auto behind = add(1);
        const auto found = fetch(20);
        BOOST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found[0].key.sequence == behind);
        BOOST_TEST(server.command({"HGET", "tf:{q}:b", name}).text == text);
    }
    BOOST_TEST(counts().waiting == 0U);
    BOOST_TEST(counts().set_aside == 9U);
}

BOOST_AUTO_TEST_CASE(a_state_that_cannot_be_read_blocks_neither_maintenance_nor_the_queue) {
    auto later_on = test::plain_task();
    later_on.delay = 1ms;
    std::vector<new_task> two;
    two.push_back(later_on);
    two.push_back(later_on);
    const auto first = run(broker->submit("q", std::move(two))).front().key.sequence;
    server.command({"HSET", "tf:{q}:s", field(first), "x"});
    BOOST_TEST(test::eventually([&] { return fetch(5).size() == 1U; }));
    BOOST_TEST(counts().set_aside == 1U);
    BOOST_TEST(counts().scheduled == 0U);
    BOOST_TEST(server.command({"HGET", "tf:{q}:s", field(first)}).text == "x");
}

BOOST_AUTO_TEST_CASE(a_state_of_an_unknown_version_is_left_alone_and_set_aside) {
    const auto first = add(3);
    const auto state_of = [&](std::uint64_t number) { return server.command({"HGET", "tf:{q}:s", field(number)}).text; };
    const auto why = [&](std::uint64_t number) { return server.command({"HGET", "tf:{q}:q", field(number)}).text; };
    const auto started = fetch(1);
    BOOST_REQUIRE(started.size() == 1U);
    auto running = state_of(first);
    BOOST_REQUIRE(!running.empty());
    BOOST_TEST(int(running[0]) == int(task_state::running));  // version 0 costs nothing, and what was stored before has it
    running[0] = '\x13';
    const std::string waiting = "\x22 whatever version 2 may look like";
    server.command({"HSET", "tf:{q}:s", field(first), running});
    server.command({"HSET", "tf:{q}:s", field(first + 1), waiting});

    std::vector<settlement> ends(1);
    ends[0].key = started[0].key;
    ends[0].token = started[0].token;
    const auto effects = run(broker->settle("q", "w", ends));
    BOOST_REQUIRE(effects.size() == 1U);
    BOOST_CHECK(effects[0] == effect::not_found);
    const auto found = fetch(5);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].key.sequence == first + 2);
    BOOST_TEST(run(broker->list({})).tasks.size() == 1U);

    BOOST_TEST(state_of(first) == running);
    BOOST_TEST(state_of(first + 1) == waiting);
    BOOST_TEST(why(first) == "its state has version 1");
    BOOST_TEST(why(first + 1) == "its state has version 2");
    BOOST_TEST(counts().set_aside == 2U);
    BOOST_TEST(counts().waiting == 0U);
    BOOST_CHECK_THROW(redis::read_status(running), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(what_a_consumer_held_and_cannot_be_read_runs_no_more_when_the_consumer_has_gone) {
    for (const bool leaves : {true, false}) {
        BOOST_TEST_CONTEXT((leaves ? "it leaves" : "its lease ends")) {
            server.command({"FLUSHALL"});
            has_joined = false;
            const auto first = add(3);
            BOOST_REQUIRE(fetch(2).size() == 2U);
            server.command({"HSET", "tf:{q}:s", field(first), "x"});
            if (leaves) run(broker->leave("w", queue_names));
            else server.command({"ZADD", "tf:{q}:C", "1", "w"});
            const auto left = counts();
            BOOST_TEST(left.running == 0U);
            BOOST_TEST(left.waiting == 2U);
            BOOST_TEST(left.set_aside == 1U);
            BOOST_TEST(left.consumers == 0U);
            BOOST_TEST(server.command({"EXISTS", "tf:{q}:a:w"}).integer() == 0);
            BOOST_TEST(server.command({"HGET", "tf:{q}:s", field(first)}).text == "x");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_lane_that_another_program_made_is_passed_over) {
    add(1);
    auto urgent = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*urgent.spec);
    spec->priority = 5;
    urgent.spec = spec;
    std::vector<new_task> one;
    one.push_back(urgent);
    run(broker->submit("q", one));
    server.command({"SET", "tf:{q}:l:5", "foreign"});
    BOOST_TEST(fetch(5).size() == 1U);
    BOOST_TEST(server.command({"GET", "tf:{q}:l:5"}).text == "foreign");
    BOOST_TEST(has_said("l:5 is set aside"), said);
    // Nothing is half done.
    const auto before = counts();
    BOOST_CHECK_THROW(run(broker->submit("q", one)), boost::system::system_error);
    BOOST_CHECK((server.command({"HLEN", "tf:{q}:r"}).integer() == 2));
    BOOST_TEST(counts().waiting == before.waiting);
}

BOOST_AUTO_TEST_CASE(foreign_members_of_a_lane_are_dropped) {
    add(1);
    server.command({"LPUSH", "tf:{q}:l:0", "junk", "@junk", "@7:x", "@900:5", "12345"});
    BOOST_TEST(fetch(5).size() == 1U);
    BOOST_TEST(fetch(5).empty());
}

BOOST_AUTO_TEST_CASE(an_end_that_can_not_be_written_changes_nothing) {
    for (const std::string key : {"tf:{q}:f", "tf:{q}:a:w"}) {
        BOOST_TEST_CONTEXT(key) {
            add(1);
            const auto held = fetch(1).at(0);
            settlement end;
            end.key = held.key;
            end.token = held.token;
            const std::vector<settlement> ends(1, end);
            const bool was_there = server.command({"EXISTS", key}).integer() == 1;
            if (was_there) server.command({"RENAME", key, "tf:{q}:aside"});
            server.command({"SET", key, "foreign"});
            BOOST_CHECK_THROW(run(broker->settle("q", "w", ends)), boost::system::system_error);
            server.command({"DEL", key});
            if (was_there) server.command({"RENAME", "tf:{q}:aside", key});
            BOOST_CHECK((run(broker->get({"q", held.key}))->state == task_state::running));
            BOOST_CHECK(run(broker->settle("q", "w", ends)).at(0) == effect::done);
            BOOST_CHECK((run(broker->get({"q", held.key}))->state == task_state::succeeded));
        }
    }
}

BOOST_AUTO_TEST_CASE(ends_of_subtasks_are_carried_past_very_many_whose_parents_are_in_a_damaged_queue) {
    using namespace taskflux::redis;
    const std::vector<std::string> good{"good"};
    run(broker->join("w", good, 1h));
    const task_id parent{"good", run(broker->submit("good", std::vector<new_task>(1, test::plain_task()))).front().key};
    journal_write write;
    write.consumer = "w";
    write.token = on.fetch("w", "good", 1).at(0).token;
    write.items.push_back({child_key("1"), child_place{"q", "job", "mine"}.text(), journal_write::mode::add, false});
    run(broker->write_journal(parent, write));
    add(1);
    server.command({"SET", "tf:{bad}:s", "foreign"});
    const auto end_for = [](const task_id& of) {
        std::string value;
        put(value, static_cast<std::uint8_t>(task_state::succeeded));
        put(value, std::uint32_t(1));
        put_text(value, of.queue);
        put(value, static_cast<double>(of.key.sequence));
        put(value, of.key.nonce);
        for (const auto& text : {child_key("1"), std::string("mine"), std::string("42"), std::string()}) put_text(value, text);
        return value;
    };
    std::vector<std::string> words{"HSET", "tf:{q}:o"};
    for (int i = 1; i <= 2000; ++i) {
        words.push_back(outbox_letter::ended + std::to_string(1000 + i));
        words.push_back(end_for(i == 1000 ? parent : task_id{"bad", {std::uint64_t(i), 1}}));
    }
    server.command(words);
    fetch(1);
    run(broker->renew("w", queue_names, 1h));
    journal_query query;
    query.keys.push_back(child_key("1"));
    BOOST_TEST(test::eventually([&] { return run(broker->journal(parent, query)).entries.at(0).outcome.has_value(); }));
    BOOST_TEST(server.command({"HLEN", "tf:{q}:o"}).integer() >= 1999);
}

BOOST_AUTO_TEST_SUITE_END()
