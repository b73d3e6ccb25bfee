#include "damage.hpp"
#include "scripts.hpp"

#include <taskflux/broker/redis/limits.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// Limits of queues as they are stored, and what becomes of those that are damaged.
namespace redis_limits {

using namespace test;

struct limits_fixture : scripts_fixture {
    limits_fixture() {
        join();
        ear.command({"SUBSCRIBE", "inbox"});
    }

    void declare(const limit& value) {
        BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", redis::limit_text(value), ""}) == "OK");
    }
    std::string field(const std::string& name) { return server.command({"HGET", key("c"), name}).text; }
    void set(const std::string& name, const std::string& value) { server.command({"HSET", key("c"), name, value}); }

    /// So many more, that know what is stored under the signature.
    void sleepers(int count, const std::string& signature) {
        for (int i = 0; i < count; ++i) {
            const auto number = std::to_string(++slept);
            server.command({"ZADD", key("i"), number, "inbox\n" + number + ":w\n" + signature});
        }
    }
    std::size_t asleep() { return std::stoul(server.command({"ZCARD", key("i")}).text); }

    /// How many of 10 tasks that are asked for are handed out.
    std::size_t fetched_now() {
        auto answer = call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(10));
        if (answer.items.at(0) == "SLOW") answer = call(scripts::fetch, {"l:0", "a:w"}, fetched(10));
        BOOST_REQUIRE(answer.items.at(0) == "OK");
        std::size_t found = 0;
        for (std::size_t at = 4; at + 2 < answer.items.size(); at += 3) found += answer.items[at].text != "0";
        return found;
    }

    int slept = 0;
    redis_client ear{server.port()};  // sleepers that nobody hears are passed over
};

struct damaged_limit : damage_fixture {
    void set(const std::string& field, const std::string& value) { server.command({"HSET", "tf:{q}:c", field, value}); }
};

}  // namespace redis_limits

BOOST_AUTO_TEST_SUITE(redis_limits)

BOOST_AUTO_TEST_CASE(a_limit_is_the_same_after_it_was_stored) {
    for (const auto& one : {limit(), limit().running(0), limit().running(7), limit().rate(3, 5s), limit().running(2).rate(9, 1min, 4),
                            limit().max_waiting(9), limit().running(2).rate(9, 1min, 4).max_waiting(1000000000)}) {
        const auto read = redis::read_limit(redis::limit_text(one));
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((*read == one));
    }
    BOOST_TEST(redis::limit_text(limit().running(2).rate(9, 1min, 4)) == "2 9 60000 4");
    BOOST_TEST(redis::limit_text(limit().running(2)) == "2   ");
    BOOST_TEST(redis::limit_text(limit().running(2).max_waiting(7)) == "2    7");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_limit_is_told_apart) {
    for (const std::string text : {"", "5", "5  ", "x   ", "-1   ", " 1  ", " 1 1 ", " 0 1 1", " 1 0 1", "1e3   ", "5    ", "5    0", "5    x", "5    7 7", "5    1000000001", "5   \n",
                                   "99999999999999999999   ", "1000000001   ", " 5 1000 5 5 5", " 1 1000 0", " 1 31622400001 1", " 2000 1 1", " 1 31622400000 1000000000"}) {
        BOOST_TEST(!redis::read_limit(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(what_was_stated_and_is_damaged_is_a_protocol_error_that_names_the_queue) {
    const auto stated = redis::read_stated("1000 5   \nno reason\n", "q", "live");
    BOOST_REQUIRE(stated.has_value());
    BOOST_TEST(stated->reason == "no reason\n");
    BOOST_TEST((stated->since == time_point(1s)));
    for (const std::string text : {"x", "1000", "1000 5   ", " 5   \n", "-1 5   \n", "1000 5\n", "5   \n"}) {
        BOOST_CHECK_EXCEPTION(redis::read_stated(text, "mail", "live"), taskflux::error, [](const taskflux::error& e) {
            return e.code() == errc::protocol && std::string(e.what()).starts_with("the live limit of queue mail is damaged");
        });
    }
}

BOOST_FIXTURE_TEST_CASE(set_limit_tells_that_the_server_does_not_have_the_queue, limits_fixture) {
    server.command({"FLUSHALL"});
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "1   ", ""}) == "NEW");
    begin_life();
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "1   ", ""}) == "OK");
    BOOST_TEST(field("paused") == "=1   ");
}

