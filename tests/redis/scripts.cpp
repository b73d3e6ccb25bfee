#include "scripts.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Every script by itself, for each of the words that its answer may begin with.
namespace redis_scripts {

using namespace test;

const std::initializer_list<const script*> all_scripts = {
    &scripts::aside,       &scripts::clear,  &scripts::counts,  &scripts::enqueue,  &scripts::enqueue_plain,
    &scripts::fetch,       &scripts::find,   &scripts::get,     &scripts::hand_over, &scripts::fetch_plain,
    &scripts::held,        &scripts::join,   &scripts::leave,   &scripts::list,     &scripts::look, &scripts::maintain, &scripts::idle, &scripts::renew_all,
    &scripts::set_limit,   &scripts::set_key_limit, &scripts::limits,
    &scripts::pause,       &scripts::reclaim, &scripts::renew,  &scripts::resign,   &scripts::settle,
    &scripts::settle_plain, &scripts::settle_one, &scripts::write_journal, &scripts::journal, &scripts::signal,
    &scripts::end_child,   &scripts::outbox, &scripts::steer, &scripts::report,  &scripts::update,
    &scripts::wait,        &scripts::schedules, &scripts::set_schedule, &scripts::begin_life, &scripts::history,
    &scripts::log,         &scripts::events, &scripts::keep_events};

}  // namespace redis_scripts

BOOST_FIXTURE_TEST_SUITE(redis_scripts, scripts_fixture)

BOOST_AUTO_TEST_CASE(enqueue_answers_the_first_number_and_duplicates) {
    const words task{record(7, "mine"), ""};
    BOOST_TEST(said(scripts::enqueue, {}, {"me", "1", "", "", "", task[0], ""}) == "NEED tf:{q}:p:me");
    BOOST_TEST(said(scripts::enqueue, {"p:me"}, {"me", "1", "", "", "", task[0], ""}) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "1", run, "", "", task[0], ""}) == "DUE");
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "1", "", "", "", task[0], ""}) == "OK 1");
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "1", "", "", "", task[0], ""}) == "OK 1");
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "2", "", "", "", record(8), "", task[0], ""}) == "OK 2 1 1 7");
    let_something_fall_due();
    BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "3", "", "", "", task[0], ""}) == "DUE");
}

BOOST_AUTO_TEST_CASE(what_stores_something_tells_that_the_server_does_not_have_the_queue) {
    BOOST_TEST(call(scripts::schedules, {}, {}).items.at(2) == "some life");
    server.command({"FLUSHALL"});
    BOOST_TEST(call(scripts::schedules, {}, {}).items.at(2) == "");
    const words one{"me", "1", run, "", "", record(7), ""};
    for (int times = 0; times < 2; ++times) {
        BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, one) == "NEW");
        BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, one) == "NEW");
        BOOST_TEST(said(scripts::hand_over, {"p:me"}, {"me", "1", run, "", record(7)}) == "NEW");
        BOOST_TEST(said(scripts::set_schedule, {"l:0"}, {run, "it", "", "1"}) == "NEW");
        BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "1   ", ""}) == "NEW");
        BOOST_TEST(said(scripts::set_key_limit, {}, {"", "0", "1   ", ""}) == "NEW");
        BOOST_TEST(said(scripts::limits, {}, {}) == "OK     0 0");
        BOOST_TEST(said(scripts::set_schedule, {"l:0"}, {run, "it", "", ""}) == "OK 1");
        maintain();  // which does not know whether its name is listed
    }
    BOOST_TEST(said(scripts::join, {}, {"w", "1000", "channel"}) == "OK ");
    for (const std::string life : {"first", "second"}) BOOST_TEST(said(scripts::begin_life, {}, {life}) == "OK first");
    BOOST_TEST(said(scripts::join, {}, {"w", "1000", "channel"}) == "OK first");
    BOOST_TEST(call(scripts::schedules, {}, {}).items.at(2) == "first");
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, one) == "DUE");
    maintain();  // which now knows the queue, and notes its server
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, one) == "OK 1");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "1   ", ""}) == "OK");
    BOOST_TEST(said(scripts::set_key_limit, {}, {"a", "1", "1   ", ""}) == "OK");
}

BOOST_AUTO_TEST_CASE(a_queue_of_an_older_version_has_a_life_until_it_is_gone) {
    const auto life = [&] { return call(scripts::schedules, {}, {}).items.at(2).text; };
    server.command({"HDEL", key("c"), "life"});
    BOOST_TEST(life() == "-");
    server.command({"DEL", key("c")});
    BOOST_TEST(life() == "");
    server.command({"HSET", key("S"), "it", "1"});
    BOOST_TEST(life() == "-");
    server.command({"FLUSHALL"});
    BOOST_TEST(life() == "");
}

BOOST_AUTO_TEST_CASE(a_life_that_can_not_begin_has_changed_nothing) {
    server.command({"DEL", key("c")});
    server.command({"SET", key("c"), "foreign"});
    BOOST_CHECK_THROW(said(scripts::begin_life, {}, {"life"}), std::exception);
    BOOST_TEST(server.command({"GET", key("c")}).text == "foreign");
}

