#include "damage.hpp"
#include "scripts.hpp"

#include <taskflux/admin/events.hpp>
#include <taskflux/broker/redis/events.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

// Events as they are stored: what each quick script tells, that none does where nobody listens, and what becomes of foreign data.
namespace redis_events {

using namespace test;

struct listening : scripts_fixture {
    listening() { join(); }

    void listen() { BOOST_TEST(call(scripts::events, {"ev"}, {"", "10", "60000"}).items.at(0) == "OK"); }

    /// Kind and text of all that entries tell, but for `begun`.
    std::vector<std::string> told() {
        std::vector<std::string> found;
        for (const auto& entry : server.command({"XRANGE", key("ev"), "-", "+"}).items) {
            const auto fields = entry.items.at(1).texts();
            for (std::size_t at = 2; at + 1 < fields.size(); at += 2) {
                if (fields[at] != "begun") found.push_back(fields[at] + ' ' + fields[at + 1]);
            }
        }
        return found;
    }
    void store_told(std::uint32_t nonce) {
        maintain();
        call(scripts::enqueue_plain, {"p:me", "l:0", "ev"}, {"me", std::to_string(++batches), run, "", "", record(nonce), ""});
    }
    /// What a script has said that breaks off where something was collected before it commits.
    std::string said_of_collecting(const script& what, const words& own, const words& args) {
        std::string text(what.text);
        const std::string head = "local function commit(reply)\n";
        const auto at = text.find(head);
        BOOST_REQUIRE(at != text.npos);
        text.insert(at + head.size(), "if told then return {'COLLECTED'} end\n");
        return said({what.name, what.sha1, text, what.keys}, own, args);
    }
    std::size_t entries() { return std::stoul(server.command({"XLEN", key("ev")}).text); }
};

struct damaged_events : damage_fixture {
    damaged_events() {
        add(1);
        const auto first = next();
        BOOST_TEST((std::get<queue_event>(first).kind == event_kind::begun));
    }

    event_item next() { return run(reads.next()); }
    void foreign(std::vector<std::string> fields) {
        std::vector<std::string> command{"XADD", "tf:{q}:ev", "*"};
        command.insert(command.end(), fields.begin(), fields.end());
        server.command(command);
    }

    events reads{broker, "q", events_options().poll(std::chrono::milliseconds(1))};
};

using texts = std::vector<std::string>;

}  // namespace redis_events

BOOST_AUTO_TEST_SUITE(redis_events)

BOOST_FIXTURE_TEST_CASE(a_queue_without_readers_has_no_stream_and_no_mark, listening) {
    store(7);
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 7)}) == "OK");
    BOOST_TEST(entries() == 0U);
    BOOST_TEST(server.command({"EXISTS", key("w")}) == "0");
    BOOST_TEST(server.command({"HEXISTS", key("c"), "events_n"}) == "0");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_collected_for_events_where_nobody_listens, listening) {
    const auto steps = [&](const std::string& begin, std::uint32_t nonce) {
        maintain();
        const auto batch = std::to_string(++batches);
        BOOST_TEST(said_of_collecting(scripts::enqueue, {"p:me", "l:0", "ev"}, {"me", batch, run, "", "", record(nonce), ""})
                       .starts_with(begin));
        BOOST_TEST(said_of_collecting(scripts::pause, {"ev"}, {"0"}).starts_with(begin));
        BOOST_TEST(said_of_collecting(scripts::fetch, {"l:0", "a:w", "ev"}, fetched(1)).starts_with(begin));
    };
    steps("OK", 7);
    const auto fail = end_of(1, 7, settlement::kind::release);
    BOOST_TEST(said_of_collecting(scripts::settle, {"l:0", "a:w", "ev"}, {"w", fail}).starts_with("OK"));
    listen();
    steps("COLLECTED", 8);
    server.command({"HSET", key("c"), "events", "0000000000000001 10000 0"});  // the lease is over
    steps("OK", 9);
}