BOOST_FIXTURE_TEST_CASE(what_is_in_force_is_one_field_that_goes_with_the_last_limit, limits_fixture) {
    declare(limit().running(2));
    BOOST_TEST(field("paused") == "=2   ");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_live", " 5 1000 1", "why"}) == "OK");
    BOOST_TEST(field("paused") == "= 5 1000 1");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_live", "   ", "why"}) == "OK");
    BOOST_TEST(server.command({"HEXISTS", key("c"), "paused"}).text == "0");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_live", "", ""}) == "OK");
    BOOST_TEST(field("paused") == "=2   ");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "", ""}) == "OK");
    for (const std::string name : {"paused", "tat", "limit_declared", "limit_live"}) {
        BOOST_TEST(server.command({"HEXISTS", key("c"), name}).text == "0", name);
    }
}

BOOST_FIXTURE_TEST_CASE(older_programs_take_a_limit_for_a_pause_and_a_pause_keeps_it, limits_fixture) {
    declare(limit().running(2));
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"1"}) == "OK");
    BOOST_TEST(field("paused") == "1");
    declare(limit().running(3));
    BOOST_TEST(field("paused") == "1");
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"0"}) == "OK");
    BOOST_TEST(field("paused") == "=3   ");
    BOOST_TEST(call(scripts::counts, {}, {}).items.at(3).text == "0", "a limit is no pause");
    server.command({"HDEL", key("c"), "paused"});  // as older programs resume a queue
    declare(limit().running(3));
    BOOST_TEST(field("paused") == "=3   ");
}

BOOST_FIXTURE_TEST_CASE(a_pause_keeps_the_bound_of_what_waits_and_so_does_a_throttle, limits_fixture) {
    declare(limit().running(2).max_waiting(9));
    BOOST_TEST(field("paused") == "=2    9");
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"1"}) == "OK");
    BOOST_TEST(field("paused") == "1=2    9");
    BOOST_TEST(call(scripts::counts, {}, {}).items.at(3).text == "1");
    declare(limit().running(2).max_waiting(8));
    BOOST_TEST(field("paused") == "1=2    8");
    declare(limit().running(2));
    BOOST_TEST(field("paused") == "1");
    declare(limit().max_waiting(7));
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"0"}) == "OK");
    BOOST_TEST(field("paused") == "=    7");
}

BOOST_FIXTURE_TEST_CASE(a_throttle_is_a_field_that_older_programs_take_for_a_pause_and_goes_when_it_is_over, limits_fixture) {
    store(1);
    store(2);
    BOOST_TEST(fetched_now() == 2U);
    BOOST_TEST(said(scripts::settle, {"l:0", "a:w"}, {"w", end_of(1, 1, settlement::kind::throttle, 60000)}) == "OK 0");
    const auto until = field("throttled");
    BOOST_TEST(field("paused") == "!" + until);
    BOOST_TEST(field("paused").front() != '=', "which alone older programs take for a limit");
    BOOST_TEST(server.command({"HEXISTS", key("w"), "*"}).text == "0", "its ends need wake nobody");
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(2, 2)}) == "OK");
    BOOST_TEST(call(scripts::counts, {}, {}).items.at(3).text == "0", "a throttle is no pause");
    BOOST_TEST(fetched_now() == 0U);
    declare(limit().running(5));
    BOOST_TEST(field("paused") == "!" + until + "=5   ");
    // Its time is over.
    set("paused", "!1000=5   ");
    set("throttled", "1000");
    BOOST_TEST(fetched_now() == 1U);
    BOOST_TEST(field("paused") == "=5   ");
}

BOOST_FIXTURE_TEST_CASE(a_throttle_that_is_damaged_or_ends_too_late_holds_nothing_back, limits_fixture) {
    for (const std::string bad : {"!", "!99999999999999", "!1e300", "!-1"}) {
        server.command({"FLUSHALL"});
        begin_life();
        join();
        store(1);
        set("paused", bad);
        set("throttled", bad.substr(1));
        BOOST_TEST(call(scripts::limits, {}, {}).items.at(5).text == "0", bad);
        BOOST_TEST(fetched_now() == 1U, bad);
        BOOST_TEST(server.command({"HEXISTS", key("c"), "paused"}).text == "0", bad);
    }
}

BOOST_FIXTURE_TEST_CASE(a_throttle_that_is_damaged_leaves_the_limit_behind_it, limits_fixture) {
    for (const std::string bad : {"!=1   ", "!-1=1   ", "!1e300=1   "}) {
        server.command({"FLUSHALL"});
        begin_life();
        join();
        store(1);
        store(2);
        set("paused", bad);
        BOOST_TEST(fetched_now() == 1U, bad);
        BOOST_TEST(field("paused") == "=1   ", bad);
    }
}