BOOST_AUTO_TEST_CASE(enqueue_plain_notes_nobody_who_waits_for_a_task_that_it_can_not_store) {
    server.command({"DEL", key("r")});
    server.command({"SET", key("r"), "foreign"});
    const std::string first("\0\0", 2);
    const words one{"me", "1", "", "channel", first, record(7), ""};
    BOOST_CHECK_THROW(said(scripts::enqueue_plain, {"p:me", "l:0"}, one), std::exception);
    BOOST_TEST(server.command({"EXISTS", key("w"), key("l:0")}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(enqueue_plain_answers_the_first_number) {
    const auto task = record(7);
    BOOST_TEST(said(scripts::enqueue_plain, {}, {"me", "1", "", "", "", task, ""}) == "NEED tf:{q}:p:me");
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me"}, {"me", "1", "", "", "", task, ""}) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", "1", run, "", "", task, ""}) == "DUE");
    const std::string second("\1\0", 2);
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", "1", "", "channel", second, task, "", task, ""}) == "OK 1");
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", "1", "", "channel", second, task, "", task, ""}) == "OK 1");
    BOOST_TEST(server.command({"LRANGE", key("l:0"), "0", "-1"}).texts() == words({"1", "2"}), boost::test_tools::per_element());
    BOOST_TEST(server.command({"HGET", key("c"), "n2"}) == "2");
    BOOST_TEST(server.command({"HGETALL", key("w")}).texts() == words({"2", "channel\n"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hand_over_does_nothing_unless_somebody_sleeps_who_can_take_the_task) {
    const words args{"me", "9", run, "", record(7)};
    BOOST_TEST(said(scripts::hand_over, {"p:me"}, args) == "DUE");
    maintain();
    join();
    BOOST_TEST(said(scripts::hand_over, {"p:me"}, args) == "SLOW");
    test::redis_client hearer(server.port());
    hearer.command({"SUBSCRIBE", "channel"});
    server.command({"ZADD", key("i"), "1", "channel\n1:w\nknown"});
    BOOST_TEST(said(scripts::hand_over, {"p:me"}, args) == "SLOW");  // it knows no names
    server.command({"HSET", key("N"), "known", "another\njob"});
    BOOST_TEST(said(scripts::hand_over, {"p:me"}, args) == "NEED tf:{q}:a:w");
    server.command({"HSET", key("c"), "paused", "1"});
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, args) == "SLOW");
    server.command({"HDEL", key("c"), "paused"});
    store(8);  // which wakes it
    server.command({"ZADD", key("i"), "1", "channel\n1:w\nknown"});
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, args) == "SLOW");  // another waits before it
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "8"}) == "OK 0");
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, args) == "OK 2");
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, args) == "SLOW");  // nobody sleeps any more
    server.command({"ZADD", key("i"), "1", "channel\n1:w\n*"});
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, args) == "OK 2");  // the same batch
    BOOST_TEST(server.command({"HGET", key("c"), "n3"}) == "1");
    BOOST_TEST(server.command({"SMEMBERS", key("a:w")}).texts() == words({"2"}), boost::test_tools::per_element());
    auto large = test::plain_task();
    large.payload.assign(100'000, 'x');
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, {"me", "10", run, "", redis::encode_record(large, 7)}) == "SLOW");
    // Who watches the clock is spared as long as another sleeps; who awaits the end will hear of it.
    const std::string watcher = "channel\n2:w\n*";
    server.command({"HSET", key("c"), "watcher", watcher});
    server.command({"ZADD", key("i"), "2", watcher});
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, {"me", "11", run, "channel", record(9)}) == "OK 3");
    BOOST_TEST(server.command({"ZRANGE", key("i"), "0", "-1"}).texts() == words({watcher}), boost::test_tools::per_element());
    BOOST_TEST(server.command({"HGETALL", key("w")}).texts() == words({"3", "channel\n"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_fetch_that_takes_a_task_wakes_another_to_watch_the_clock_only_where_there_is_something_to_watch_for) {
    join();
    const std::string other = "channel\n2:w\n*";
    const auto feed = [&](std::uint32_t nonce) {
        store(nonce);
        server.command({"HSET", key("c"), "watcher", "channel\n1:w\n*"});
        server.command({"ZADD", key("i"), "1", "channel\n1:w\n*", "2", other});
        return said(scripts::fetch, {"l:0", "a:w"}, {"w", "1", "channel", "1:w", "*", ""});
    };
    const auto asleep = [&] { return server.command({"ZRANGE", key("i"), "0", "-1"}).texts(); };
    BOOST_TEST(feed(7).starts_with("OK "));
    BOOST_TEST(asleep() == words({other}), boost::test_tools::per_element());  // its own lease ends with its process
    join("v");
    BOOST_TEST(feed(8).starts_with("OK "));
    BOOST_TEST(asleep().empty());
}

BOOST_AUTO_TEST_CASE(who_resigns_wakes_another_where_nobody_else_watches_the_clock_for_what_comes) {
    const std::string me = "channel\n1:w\n*", other = "channel\n2:w\n*";
    const auto wakes = [&](const std::string& who, const std::string& watcher, const std::string& watching) {
        server.command({"HDEL", key("c"), "watcher", "watching"});
        if (!watcher.empty()) server.command({"HSET", key("c"), "watcher", watcher, "watching", watching});
        server.command({"ZADD", key("i"), "1", me, "2", other});
        BOOST_TEST(said(scripts::resign, {}, {who}) == "OK");
        const auto left = server.command({"ZRANGE", key("i"), "0", "-1"}).texts();
        return left.size() < (who.empty() ? 2U : 1U);
    };
    const auto at = [this](std::int64_t ms) {
        const auto time = server.command({"TIME"}).texts();
        return std::to_string(std::stoll(time.at(0)) * 1000 + ms);
    };
    const auto far = at(7'200'000);
    BOOST_TEST(!wakes(me, "", ""));  // nothing ever comes
    server.command({"ZADD", key("C"), far, "v"});
    BOOST_TEST(wakes(me, "", ""));
    BOOST_TEST(wakes(me, me, far));
    BOOST_TEST(!wakes(me, other, far));
    BOOST_TEST(!wakes(me, other, at(3'600'000)));
    BOOST_TEST(wakes(me, other, at(7'300'000)));  // it would come too late
    for (const auto& past : {at(-10'000), std::string("junk")}) {  // its time has come, and it did not look
        BOOST_TEST(wakes(me, other, past));
        BOOST_TEST(wakes("", other, past));
    }
    BOOST_TEST(!wakes("", other, far));
    server.command({"HSET", key("c"), "n2", "1"});
    BOOST_TEST(wakes(me, other, far));  // something can start
    server.command({"HSET", key("c"), "paused", "1"});
    BOOST_TEST(!wakes(me, other, far));
}

BOOST_AUTO_TEST_CASE(hand_over_to_a_channel_that_nobody_hears_does_nothing_and_the_batch_can_be_sent_again) {
    maintain();
    join();
    server.command({"ZADD", key("i"), "1", "channel\n1:w\n*"});
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, {"me", "1", run, "", record(7)}) == "SLOW");
    BOOST_TEST(server.command({"EXISTS", key("r"), key("s"), key("a:w"), key("p:me")}) == "0");
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", "1", run, "", "", record(7), ""}) == "OK 1");
}

BOOST_AUTO_TEST_CASE(fetch_gives_tasks_to_who_has_a_lease) {
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(1)) == "LOST");
    store_with_id(7, "mine");
    join();
    BOOST_TEST(said(scripts::fetch, {"a:w"}, fetched(1)) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::fetch, {"l:0"}, fetched(1)) == "NEED tf:{q}:a:w");
    const auto answer = call(scripts::fetch, {"l:0", "a:w"}, fetched(1)).items;
    BOOST_TEST(answer.at(0) == "OK");
    BOOST_TEST(answer.at(4) == "1");
    let_lease_end();
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(1)) == "DUE");
}