BOOST_FIXTURE_TEST_CASE(the_quick_scripts_tell_what_they_do_one_entry_each, listening) {
    listen();
    maintain();
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", "99", run, "", "", record(7), ""}) == "NEED tf:{q}:ev");
    store_told(7);
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)) == "NEED tf:{q}:ev");
    call(scripts::fetch_plain, {"l:0", "a:w", "ev"}, fetched(1));
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 7)}) == "NEED tf:{q}:ev");
    BOOST_TEST(said(scripts::settle_one, {"a:w", "ev"}, {"w", end_of(1, 7)}) == "OK");
    BOOST_TEST(told() == (texts{"submitted 0 job 1 ", "started 1 job 1 w", "succeeded 1  1 w"}), boost::test_tools::per_element());
    BOOST_TEST(entries() == 4U);
    for (const auto nonce : {8U, 9U}) store_told(nonce);
    call(scripts::fetch_plain, {"l:0", "a:w", "ev"}, fetched(2));
    BOOST_TEST(said(scripts::settle_plain, {"a:w", "ev"}, {"w", end_of(2, 8), end_of(3, 9)}) == "OK");
    const auto all = told();
    BOOST_REQUIRE(all.size() == 7U);
    BOOST_TEST(all[5] == "started 1 job 2-3 w");
    BOOST_TEST(all[6] == "succeeded 1  2-3 w");
    BOOST_TEST(server.command({"HGET", key("c"), "events_n"}).text == std::to_string(entries()));
}

BOOST_FIXTURE_TEST_CASE(who_listens_keeps_no_script_from_being_quick, listening) {
    listen();
    for (const auto nonce : {7U, 8U}) store_told(nonce);
    call(scripts::fetch_plain, {"l:0", "a:w", "ev"}, fetched(2));
    server.command({"HSET", key("w"), "1", "inbox\n"});
    BOOST_TEST(said(scripts::settle_one, {"a:w", "ev"}, {"w", end_of(1, 7)}) == "OK");
    server.command({"HSET", key("w"), "2", "inbox\n"});
    BOOST_TEST(said(scripts::settle_plain, {"a:w", "ev"}, {"w", end_of(2, 8)}) == "OK");
    BOOST_TEST(server.command({"HKEYS", key("w")}).texts() == texts{"!"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(nothing_is_told_once_the_lease_of_the_last_reader_is_over, listening) {
    listen();
    const auto now = std::stoll(call(scripts::events, {"ev"}, {"", "10", "0"}).items.at(1).text);
    const auto over = "000" + std::to_string(now - 1000) + " 10000 0";
    server.command({"HSET", key("c"), "events", over});
    store(7);
    server.command({"HSET", key("w"), "!", over});
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 7)}) == "OK");
    BOOST_TEST(told().empty());
}

BOOST_FIXTURE_TEST_CASE(ends_are_quick_again_when_nobody_listens_and_what_was_told_goes_later, listening) {
    listen();
    const auto now = std::stoll(call(scripts::events, {"ev"}, {"", "10", "0"}).items.at(1).text);
    server.command({"HSET", key("c"), "events", "000" + std::to_string(now - 1000) + " 10000 0"});
    call(scripts::maintain, {"l:0", "a:w", "ev"}, {"100", run});
    BOOST_TEST(server.command({"EXISTS", key("w")}) == "0");
    BOOST_TEST(entries() == 1U);
    server.command({"HSET", key("c"), "events", "000" + std::to_string(now - 3'601'000) + " 10000 0"});
    call(scripts::maintain, {"l:0", "a:w", "ev"}, {"100", run});
    BOOST_TEST(entries() == 0U);
    BOOST_TEST(server.command({"HEXISTS", key("c"), "events"}) == "0");
}