BOOST_FIXTURE_TEST_CASE(nothing_is_left_of_a_throttle_that_is_over, limits_fixture) {
    const auto is_left = [&] { return server.command({"HEXISTS", key("c"), "throttled"}).text == "1"; };
    store(1);
    const auto over = [&](const std::string& paused) {
        if (!paused.empty()) set("paused", paused);
        set("throttled", "1000");
    };
    over("!1000=5   ");
    BOOST_TEST(fetched_now() == 1U);
    BOOST_TEST(!is_left());
    over("!1000=5   ");
    sleepers(1, "*");
    BOOST_TEST(said(scripts::hand_over, {"p:me", "a:w"}, {"me", "99", run, "", record(8)}) == "OK 2");
    BOOST_TEST(!is_left());
    BOOST_TEST(field("paused") == "=5   ");
    over("1");
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"0"}) == "OK");
    BOOST_TEST(!is_left());
    over("");
    declare(limit().running(2));
    BOOST_TEST(!is_left());
    set("throttled", "99999999999999");  // the clock went back
    set("paused", "!99999999999999");
    fetched_now();
    BOOST_TEST(!is_left());
    BOOST_TEST(said(scripts::settle, {"l:0", "a:w"}, {"w", end_of(1, 1, settlement::kind::throttle, 60000)}) == "OK 0");
    for (const std::string untouched : {"0", "1"}) {  // one that is not over stays
        BOOST_TEST(said(scripts::pause, {"l:0"}, {untouched}) == "OK");
        BOOST_TEST(is_left());
    }
}

BOOST_FIXTURE_TEST_CASE(quick_ends_leave_a_queue_with_a_limit_to_others_which_count_and_wake, limits_fixture) {
    declare(limit().running(1));
    for (std::uint32_t nonce = 1; nonce <= 3; ++nonce) store(nonce);
    BOOST_TEST(fetched_now() == 1U);
    server.command({"ZADD", key("i"), "1", "inbox\n1:w\n*"});
    server.command({"ZADD", key("i"), "2", "inbox\n2:w\n*"});
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 1)}) == "SLOW");
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, {"w", end_of(1, 1)}) == "OK");
    BOOST_TEST(server.command({"ZCARD", key("i")}).text == "1", "one place, one sleeper");
    BOOST_TEST(field("n3") == "0");
}

BOOST_FIXTURE_TEST_CASE(ends_in_a_queue_that_only_bounds_what_waits_are_quick_and_wake_nobody, limits_fixture) {
    declare(limit().max_waiting(50));
    for (std::uint32_t nonce = 1; nonce <= 14; ++nonce) store(nonce);
    BOOST_TEST(fetched_now() == 10U);
    sleepers(3, "*");
    BOOST_TEST(said(scripts::settle_one, {"a:w"}, {"w", end_of(1, 1)}) == "OK");
    BOOST_TEST(said(scripts::settle, {"a:w", "l:0"}, {"w", end_of(2, 2)}) == "OK 0");
    BOOST_TEST(asleep() == 3U);
    BOOST_TEST(said(scripts::settle, {"a:w", "l:0"}, {"w", end_of(3, 3, settlement::kind::release)}) == "OK 0");
    BOOST_TEST(asleep() == 2U);
}

BOOST_FIXTURE_TEST_CASE(ends_wake_as_many_as_there_are_places_and_none_for_tasks_that_it_does_not_know, limits_fixture) {
    declare(limit().running(3));
    for (std::uint32_t nonce = 1; nonce <= 6; ++nonce) store(nonce);
    BOOST_TEST(fetched_now() == 3U);
    sleepers(5, "*");
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, {"w", end_of(1, 1), end_of(2, 2), end_of(3, 3)}) == "OK");
    BOOST_TEST(asleep() == 2U);
}