BOOST_AUTO_TEST_CASE(fetch_plain_leaves_what_is_not_plain_to_fetch) {
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)) == "LOST");
    store(7);
    store_with_id(8, "mine");
    join();
    BOOST_TEST(said(scripts::fetch_plain, {"a:w"}, fetched(2)) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::fetch_plain, {"l:0"}, fetched(2)) == "NEED tf:{q}:a:w");
    const auto answer = call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(2)).items;
    BOOST_TEST(answer.at(0) == "OK");
    BOOST_TEST(answer.at(2) == "1");  // there is more
    BOOST_TEST(answer.at(4) == "1");
    BOOST_TEST(answer.size() == 7U);
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)) == "SLOW");
    let_lease_end();
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)) == "DUE");
}

BOOST_AUTO_TEST_CASE(settle_answers_an_effect_for_each) {
    store(7);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::settle, {}, {"w", end_of(1, 7)}) == "NEED tf:{q}:a:w");
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"stranger", end_of(1, 7)}) == "OK 2");
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", end_of(1, 8), end_of(1, 7), end_of(1, 7)}) == "OK 4 0 2");
    let_lease_end();
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", end_of(1, 7)}) == "DUE");
}

BOOST_AUTO_TEST_CASE(settle_plain_and_settle_one_leave_what_is_not_plain_to_settle) {
    for (const auto* what : {&scripts::settle_plain, &scripts::settle_one}) {
        server.command({"FLUSHALL"});
        begin_life();
        store(7);
        join();
        call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
        BOOST_TEST(said(*what, {}, {"w", end_of(1, 7)}) == "NEED tf:{q}:a:w");
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7, settlement::kind::fail)}) == "SLOW");
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 8)}) == "SLOW");
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(2, 7)}) == "SLOW");
        BOOST_TEST(said(*what, {"a:stranger"}, {"stranger", end_of(1, 7)}) == "SLOW");
        const auto lease = server.command({"ZSCORE", key("C"), "w"}).text;
        server.command({"ZREM", key("C"), "w"});
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7)}) == "SLOW");
        server.command({"ZADD", key("C"), lease, "w"});
        BOOST_TEST(server.command({"SCARD", key("a:w")}) == "1");
        server.command({"HSET", key("w"), "1", "channel\n", "2", "channel\n"});
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7)}) == "OK");
        BOOST_TEST(server.command({"HKEYS", key("w")}).texts() == words({"2"}), boost::test_tools::per_element());  // who was told
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7)}) == "SLOW");
        BOOST_TEST(server.command({"HMGET", key("c"), "n3", "n5"}).texts() == words({"0", "1"}), boost::test_tools::per_element());
        let_lease_end();
        BOOST_TEST(said(*what, {"a:w"}, {"w", end_of(1, 7)}) == "DUE");
    }
}

BOOST_AUTO_TEST_CASE(report_answers_an_effect_for_each) {
    store(7);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    const auto told = [](const std::string& consumer, const std::string& nonce) {
        return words{consumer, "1", nonce, "1", "1", "50", R"({"text":"a"})"};
    };
    for (int times = 0; times != 2; ++times) BOOST_TEST(said(scripts::report, {"a:w"}, told("w", "7")) == "OK 0");
    const words stored{"50", R"({"from":{"number":1,"attempt":1,"consumer":"w"},"text":"a"})" "\n"};
    BOOST_TEST(server.command({"HMGET", key("g"), "1p", "1l"}).texts() == stored, boost::test_tools::per_element());
    BOOST_TEST(said(scripts::report, {"a:w"}, told("w", "8")) == "OK 4");
    BOOST_TEST(said(scripts::report, {"a:w"}, told("stranger", "7")) == "OK 2");
    call(scripts::settle, {"a:w"}, {"w", end_of(1, 7)});
    BOOST_TEST(server.command({"HLEN", key("g")}) == "2");  // what was reported is kept with its task, and no longer
    BOOST_TEST(said(scripts::steer, {}, {"remove", "1", "7"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("g")}) == "0");
    let_lease_end();
    BOOST_TEST(said(scripts::report, {"a:w"}, told("w", "7")) == "DUE");
}

BOOST_AUTO_TEST_CASE(a_lease_is_given_renewed_and_given_up) {
    BOOST_TEST(said(scripts::renew, {}, {"w", "1000"}) == "LOST");
    join();
    BOOST_TEST(said(scripts::renew, {}, {"w", "3600000"}) == "OK 0 ~");
    server.command({"HSET", key("o"), "X1", "7 0"});
    BOOST_TEST(said(scripts::renew, {}, {"w", "3600000"}) == "OK 1 ~");  // something is to be carried to other queues
    server.command({"DEL", key("o")});
    for (const std::string name : {"a", "b"}) {
        for (const std::string seq : {"00000000000001", "00000000000002"}) {
            server.command({"ZADD", key("u"), "0", name + '\0' + "500" + '\0' + seq});
        }
    }
    BOOST_TEST(said(scripts::renew, {}, {"w", "3600000"}) == "OK 0 ~ a 1 b 1");  // one of each name without a handler
    server.command({"DEL", key("u")});
    store(7);
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::leave, {}, {"w", "100"}) == "NEED tf:{q}:a:w tf:{q}:l:0");
    BOOST_TEST(server.command({"HLEN", key("h")}) == "1");
    BOOST_TEST(said(scripts::leave, {"a:w", "l:0"}, {"w", "100"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("h"), key("C"), key("a:w")}) == "0");  // nothing is left of it
    BOOST_TEST(said(scripts::renew, {}, {"w", "1000"}) == "LOST");
    join();
    let_lease_end();
    BOOST_TEST(said(scripts::renew, {}, {"w", "1000"}) == "DUE");
    BOOST_TEST(said(scripts::join, {}, {"v", "1000", "channel"}) == "DUE");
    BOOST_TEST(said(scripts::leave, {"a:w"}, {"w", "100"}) == "DUE");
    maintain();
    BOOST_TEST(server.command({"EXISTS", key("h"), key("C"), key("a:w")}) == "0");
}