BOOST_FIXTURE_TEST_CASE(a_lease_is_written_before_less_than_all_of_it_is_left, listening) {
    const auto left = [&] {
        const auto now = std::stoll(call(scripts::events, {"ev"}, {"", "10", "60000"}).items.at(1).text);
        return std::stoll(server.command({"HGET", key("c"), "events"}).text.substr(0, 16)) - now;
    };
    BOOST_TEST(left() == 90'000);
    const auto now = std::stoll(call(scripts::events, {"ev"}, {"", "10", "0"}).items.at(1).text);
    server.command({"HSET", key("c"), "events", "000" + std::to_string(now + 55'000) + " 10000 0"});
    BOOST_TEST(left() == 90'000);
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_lasts_is_not_written_again, listening) {
    listen();
    const auto before = server.command({"HGET", key("c"), "events"}).text;
    listen();
    BOOST_TEST(server.command({"HGET", key("c"), "events"}).text == before);
    BOOST_TEST(entries() == 1U);
    BOOST_TEST(said(scripts::keep_events, {"ev"}, {"50", "1000"}) == "OK");
    BOOST_TEST(server.command({"HGET", key("c"), "events"}).text == "1000000000000000 50 1000");
    BOOST_TEST(entries() == 1U);  // it was on
}

BOOST_FIXTURE_TEST_CASE(a_queue_that_is_not_there_yet_begins_its_life_first, listening) {
    server.command({"FLUSHDB"});
    BOOST_TEST(said(scripts::events, {"ev"}, {"", "10", "60000"}) == "NEW");
    BOOST_TEST(said(scripts::keep_events, {"ev"}, {"10", "0"}) == "NEW");
}

BOOST_AUTO_TEST_CASE(an_event_is_read_as_it_was_written_and_what_is_none_is_not) {
    const auto read = redis::read_event("succeeded", "2 some/name 7-9,12 a worker", time_point(std::chrono::milliseconds(5)));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((read->kind == event_kind::succeeded && read->attempt == 2U && read->name == "some/name"));
    BOOST_TEST((read->consumer == "a worker" && read->count() == 4U && read->has(8) && read->has(12) && !read->has(10)));
    const auto fired = redis::read_event("schedule_fired", "0  3 every day", {});
    BOOST_TEST((fired && fired->schedule == "every day" && fired->consumer.empty() && fired->name.empty()));
    BOOST_TEST((redis::read_event("paused", "0  - ", {}) && redis::read_event("paused", "0  - ", {})->numbers.empty()));
    for (const std::string bad : {"", "1", "x - 1 w", "1 - 1- w", "1 - 9-7 w", "1 - 1,, w", "1 - 1;2 w", "99999999999999999999 - 1 w"}) {
        BOOST_TEST(!redis::read_event("started", bad, {}).has_value(), bad);
    }
    BOOST_TEST(!redis::read_event("something new", "1 - 1 w", {}).has_value());
}

BOOST_FIXTURE_TEST_CASE(foreign_and_damaged_entries_are_passed_over, damaged_events) {
    foreign({"hello", "world"});
    foreign({"#", "x", "started", "1 - 1 w"});
    foreign({"#", "2", "started", "damaged", "something new", "1 - 1 w"});
    const auto number = add(1);  // is number 2 as well
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto event = std::get<queue_event>(next());
    BOOST_TEST((event.kind == event_kind::submitted && event.has(number)));
}

BOOST_FIXTURE_TEST_CASE(a_stream_of_another_type_costs_only_its_readers_an_error, damaged_events) {
    server.command({"DEL", "tf:{q}:ev"});
    server.command({"SET", "tf:{q}:ev", "foreign"});
    add(2);
    BOOST_TEST(fetch(1).size() == 1U);
    run(broker->pause("q"));
    try {
        next();
        BOOST_ERROR("it was read");
    } catch (const error& e) {
        BOOST_TEST((e.code() == errc::protocol));
        BOOST_TEST(std::string(e.what()).find("WRONGTYPE") != std::string::npos, e.what());
    }
    server.command({"DEL", "tf:{q}:ev"});
    run(broker->resume("q"));
    auto item = next();
    BOOST_TEST(std::holds_alternative<event_gap>(item));
    item = next();
    BOOST_TEST((std::get<queue_event>(item).kind == event_kind::resumed));
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_was_removed_is_a_gap, damaged_events) {
    add(3);
    server.command({"DEL", "tf:{q}:ev"});
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto number = add(1);
    BOOST_TEST(std::get<queue_event>(next()).has(number));
}

BOOST_FIXTURE_TEST_CASE(a_single_event_that_is_gone_is_a_gap, damaged_events) {
    add(1);
    server.command({"DEL", "tf:{q}:ev"});
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto number = add(1);
    BOOST_TEST(std::get<queue_event>(next()).has(number));
}

BOOST_FIXTURE_TEST_CASE(many_foreign_entries_are_no_gap, damaged_events) {
    for (int n = 0; n < 250; ++n) foreign({"hello", "world"});
    const auto number = add(1);
    const auto item = next();
    BOOST_REQUIRE(std::holds_alternative<queue_event>(item));
    BOOST_TEST(std::get<queue_event>(item).has(number));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_was_emptied_right_away_is_a_gap, damaged_events) {
    server.command({"FLUSHALL"});
    add(1);
    events other(broker, "q");
    run(other.next());
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto number = add(1);
    BOOST_TEST(std::get<queue_event>(next()).has(number));
}

BOOST_FIXTURE_TEST_CASE(damaged_fields_of_a_queue_are_written_anew, damaged_events) {
    server.command({"HSET", "tf:{q}:c", "events", "nonsense", "events_n", "nan"});
    add(1);
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto number = add(1);
    BOOST_TEST(std::get<queue_event>(next()).has(number));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_was_emptied_is_a_gap, damaged_events) {
    add(3);
    for (int n = 0; n < 3; ++n) next();
    server.command({"FLUSHALL"});
    BOOST_TEST(std::holds_alternative<event_gap>(next()));
    const auto number = add(1);
    BOOST_TEST(std::get<queue_event>(next()).has(number));
}

BOOST_AUTO_TEST_SUITE_END()