BOOST_FIXTURE_TEST_CASE(tasks_that_others_have_passed_over_wake_only_who_knows_them, limits_fixture) {
    declare(limit().running(1));
    store(1);
    for (std::uint32_t nonce = 2; nonce <= 5; ++nonce) store(nonce);
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_live", "2   ", ""}) == "OK");
    BOOST_TEST(fetched_now() == 2U);
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, {"w", end_of(1, 1)}) == "OK");
    call(scripts::fetch, {"l:0", "a:w"}, {"w", "10", "", "1:w", "other", "", "other"});  // passes over 3 to 5
    BOOST_TEST(field("nu") == "3");
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_live", "", ""}) == "OK");
    server.command({"HSET", key("N"), "other", "other", "mine", "else\njob"});
    sleepers(9, "other");
    sleepers(3, "mine");
    BOOST_TEST(said(scripts::settle_plain, {"a:w"}, {"w", end_of(2, 2)}) == "OK");
    BOOST_TEST(asleep() == 11U);
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"1"}) == "OK");
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"0"}) == "OK");
    BOOST_TEST(asleep() == 10U, "one place");
    // One that knows others finds nothing while there is room: somebody may have been called in vain.
    call(scripts::fetch, {"l:0", "a:w"}, {"w", "1", "", "1:w", "other", "", "other"});
    BOOST_TEST(asleep() == 9U);
}

BOOST_FIXTURE_TEST_CASE(one_watches_for_a_rate_while_it_sleeps_and_others_do_not_take_over, limits_fixture) {
    declare(limit().rate(1, std::chrono::hours(1)));
    for (std::uint32_t nonce = 1; nonce <= 3; ++nonce) store(nonce);
    BOOST_TEST(fetched_now() == 1U);
    const auto ask = [&](const std::string& who) {
        return call(scripts::fetch_plain, {"l:0", "a:w"}, {"w", "1", "inbox", who + ":w", "*"}).items.at(3).text;
    };
    const auto opens = ask("1");
    BOOST_TEST(opens != "-1");
    BOOST_TEST(ask("2") == "-1");
    BOOST_TEST(field("watcher") == "inbox\n1:w\n*");
    BOOST_TEST(ask("1") == opens);
    server.command({"ZREM", key("i"), "inbox\n1:w\n*"});
    BOOST_TEST(ask("2") == opens, "that one sleeps no more");
    set("watching", "1");
    BOOST_TEST(ask("3") == opens, "that one's time has come");
    set("watching", "99999999999999");
    BOOST_TEST(ask("2") == opens, "that one watches for a later time");
}

BOOST_FIXTURE_TEST_CASE(who_resumes_a_queue_has_ends_told_again, limits_fixture) {
    declare(limit().running(1));
    server.command({"HDEL", key("w"), "*"});
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"1"}) == "OK");
    BOOST_TEST(said(scripts::pause, {"l:0"}, {"0"}) == "OK");
    BOOST_TEST(server.command({"HEXISTS", key("w"), "*"}).text == "1");
}

BOOST_FIXTURE_TEST_CASE(a_submission_into_a_full_queue_wakes_nobody, limits_fixture) {
    declare(limit().running(1));
    store(1);
    BOOST_TEST(fetched_now() == 1U);
    server.command({"ZADD", key("i"), "1", "inbox\n1:w\n*"});
    store(2);
    store_with_id(3, "mine");
    BOOST_TEST(server.command({"ZCARD", key("i")}).text == "1");
}

BOOST_FIXTURE_TEST_CASE(a_submission_while_a_rate_holds_back_wakes_one_to_watch_and_no_more, limits_fixture) {
    declare(limit().rate(1, std::chrono::hours(1)));
    store(1);
    BOOST_TEST(fetched_now() == 1U);
    for (const std::string score : {"1", "2", "3"}) server.command({"ZADD", key("i"), score, "inbox\n" + score + ":w\n*"});
    store(2);
    BOOST_TEST(server.command({"ZCARD", key("i")}).text == "2");
    BOOST_TEST(said(scripts::look, {"a:w"}, {"w", "inbox", "1:w", "*", "", "any"}).starts_with("OK 1"));
    BOOST_TEST(field("watcher") == "inbox\n1:w\n*");
    store(3);
    BOOST_TEST(server.command({"ZCARD", key("i")}).text == "3");
}