BOOST_AUTO_TEST_CASE(look_falls_asleep_where_nothing_is_to_be_done) {
    const words looking{"w", "channel", "1:w", "*", ""}, passing{"w", "", "1:w", "*", ""};
    const auto look = [&](const words& args) {
        const auto told = said(scripts::look, {"a:" + args[0]}, args);
        return told.substr(told.rfind(' ') + 1);
    };
    const auto watching_until = [&] { return server.command({"HGET", key("c"), "watching"}).text; };
    BOOST_TEST(said(scripts::look, {}, looking) == "NEED tf:{q}:a:w");
    BOOST_TEST(look(looking) == "0");  // no lease
    join();
    BOOST_TEST(look(passing) == "-1");
    BOOST_TEST(server.command({"EXISTS", key("i")}) == "0");
    BOOST_TEST(look(looking) == "-2");
    BOOST_TEST(server.command({"ZRANGE", key("i"), "0", "-1"}).texts() == words({"channel\n1:w\n*"}), boost::test_tools::per_element());
    // Who has the last lease but its own to watch for does so, and who watches early enough goes on.
    join("v");
    const auto watching = look(looking);
    BOOST_TEST(watching == watching_until());
    BOOST_TEST(watching == server.command({"ZSCORE", key("C"), "v"}).text);
    BOOST_TEST(server.command({"HGET", key("c"), "watcher"}) == "channel\n1:w\n*");
    server.command({"ZADD", key("C"), "900000000000000", "v", "800000000000000", "w"});
    BOOST_TEST(look(looking) == watching);
    BOOST_TEST(look({"v", "channel", "1:v", "*", ""}) == "-2");  // another watches
    server.command({"SADD", key("a:w"), "7"});
    BOOST_TEST(look(looking) == watching);
    BOOST_TEST(look({"w", "channel", "1:w", "*", "1"}) == "0");  // what it holds it may not know of
    server.command({"DEL", key("a:w")});
    store(7);
    BOOST_TEST(look(looking) == "0");
    call(scripts::pause, {}, {"1"});
    const auto anew = look(looking);  // it was woken
    BOOST_TEST(anew == watching_until());
    let_something_fall_due();
    BOOST_TEST(look(looking) == "0");
}

BOOST_AUTO_TEST_CASE(idle_tells_of_the_queues_where_a_sleeper_must_look) {
    const words sleeper{"w", "channel\n1:w\n*"};
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK 0");  // no lease
    join();
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK 0");  // it does not sleep
    server.command({"ZADD", key("i"), "1", sleeper[1]});
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK");
    server.command({"HSET", key("c"), "n2", "1"});
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK 0");
    server.command({"HSET", key("c"), "paused", "1"});
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK");
    for (const std::string letter : {"d", "e", "C"}) {
        server.command({"ZADD", key(letter), "1", "00000000000099"});
        BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK 0");
        server.command({"ZREM", key(letter), "00000000000099"});
        BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK");
    }
    server.command({"DEL", key("i")});
    server.command({"SET", key("i"), "foreign"});
    BOOST_TEST(said(scripts::idle, {}, sleeper) == "OK 0");
}

BOOST_AUTO_TEST_CASE(renew_all_renews_where_nothing_else_is_to_be_told) {
    BOOST_TEST(said(scripts::renew_all, {}, {"w", "1000"}) == "OK 0");
    join();
    const auto before = server.command({"ZSCORE", key("C"), "w"}).text;
    BOOST_TEST(said(scripts::renew_all, {}, {"w", "7200000"}) == "OK");
    BOOST_TEST(server.command({"ZSCORE", key("C"), "w"}).text > before);
    for (const std::string letter : {"x", "o"}) {
        server.command({"HSET", key(letter), "1", "2"});
        BOOST_TEST(said(scripts::renew_all, {}, {"w", "1000"}) == "OK 0");
        server.command({"DEL", key(letter)});
    }
    for (const std::string letter : {"d", "e", "f"}) {  // what falls due is told of, and nothing that does so later
        server.command({"ZADD", key(letter), "1", "00000000000099"});
        BOOST_TEST(said(scripts::renew_all, {}, {"w", "1000"}) == "OK 0");
        server.command({"ZADD", key(letter), "99999999999999", "00000000000099"});
        BOOST_TEST(said(scripts::renew_all, {}, {"w", "1000"}) == "OK");
    }
    server.command({"SET", key("C"), "foreign"});
    BOOST_TEST(said(scripts::renew_all, {}, {"w", "1000"}) == "OK 0");
}

BOOST_AUTO_TEST_CASE(a_sleeper_is_woken_by_what_can_start_and_by_what_falls_due_before_all_else) {
    test::redis_client hearer(server.port());
    hearer.command({"SUBSCRIBE", "channel"});
    const auto is_woken = [this](const auto& happens) {
        server.command({"ZADD", key("i"), "1", "channel\n1:w\n*"});
        happens();
        return server.command({"EXISTS", key("i")}) == "0";
    };
    const auto schedule = [this](duration delay) {
        auto task = test::plain_task();
        task.delay = delay;
        const redis::task_item item(task, 7);
        const auto batch = std::to_string(++batches);
        BOOST_TEST(said(scripts::enqueue, {"p:me"}, {"me", batch, run, "", "", item.record, item.place}).starts_with("OK"));
    };
    using std::chrono::hours;
    join();
    BOOST_TEST(is_woken([this] { store(7); }));
    BOOST_TEST(is_woken([&] { schedule(hours(2)); }));
    BOOST_TEST(!is_woken([&] { schedule(hours(3)); }));
    BOOST_TEST(is_woken([&] { schedule(hours(1)); }));
    BOOST_TEST(!is_woken([&] { schedule(hours(1)); }));
    store(8);
    BOOST_TEST(is_woken([this] { call(scripts::fetch, {"l:0", "a:w"}, fetched(1)); }));  // another task is left
    BOOST_TEST(!is_woken([this] { call(scripts::fetch, {"l:0", "a:w"}, fetched(1)); }));
}

BOOST_AUTO_TEST_CASE(what_a_consumer_holds_can_be_asked_for_given_back_and_set_aside) {
    store(7);
    store(8);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(2));
    BOOST_TEST(said(scripts::held, {}, {"w", "channel", "1:w"}) == "NEED tf:{q}:a:w");
    BOOST_TEST(said(scripts::held, {"a:w"}, {"w", "channel", "1:w"}) == "OK 2 1 1 1");
    BOOST_TEST(said(scripts::reclaim, {"a:w"}, {"w", "1", "1"}) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::reclaim, {"a:stranger", "a:w", "l:0"}, {"stranger", "1", "1"}) == "OK");
    BOOST_TEST(said(scripts::reclaim, {"a:w", "l:0"}, {"w", "1", "2"}) == "OK");
    BOOST_TEST(server.command({"SCARD", key("a:w")}) == "2");
    BOOST_TEST(said(scripts::clear, {}, {"0", "100", "100", "-1"}) == "OK 2 1");  // nothing that runs
    BOOST_TEST(said(scripts::reclaim, {"a:w", "l:0"}, {"w", "1", "1"}) == "OK");
    BOOST_TEST(said(scripts::aside, {}, {"w", "2", "why"}) == "NEED tf:{q}:a:w");
    BOOST_TEST(said(scripts::aside, {"a:w"}, {"w", "2", "why"}) == "OK");
    BOOST_TEST(said(scripts::held, {"a:w"}, {"w", "channel", "1:w"}) == "OK");
    BOOST_TEST(server.command({"HGETALL", key("q")}).texts() == words({"2", "why"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(large_tasks_that_are_waited_for_are_read_about_a_mebibyte_at_a_time) {
    constexpr int count = 64;
    words asked{""};
    for (int n = 1; n <= count; ++n) {
        auto task = test::plain_task();
        task.own_id = std::to_string(n);
        task.payload.assign(100'000, 'x');
        maintain();
        call(scripts::enqueue, {"p:me", "l:0"}, {"me", std::to_string(++batches), run, "", "", redis::encode_record(task, 7), ""});
        asked.insert(asked.end(), {std::to_string(n), "7"});
    }
    server.command({"CONFIG", "RESETSTAT"});
    BOOST_TEST(call(scripts::wait, {}, asked).items.size() == 4U + count);
    const auto told = server.command({"INFO", "commandstats"}).text;
    const std::string name = "cmdstat_hmget:calls=";
    BOOST_REQUIRE(told.find(name) != std::string::npos);
    const auto calls = std::stoi(told.substr(told.find(name) + name.size()));
    BOOST_TEST(calls >= 2 * 7);  // of states and records: 4, 8, then 10 tasks at a time
    BOOST_TEST(calls <= 2 * 9);
}

BOOST_AUTO_TEST_CASE(a_task_can_be_found_read_waited_for_and_changed) {
    store_with_id(7, "mine");
    BOOST_TEST(said(scripts::find, {}, {"", "yours", "mine", "mine"}) == "OK 0 0 1 7 1 7");
    BOOST_TEST(said(scripts::find, {}, {"q 1 1", "mine"}) == "OK 0 0");
    BOOST_TEST(said(scripts::get, {}, {"1", "7", "1", "8"}) == "OK ~ ~");
    BOOST_TEST(call(scripts::get, {}, {"1", "7", "1", "8"}).items.at(2).is_nil());
    const auto ends = call(scripts::wait, {}, {"", "1", "7", "1", "8"}).items;
    BOOST_TEST(ends.at(3) == "0");  // nobody has a lease
    BOOST_TEST(ends.at(4) == "0");
    BOOST_TEST(ends.at(5) == "4");
    BOOST_TEST(said(scripts::update, {}, {"1", "7", "2"}) == "OK 0");
    BOOST_TEST(said(scripts::update, {}, {"1", "8", "2"}) == "OK 4");
    BOOST_TEST(said(scripts::list, {}, {"0", "100"}) == "OK 1 1 ~");
    BOOST_TEST(said(scripts::clear, {}, {"0", "100", "100", "-1"}) == "OK 1 1 1 7");
    BOOST_TEST(said(scripts::counts, {}, {}) == "OK 0 0 0 0 0 0 1 0 0 0 0 0 0");
    BOOST_TEST(said(scripts::steer, {}, {"cancel", "1", "7"}) == "NEED tf:{q}:l:0");
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"promote", "1", "7", "1", "8"}) == "OK 3 4");
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "7", "1", "7"}) == "OK 0 3");
    BOOST_TEST(said(scripts::update, {}, {"1", "7", "2"}) == "OK 3");
    server.command({"HSET", key("w"), "1", "channel\n"});
    BOOST_TEST(said(scripts::steer, {}, {"remove", "1", "7"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("k"), key("w")}) == "0");  // its own id is free, nobody waits for it
    let_something_fall_due();
    BOOST_TEST(said(scripts::find, {}, {"", "mine"}) == "DUE");
    BOOST_TEST(said(scripts::get, {}, {"1", "7"}) == "DUE");
    BOOST_TEST(said(scripts::wait, {}, {"", "1", "7"}) == "DUE");
    BOOST_TEST(said(scripts::update, {}, {"1", "7", "2"}) == "DUE");
    BOOST_TEST(said(scripts::list, {}, {"0", "100"}) == "DUE");
    BOOST_TEST(said(scripts::clear, {}, {"0", "100", "100", "-1"}) == "DUE");
    BOOST_TEST(said(scripts::counts, {}, {}) == "DUE");
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"cancel", "1", "7"}) == "DUE");
}