BOOST_FIXTURE_TEST_CASE(a_start_that_is_due_too_far_ahead_lets_one_start, limits_fixture) {
    for (const std::string damaged : {"1e300", "999999999999999", "inf", "nan", "-5", "many", ""}) {
        BOOST_TEST_CONTEXT(damaged) {
            server.command({"FLUSHALL"});
            begin_life();
            join();
            declare(limit().rate(1, std::chrono::hours(1)));
            store(1);
            store(2);
            set("tat", damaged);
            BOOST_TEST(fetched_now() == 1U);
            BOOST_TEST(fetched_now() == 0U);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(nothing_counts_as_running_when_no_consumer_is_left, limits_fixture) {
    for (const bool by_leave : {true, false}) {
        join("w");
        join("v");
        set("n3", "99");
        const auto gone = [&](const std::string& who) {
            if (by_leave) {
                BOOST_TEST(said(scripts::leave, {"l:0", "a:" + who}, {who, "100"}) == "OK 0");
            } else {
                let_lease_end(who);
                call(scripts::maintain, {"l:0", "a:w", "a:v"}, {"100", run});
            }
        };
        gone("v");
        BOOST_TEST(field("n3") == "99");
        gone("w");
        BOOST_TEST(field("n3") == "0");
    }
}

BOOST_FIXTURE_TEST_CASE(a_damaged_limit_limits_nothing_and_is_told_of_once, damaged_limit) {
    add(7);
    add_together(5);
    for (const std::string text : {"=5", "=x   ", "=1e3   ", "=9999999999999999999   ", "= 0 1 1", "=\xff", "=1000000001   ", "= 1 31622400001 1", "= 1 1000 0",
                                   "= 1 31622400000 1000000000"}) {
        set("paused", text);
        BOOST_TEST(fetch(1).size() == 1U, text);
    }
    BOOST_TEST(run(broker->counts("q")).set_aside == 1U);
    BOOST_TEST(run(broker->counts("q")).running == 10U);
    run(broker->set_limit("q", limit_kind::live, limit().running(10), "mended"));
    BOOST_TEST(fetch(1).empty());
}

BOOST_FIXTURE_TEST_CASE(a_damaged_statement_is_an_error_for_who_reads_it_and_can_be_set_again, damaged_limit) {
    run(broker->set_limit("q", limit_kind::declared, limit().running(3), ""));
    set("limit_live", "whatever");
    BOOST_CHECK_EXCEPTION(run(broker->limits("q")), boost::system::system_error,
                          [](const boost::system::system_error& e) { return e.code() == errc::protocol; });
    run(broker->set_limit("q", limit_kind::live, limit().running(1), "again"));
    BOOST_TEST((run(broker->limits("q")).in_force() == limit().running(1)));
}

BOOST_FIXTURE_TEST_CASE(a_damaged_limit_of_a_key_is_named_and_hides_no_other, damage_fixture) {
    run(broker->set_key_limit("q", "whole", limit_kind::declared, limit().running(1), ""));
    run(broker->set_key_limit("q", "broken", limit_kind::live, limit().running(2), "why"));
    run(broker->set_key_limit("q", "broken", limit_kind::declared, limit().running(3), ""));
    server.command({"HSET", "tf:{q}:L", "lbroken", "nonsense"});
    server.command({"HSET", "tf:{q}:L", "foreign", "1000 5   \nwhy"});
    server.command({"HSET", "tf:{q}:L", "", "1000 5   \nwhy"});
    server.command({"HSET", "tf:{q}:L", "dempty", ""});
    auto found = run(broker->limits("q"));
    std::ranges::sort(found.damaged, {}, &taskflux::damaged_limit::key);
    BOOST_CHECK((found.damaged == std::vector<taskflux::damaged_limit>{{"broken", true}, {"empty", false}}));
    BOOST_TEST(found.keys.size() == 2U);
    BOOST_TEST((found.keys.at("whole").in_force() == limit().running(1)));
    BOOST_TEST((found.keys.at("broken").in_force() == limit().running(3)));
    BOOST_TEST(found.left_out == 0U);
    run(broker->set_key_limit("q", "broken", limit_kind::live, std::nullopt, ""));
    BOOST_CHECK((run(broker->limits("q")).damaged == std::vector<taskflux::damaged_limit>{{"empty", false}}));
    run(broker->set_key_limit("q", "empty", limit_kind::declared, limit().running(4), ""));
    BOOST_TEST(run(broker->limits("q")).damaged.empty());
}

BOOST_FIXTURE_TEST_CASE(of_very_many_limits_of_keys_some_are_left_out, damage_fixture) {
    run(broker->set_key_limit("q", "one", limit_kind::declared, limit().running(1), ""));
    constexpr std::size_t many = 30'000;
    std::vector<std::string> words{"HSET", "tf:{q}:L"};
    for (std::size_t i = 0; i < many; ++i) {
        words.push_back("dk" + std::to_string(i));
        words.emplace_back("1000 5   \n");
    }
    server.command(words);
    const auto found = run(broker->limits("q"));
    BOOST_TEST(found.keys.size() >= 10'000U);
    BOOST_TEST(found.keys.size() < 25'000U);
    BOOST_TEST(found.keys.size() + found.left_out == many + 1);
}

BOOST_AUTO_TEST_SUITE_END()