BOOST_AUTO_TEST_CASE(where_tasks_have_gone_a_call_looks_at_some_thousand_numbers_and_says_how_far_it_came) {
    store(7);
    server.command({"HSET", key("c"), "seq", "20000"});
    for (const auto* const walks : {&scripts::list, &scripts::clear}) {
        words args{"1", "100"};
        if (walks == &scripts::clear) args.insert(args.end(), {"100", "-1"});
        std::int64_t seen = 1;
        for (int calls = 1; calls <= 5; ++calls) {
            args[0] = std::to_string(seen);
            const auto answer = call(*walks, {}, args).items;
            const auto till = answer.at(1).integer();
            BOOST_TEST_CONTEXT(walks->name << " behind " << seen) {
                if (calls < 5) BOOST_TEST((till >= seen + 4000 && till <= seen + 4500), till);
                else BOOST_TEST(till == 20000);
                BOOST_TEST(answer.at(2).integer() == (calls == 5));
            }
            seen = till;
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_started_or_promoted_waits_for_time_no_more) {
    for (const bool held : {false, true}) {
        for (const bool has_limit : {false, true}) {
            BOOST_TEST_CONTEXT((held ? "held" : "scheduled") << (has_limit ? ", with a deadline" : "")) {
                server.command({"FLUSHDB"});
                begin_life();
                auto task = test::plain_task();
                if (has_limit) {
                    auto spec = *task.spec;
                    spec.policy.deadline = std::chrono::hours(1);
                    task.spec = std::make_shared<task_spec>(spec);
                }
                task.hold = held;
                if (!held) task.delay = std::chrono::minutes(1);
                const redis::task_item item(task, 7);
                maintain();
                BOOST_TEST(said(scripts::enqueue, {"p:me", "l:0"}, {"me", "1", run, "", "", item.record, item.place})
                               .starts_with("OK 1"));
                BOOST_TEST(server.command({"ZCARD", key("d")}) == (held ? "0" : "1"));
                BOOST_TEST(said(scripts::steer, {"l:0"}, {held ? "promote" : "start", "1", "7"}) == "OK 3");
                BOOST_TEST(said(scripts::steer, {"l:0"}, {held ? "start" : "promote", "1", "7"}) == "OK 0");
                BOOST_TEST(server.command({"ZCARD", key("d")}) == "0");
                BOOST_TEST(server.command({"LLEN", key("l:0")}) == "1");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_queue_is_paused_resumed_and_watched) {
    BOOST_TEST(said(scripts::pause, {}, {"1"}) == "OK");
    BOOST_TEST(server.command({"HGET", key("c"), "paused"}) == "1");
    BOOST_TEST(said(scripts::pause, {}, {"0"}) == "OK");
    BOOST_TEST(server.command({"HEXISTS", key("c"), "paused"}) == "0");
    server.command({"ZADD", key("i"), "1", "channel\n1:w\n*"});
    BOOST_TEST(said(scripts::resign, {}, {"channel\n1:w\n*"}) == "OK");
    BOOST_TEST(server.command({"EXISTS", key("i")}) == "0");
}

BOOST_AUTO_TEST_CASE(a_schedule_changes_with_its_tasks_unless_somebody_was_faster) {
    const auto set = [](const std::string& from, const std::string& to, std::uint32_t nonce = 0) {
        words args{"", "it", from, to};
        if (nonce == 0) return args;
        args.push_back(record(nonce, "id " + to));
        args.emplace_back();
        return args;
    };
    BOOST_TEST(said(scripts::schedules, {}, {}).starts_with("OK 1"));
    BOOST_TEST(call(scripts::schedules, {}, {}).items.at(3).items.empty());
    BOOST_TEST(said(scripts::set_schedule, {}, set("", "1")) == "OK 1");
    BOOST_TEST(said(scripts::set_schedule, {}, set("", "2")) == "OK 0");
    BOOST_TEST(said(scripts::set_schedule, {}, set("1", "2", 7)) == "NEED tf:{q}:l:0");
    BOOST_TEST(server.command({"HGET", key("S"), "it"}) == "1");
    BOOST_TEST(said(scripts::set_schedule, {"l:0"}, set("1", "2", 7)) == "OK 1");
    BOOST_TEST(said(scripts::set_schedule, {"l:0"}, set("1", "2", 8)) == "OK 1");  // sent again
    BOOST_TEST(server.command({"HGET", key("c"), "n2"}) == "1");
    BOOST_TEST(server.command({"HGET", key("c"), "seq"}) == "1");
    BOOST_TEST(call(scripts::schedules, {}, {}).items.at(3).texts() == words({"it", "2"}), boost::test_tools::per_element());
    BOOST_TEST(said(scripts::set_schedule, {"l:0"}, {run, "it", "2", "3", record(9), ""}) == "DUE");
    let_something_fall_due();
    BOOST_TEST(said(scripts::set_schedule, {"l:0"}, set("2", "3", 9)) == "DUE");
    BOOST_TEST(said(scripts::set_schedule, {}, set("2", "")) == "OK 1");  // without a task, time does not matter
    BOOST_TEST(server.command({"EXISTS", key("S")}) == "0");
}

BOOST_AUTO_TEST_CASE(maintain_says_when_there_is_more_to_do) {
    join();
    for (std::uint32_t nonce = 1; nonce <= 3; ++nonce) store(nonce);
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(3));
    let_lease_end();
    server.command({"HSET", key("c"), "run", "another"});
    // Another server than that of the last call: leases begin again.
    BOOST_TEST(said(scripts::maintain, {"l:0", "a:w"}, {"2", ""}) == "OK 0");
    BOOST_TEST(server.command({"ZSCORE", key("C"), "w"}).integer() > 1);
    let_lease_end();
    BOOST_TEST(said(scripts::maintain, {"l:0"}, {"2", ""}) == "NEED tf:{q}:a:w");
    BOOST_TEST(said(scripts::maintain, {"l:0", "a:w"}, {"2", ""}) == "OK 1");
    BOOST_TEST(said(scripts::maintain, {"l:0", "a:w"}, {"2", ""}) == "OK 0");
    BOOST_TEST(server.command({"LLEN", key("l:0")}) == "3");
}

BOOST_AUTO_TEST_CASE(leases_begin_again_once_after_a_change_of_servers_though_some_callers_do_not_know_of_it_yet) {
    join();
    store(7);
    server.command({"HSET", key("c"), "run", "older"});
    const auto numbers = [this] { return server.command({"HGET", key("c"), "seq"}).text; };
    BOOST_TEST(said(scripts::maintain, {"l:0"}, {"100", run}) == "OK 0");
    BOOST_TEST(numbers() == "1048577");
    for (const auto& known : {std::string("older"), run}) {
        BOOST_TEST(said(scripts::maintain, {"l:0"}, {"100", known}) == "OK 0");
        BOOST_TEST(numbers() == "1048577");
        BOOST_TEST(server.command({"HGET", key("c"), "run"}) == run);
    }
}

BOOST_AUTO_TEST_CASE(a_journal_takes_writes_of_the_current_attempt_and_from_outside) {
    join();
    store(7);
    const words key_of{"j:1"}, place{"cx", "+", "1", "other\nwork\nid"};
    const auto note = [&](const std::string& nonce, const std::string& consumer, const std::string& token, words items) {
        words args{"1", nonce, consumer, token, "", "100"};
        args.insert(args.end(), items.begin(), items.end());
        return said(scripts::write_journal, key_of, args);
    };
    BOOST_TEST(said(scripts::write_journal, {}, {"1", "7", "", "0", "", "100", "sa", "+", "0", "5"}) == "NEED tf:{q}:j:1");
    BOOST_TEST(said(scripts::journal, {}, {"1", "7", "0", "10"}) == "NEED tf:{q}:j:1");
    BOOST_TEST(note("8", "", "0", {"sa", "+", "0", "5"}) == "OK 4");
    BOOST_TEST(note("7", "w", "1", {"sa", "+", "0", "5"}) == "OK 2");
    BOOST_TEST(note("7", "", "0", {"sa", "+", "0", "5"}) == "OK 0 0 ");
    BOOST_TEST(note("7", "", "0", {"sa", "+", "0", "6"}) == "OK 0 0 5");
    BOOST_TEST(note("7", "", "0", {"sb", "+", "0", std::string(100, 'x')}) == "OK 5 105");
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w", "j:1"}, fetched(1)).starts_with("OK"));
    BOOST_TEST(note("7", "w", "1", place) == "OK 0 0 ");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "7", "0", "10", "sa", "sb"}) == "OK 0 1 0 0 2 sa 5");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "8", "0", "10"}) == "OK 4");
    BOOST_TEST(said(scripts::end_child, key_of, {"1", "7", "cx", "another", "5", "1", "42", ""}) == "OK");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "7", "0", "10", "sa"}) == "OK 0 1 0 0 1 sa 5");
    BOOST_TEST(said(scripts::end_child, key_of, {"1", "7", "cx", "id", "5", "1", "42", ""}) == "OK");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "7", "0", "10", "sa"}) == "OK 0 1 1 0 1 sa 5");
    BOOST_TEST(note("7", "w", "1", {"cx", "-", "0", ""}) == "OK 0 0 ");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "7", "0", "10", "cx"}) == "OK 0 0 0 0 1");
    let_something_fall_due();
    BOOST_TEST(note("7", "", "0", place) == "DUE");
    let_lease_end();
    BOOST_TEST(note("7", "w", "1", place) == "DUE");
}

BOOST_AUTO_TEST_CASE(signals_are_numbered_and_one_that_is_sent_again_counts_once) {
    store(7);
    const words key_of{"j:1"};
    BOOST_TEST(said(scripts::signal, {}, {"1", "7", "go", "call1", "5", "100"}) == "NEED tf:{q}:j:1");
    for (int times = 0; times != 2; ++times) {
        BOOST_TEST(said(scripts::signal, key_of, {"1", "7", "go", "call1", "5", "100"}) == "OK 0");
    }
    BOOST_TEST(said(scripts::signal, key_of, {"1", "7", "go", "call2", "6", "100"}) == "OK 0");
    BOOST_TEST(said(scripts::signal, key_of, {"1", "7", "go", "call3", std::string(100, 'x'), "100"}) == "OK 5 102");
    BOOST_TEST(said(scripts::signal, key_of, {"1", "8", "go", "call3", "5", "100"}) == "OK 4");
    BOOST_TEST(said(scripts::journal, key_of, {"1", "7", "0", "9", "ggo#1", "ggo#2", "ggo#3"}) == "OK 0 0 0 0 3 ggo#1 5 ggo#2 6");
    BOOST_TEST(said(scripts::steer, {"l:0", "j:1"}, {"cancel", "1", "7"}) == "OK 0");
    BOOST_TEST(said(scripts::signal, key_of, {"1", "7", "go", "call3", "5", "100"}) == "OK 3");
    let_something_fall_due();
    BOOST_TEST(said(scripts::signal, key_of, {"1", "7", "go", "call3", "5", "100"}) == "DUE");
}

BOOST_AUTO_TEST_CASE(what_concerns_other_queues_waits_in_the_outbox_until_it_has_been_carried) {
    store(7);
    const words key_of{"j:1"};
    BOOST_TEST(said(scripts::write_journal, key_of, {"1", "7", "", "0", "", "100", "cx", "+", "1", "other\nwork\nid"}) == "OK 0 0 ");
    BOOST_TEST(said(scripts::steer, {"l:0", "j:1"}, {"cancel", "1", "7"}) == "RELAY 0");
    BOOST_TEST(said(scripts::maintain, {"l:0"}, {"100", run}) == "RELAY 0");
    BOOST_TEST(said(scripts::outbox, {}, {"10", "0"}) == "OK 0 X1 7 0");
    BOOST_TEST(said(scripts::outbox, {}, {"10", "0", "X1", "7 9"}) == "OK 0 X1 7 0");  // that was another time
    BOOST_TEST(said(scripts::steer, {"l:0", "j:1"}, {"remove", "1", "7"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("j:1")}) == "1");  // its subtasks must be found
    BOOST_TEST(said(scripts::outbox, {}, {"10", "0", "X1", "7 0"}) == "NEED tf:{q}:j:1");
    BOOST_TEST(said(scripts::outbox, key_of, {"10", "0", "X1", "7 0"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("j:1"), key("o")}) == "0");
}

BOOST_AUTO_TEST_CASE(a_journal_goes_with_its_task_and_a_kept_one_stays_though_its_cancels_have_been_carried) {
    for (const std::string seq : {"1", "2"}) {
        store(7);
        BOOST_TEST(said(scripts::write_journal, {"j:" + seq}, {seq, "7", "", "0", "", "100", "sa", "+", "0", "5"}) == "OK 0 0 ");
    }
    BOOST_TEST(said(scripts::steer, {"l:0", "j:1"}, {"remove", "1", "7"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("j:1"), key("o")}) == "0");
    BOOST_TEST(said(scripts::write_journal, {"j:2"}, {"2", "7", "", "0", "", "100", "cx", "+", "1", "other\nwork\nid"}) == "OK 0 0 ");
    BOOST_TEST(said(scripts::steer, {"l:0", "j:2"}, {"cancel", "2", "7"}) == "RELAY 0");
    BOOST_TEST(said(scripts::outbox, {"j:2"}, {"10", "0", "X2", "7 0"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("j:2")}) == "1");
}

BOOST_AUTO_TEST_CASE(a_history_keeps_attempts_that_did_not_end_their_task_and_goes_with_its_record) {
    const auto told = [this](const std::string& nonce) { return call(scripts::history, {}, {"1", nonce}).items; };
    store(7);
    join();
    BOOST_TEST(told("8").size() == 1U);
    BOOST_TEST(told("7").at(2) == "");
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
    BOOST_TEST(said(scripts::settle, {"l:0", "a:w"}, {"w", end_of(1, 7, settlement::kind::retry)}) == "OK 0");
    BOOST_TEST(server.command({"HLEN", key("A")}) == "1");
    const auto kept = told("7").at(2).text;
    BOOST_TEST(kept.substr(0, 8) == std::string("\1\0\0\0\0\0\0\0", 8));
    BOOST_TEST(kept.ends_with("w42"));
    server.command({"HSET", key("A"), "1", "damaged"});
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
    auto end = end_of(1, 7, settlement::kind::release);
    end[redis::ending_layout::token] = 2;
    BOOST_TEST(said(scripts::settle, {"l:0", "a:w"}, {"w", end}) == "OK 0");
    BOOST_TEST(told("7").at(2).text.substr(0, 8) == std::string("\1\0\0\0\0\0\0\0", 8));  // what could not be read has gone
    BOOST_TEST(said(scripts::steer, {"l:0"}, {"remove", "1", "7"}) == "OK 0");
    BOOST_TEST(server.command({"EXISTS", key("A")}) == "0");
    let_something_fall_due();
    BOOST_TEST(said(scripts::history, {}, {"1", "7"}) == "DUE");
}

BOOST_AUTO_TEST_CASE(a_task_that_succeeds_at_once_has_no_history_but_its_state_which_keeps_the_worker) {
    store(7);
    join();
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 7)}) == "OK");
    BOOST_TEST(server.command({"EXISTS", key("A")}) == "0");
    const auto state = call(scripts::history, {}, {"1", "7"}).items.at(1).text;
    BOOST_TEST(redis::read_status(state).holder == "w");
    BOOST_TEST(redis::read_status(state).result == "", "it may be large, and no history tells it");
}

BOOST_AUTO_TEST_CASE(log_lines_are_numbered_once_and_those_of_older_versions_too) {
    store(7);
    join();
    BOOST_TEST(said(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1)).starts_with("OK"));
    server.command({"HSET", key("g"), "1l", "{\"text\":\"old\"}\n"});
    for (int times = 0; times != 2; ++times) {  // sent again, as the answer got lost
        BOOST_TEST(said(scripts::report, {}, {"w", "1", "7", "1", "0", "", "{\"text\":\"a\"}\n{\"text\":\"b\"}"}) == "OK 0");
    }
    const std::string from = R"({"from":{"number":)", rest = R"(,"attempt":1,"consumer":"w"},"text":)";
    BOOST_TEST(said(scripts::log, {}, {"1", "7", "1", "10"}) ==
               "OK 1 3 0 {\"text\":\"old\"} " + from + "2" + rest + "\"a\"} " + from + "3" + rest + "\"b\"}");
    BOOST_TEST(said(scripts::log, {}, {"1", "7", "3", "10"}) == "OK 3 3 0 " + from + "3" + rest + "\"b\"}");
    BOOST_TEST(said(scripts::log, {}, {"1", "7", "4", "10"}) == "OK 4 3 0");
    BOOST_TEST(said(scripts::log, {}, {"1", "8", "1", "10"}) == "OK");
    let_something_fall_due();
    BOOST_TEST(said(scripts::log, {}, {"1", "7", "1", "10"}) == "DUE");
}

BOOST_AUTO_TEST_CASE(events_are_told_once_somebody_reads_them_or_has_them_kept) {
    BOOST_TEST(said(scripts::events, {"ev"}, {"", "10", "0"}).ends_with(" 0 0-0"));
    BOOST_TEST(server.command({"EXISTS", key("ev")}) == "0");  // it is not to be told
    BOOST_TEST(said(scripts::keep_events, {"ev"}, {"0", "0"}) == "OK");
    BOOST_TEST(server.command({"EXISTS", key("ev")}) == "0");
    BOOST_TEST(said(scripts::keep_events, {"ev"}, {"10", "0"}) == "OK");
    maintain();
    BOOST_TEST(said(scripts::enqueue_plain, {"p:me", "l:0", "ev"}, {"me", "1", run, "", "", record(7), ""}) == "OK 1");
    BOOST_TEST(call(scripts::events, {"ev"}, {"0-0", "10", "0"}).items.size() == 6U);
    server.command({"FLUSHDB"});
    BOOST_TEST(said(scripts::events, {"ev"}, {"", "10", "60000"}) == "NEW");
    BOOST_TEST(said(scripts::keep_events, {"ev"}, {"10", "0"}) == "NEW");
}

// Runs last: the cases above have to have called them.
BOOST_AUTO_TEST_CASE(each_word_that_a_script_knows_has_been_answered_in_a_case) {
    for (const auto* what : all_scripts) {
        for (const std::string word : {"OK", "DUE", "LOST", "NEW", "SLOW"}) {
            const bool is_known = what->text.find("{'" + word + "'") != std::string_view::npos;
            BOOST_TEST(answered[what->name].contains(word) == is_known, what->name << " and " << word);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
