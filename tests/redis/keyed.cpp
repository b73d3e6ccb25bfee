#include "damage.hpp"
#include "frozen.hpp"
#include "scripts.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Tasks that have a key as they are stored, and what becomes of damage to that: no script fails for it, and no key is stuck.
namespace redis_keyed_time {

using namespace test;

struct keyed_fixture : damage_fixture {
    keyed_fixture() { run(broker->set_key_limit("q", "", limit_kind::declared, limit().running(1), "")); }

    std::uint64_t put(const std::string& key) {
        auto one = plain_task();
        one.key = key;
        return run(broker->submit("q", std::vector<new_task>{one})).front().key.sequence;
    }
    void end(const delivery& one) {
        settlement how;
        how.key = one.key;
        how.token = one.token;
        BOOST_TEST((run(broker->settle("q", "w", std::vector<settlement>{how})).at(0) == effect::done));
    }
    /// Who knows only such tasks.
    std::vector<delivery> fetch_of(const std::string& of, std::size_t most = 10) {
        fetch(0);  // joins
        fetch_request wanted;
        wanted.consumer = "w";
        wanted.queues.push_back("q");
        wanted.names = std::make_shared<const name_set>(name_set{of});
        wanted.max = most;
        return run(broker->fetch(wanted));
    }
    /// A member of those that others have passed over, by its key.
    static std::string passed(const std::string& of, std::uint64_t number, const std::string& named) {
        return "y" + of + '\0' + named + '\0' + "100" + '\0' + digits(number);
    }
    static std::string digits(std::uint64_t number) {
        const auto text = std::to_string(number);
        return std::string(14 - text.size(), '0') + text;
    }
    const std::string known_name = plain_task().spec->name;
    redis_value raw(const std::vector<std::string>& words) { return server.command(words); }
    static std::string key(const std::string& name) { return "tf:{q}:" + name; }
    /// As after a while in which nobody has looked.
    void let_look_again() { raw({"HDEL", key("c"), "sifted"}); }
    std::size_t fetched(std::size_t most = 10) {
        std::size_t found = 0;
        for (int times = 0; times < 3; ++times) found += fetch(most).size();
        return found;
    }
};

/// A queue on a server whose time moves only when it is told to: a worker that spins is known by its calls.
struct keyed_time : frozen_fixture {
    static inline const std::string queue = "q";

    keyed_time() {
        run(broker().set_key_limit(queue, "", limit_kind::declared, limit().rate(1, 10s), ""));
        join("w");
        join("other");
    }
    void put(const std::string& key) {
        auto one = plain_task();
        one.key = key;
        add(one);
    }
    bool is_there(const std::string& name) { return server.command({"EXISTS", "tf:{q}:" + name}).text != "0"; }
    std::size_t calls() {
        const auto told = server.command({"INFO", "commandstats"}).text;
        constexpr std::string_view name = "cmdstat_evalsha:calls=";
        return std::stoul(told.substr(told.find(name) + name.size()));
    }
    /// How often that one calls scripts while it waits, and time stands still. Each look at it is a call.
    std::size_t calls_of(conformance::started<std::vector<delivery>>& sleeper) {
        constexpr std::size_t looks = 20;
        BOOST_TEST(still_waiting(sleeper));
        const auto before = calls();
        for (std::size_t i = 0; i < looks; ++i) BOOST_TEST(still_waiting(sleeper));
        return calls() - before - looks;
    }
    auto sleeper() { return start(broker().fetch(request("other", 1, 24h))); }
};

}  // namespace redis_keyed_time

BOOST_FIXTURE_TEST_SUITE(redis_keyed_time, keyed_time)

BOOST_AUTO_TEST_CASE(a_sleeper_forgets_what_a_rate_knew_of_a_key_and_sleeps_on) {
    put("a");
    settle(fetch_one(), settlement::kind::complete);
    BOOST_TEST(is_there("K"));
    auto waiting = sleeper();
    BOOST_TEST(still_waiting(waiting));
    pass(11s);
    BOOST_TEST(calls_of(waiting) < 5U);
    for (const auto* const name : {"P", "R", "T", "K"}) BOOST_TEST(!is_there(name), name);
    waiting.cancel();
    BOOST_CHECK_THROW(waiting.get(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_sleeper_sleeps_while_a_paused_queue_has_keys_whose_time_has_come) {
    for (int i = 0; i < 2; ++i) put("a");
    fetch_one();
    BOOST_TEST(fetch().empty());
    BOOST_TEST(is_there("T"));
    run(broker().pause(queue));
    auto waiting = sleeper();
    BOOST_TEST(still_waiting(waiting));
    pass(11s);
    BOOST_TEST(calls_of(waiting) < 5U);
    run(broker().resume(queue));
    BOOST_TEST(waiting.get().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_sleeper_sleeps_while_a_full_queue_has_keys_whose_time_has_come) {
    run(broker().set_limit(queue, limit_kind::declared, limit().running(1), ""));
    for (int i = 0; i < 2; ++i) put("a");
    const auto one = fetch_one();
    auto waiting = sleeper();
    pass(11s);
    BOOST_TEST(calls_of(waiting) < 5U);
    settle(one, settlement::kind::complete);
    BOOST_TEST(waiting.get().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(redis_keyed, redis_keyed_time::keyed_fixture)

using namespace redis_keyed_time;

BOOST_AUTO_TEST_CASE(a_queue_has_nothing_left_of_keys_whose_tasks_have_ended) {
    for (int i = 0; i < 20; ++i) put("k" + std::to_string(i % 7));
    for (int times = 0; times < 60 && counts().succeeded < 20U; ++times) {
        for (const auto& one : fetch(10)) end(one);
    }
    BOOST_TEST(counts().succeeded == 20U);
    BOOST_TEST(raw({"EXISTS", key("P"), key("R"), key("T"), key("K")}).text == "0");
}

BOOST_AUTO_TEST_CASE(a_keyed_record_is_of_a_version_that_older_programs_leave_alone) {
    const auto plain = add(1);
    const auto with_key = put("a");
    BOOST_TEST(int(raw({"HGET", key("r"), field(plain)}).text.at(6)) == 1);
    BOOST_TEST(int(raw({"HGET", key("r"), field(with_key)}).text.at(6)) == 2);
}

BOOST_AUTO_TEST_CASE(the_limit_of_one_key_or_one_that_is_known_makes_nobody_look_at_all_keys) {
    put("a");
    put("a");
    put("b");
    BOOST_TEST(fetched() == 2U);
    raw({"HDEL", key("c"), "sift"});
    const auto one = [&](const std::string& name, std::size_t most) {
        run(broker->set_key_limit("q", name, limit_kind::live, limit().running(most), "why"));
    };
    one("b", 9);
    BOOST_TEST(fetched() == 0U);
    one("a", 9);
    run(broker->set_key_limit("q", "", limit_kind::declared, limit().running(1), ""));
    BOOST_TEST(raw({"HEXISTS", key("c"), "sift"}).text == "0");
    BOOST_TEST(fetched() == 1U);
    one("", 1);
    BOOST_TEST(raw({"HEXISTS", key("c"), "sift"}).text == "0");
    one("", 2);
    BOOST_TEST(raw({"HEXISTS", key("c"), "sift"}).text == "1");
}

BOOST_AUTO_TEST_CASE(a_key_whose_rate_was_taken_back_is_remembered_no_longer) {
    run(broker->set_key_limit("q", "", limit_kind::declared, limit().rate(1, 1h), ""));
    put("a");
    put("a");
    BOOST_TEST(fetched() == 1U);
    BOOST_TEST(raw({"EXISTS", key("K"), key("T")}).text == "2");
    run(broker->set_key_limit("q", "", limit_kind::declared, limit(), ""));
    BOOST_TEST(fetched() == 1U);
    BOOST_TEST(raw({"EXISTS", key("K"), key("T")}).text == "0");
}

BOOST_AUTO_TEST_CASE(keys_whose_turns_were_lost_get_them_back) {
    for (int i = 0; i < 5; ++i) put("k" + std::to_string(i));
    raw({"DEL", key("R")});
    let_look_again();
    BOOST_TEST(fetched() == 5U);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_full_of_what_does_not_run_is_not_stuck) {
    put("a");
    raw({"ZADD", key("P"), "0", std::string("ra\0" "100\0" "00000000009999", 21)});
    let_look_again();
    BOOST_TEST(fetched() == 1U);
}

BOOST_AUTO_TEST_CASE(foreign_members_are_passed_over) {
    for (const std::string member : {"w", "x", "wa", "r", "nonsense", "\xff"}) raw({"ZADD", key("P"), "0", member});
    raw({"ZADD", key("P"), "0", std::string("wa\0" "100\0" "00000000009999", 21)});
    raw({"ZADD", key("P"), "0", std::string("wa\0" "100\0" "xxxxxxxxxxxxxx", 21)});
    for (const std::string turn : {"1e300", "inf", "-inf", "0.5"}) raw({"ZADD", key("R"), turn, "foreign" + turn});
    raw({"ZADD", key("T"), "-inf", "nobody"});
    raw({"ZADD", key("T"), "inf", "never"});
    put("a");
    put("b");
    add(2);
    BOOST_TEST(fetched() == 4U);
}

BOOST_AUTO_TEST_CASE(damaged_turns_and_limits_hold_nobody_up) {
    put("a");
    raw({"ZADD", key("R"), "XX", "inf", "a"});
    for (int i = 0; i < 30; ++i) put("b" + std::to_string(i));
    BOOST_TEST(fetched() == 30U);
    BOOST_TEST(fetched() == 1U);
    for (const std::string text : {"x", "1 2", " 0 1 1", "1e3   ", "\xff", "9999999999999999999   "}) {
        raw({"HSET", key("c"), "each", text});
        put("a");
        BOOST_TEST(fetch(1).size() == 1U, text);
    }
    raw({"HSET", key("c"), "sift", "nonsense"});
    raw({"HSET", key("c"), "each", " 1 3600000 1"});
    for (const std::string next_at : {"x", "inf", "-1", "nan", "1e300"}) {
        raw({"HSET", key("K"), "late" + next_at, next_at});
        put("late" + next_at);
        BOOST_TEST(fetch(1).size() == 1U, next_at);
    }
}

BOOST_AUTO_TEST_CASE(what_limits_tells_of_a_key_is_what_holds_also_where_a_limit_is_damaged) {
    run(broker->set_key_limit("q", "ann", limit_kind::declared, limit().running(1), ""));
    for (const std::string text : {"nonsense", "1000 9999999999   \nwhy", "1000 5    7\nwhy", "1000 0 1 1\nwhy", "1000  5 1000 0\nwhy", "5   \nwhy",
                                   "99999999999999999999 5   \nwhy", "1000 3   ", "1000 5   \nwhole"}) {
        raw({"HSET", key("L"), "lann", text});
        const auto told = run(broker->limits("q"));
        const bool is_whole = text.ends_with("whole");
        BOOST_TEST(told.damaged.size() == (is_whole ? 0U : 1U), text);
        for (int i = 0; i < 9; ++i) put("ann");
        const auto taken = fetch(9);
        BOOST_TEST(taken.size() == told.keys.at("ann").in_force().running().value_or(9), text);
        BOOST_TEST(taken.size() == (is_whole ? 5U : 1U), text);
        for (const auto& one : taken) end(one);
        run(broker->clear("q", task_state::waiting, 100));
    }
}

BOOST_AUTO_TEST_CASE(what_an_older_program_puts_into_a_lane_goes_to_its_key) {
    put("a");
    const auto second = put("a");
    raw({"DEL", key("P"), key("R")});
    raw({"HSET", key("c"), "lanes", ",0,"});
    raw({"RPUSH", key("l:0"), field(second - 1), field(second)});
    BOOST_TEST(fetched() == 1U);
    BOOST_TEST(counts().waiting == 1U);
}

BOOST_AUTO_TEST_CASE(a_task_that_a_worker_can_not_read_and_sets_aside_takes_no_place_of_its_key) {
    auto bad = plain_task();
    const auto spec = std::make_shared<task_spec>(*bad.spec);
    spec->headers["a"] = "b";
    bad.spec = spec;
    bad.key = "a";
    const auto number = run(broker->submit("q", std::vector<new_task>{bad})).front().key.sequence;
    const auto next = put("a");
    auto text = raw({"HGET", key("r"), field(number)}).text;
    const auto at = text.find("{\"");
    BOOST_REQUIRE(at != std::string::npos);
    text[at] = '!';
    raw({"HSET", key("r"), field(number), text});
    std::vector<delivery> found;
    for (int times = 0; times < 3 && found.empty(); ++times) found = fetch(1);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].key.sequence == next);
    BOOST_TEST(counts().running == 1U);
    end(found[0]);
    BOOST_TEST(raw({"EXISTS", key("P")}).text == "0");
}

BOOST_AUTO_TEST_CASE(what_others_have_passed_over_is_shown_by_keys_that_have_room) {
    const auto shown = [&] { return raw({"ZRANGE", key("u"), "0", "-1"}).texts(); };
    const auto mark = [](const std::string& of, std::uint64_t number) {
        std::string made = plain_task().spec->name;
        made += '\0';
        made += "k" + of;
        made += '\0';
        made += "100";
        made += '\0';
        const auto digits = std::to_string(number);
        return made + std::string(14 - digits.size(), '0') + digits;
    };
    BOOST_TEST(fetch(1).empty());  // joins
    const auto first = put("a"), second = put("a"), other = put("b");
    fetch_request of_another;
    of_another.consumer = "w";
    of_another.queues.push_back("q");
    of_another.names = std::make_shared<const name_set>(name_set{"nothing"});
    BOOST_TEST(run(broker->fetch(of_another)).empty());
    BOOST_TEST(shown() == (std::vector<std::string>{mark("a", first), mark("b", other)}), boost::test_tools::per_element());
    const auto one = fetch(1);
    BOOST_REQUIRE_EQUAL(one.size(), 1U);
    BOOST_TEST(shown() == (std::vector<std::string>{mark("b", other)}), boost::test_tools::per_element());
    end(one[0]);
    BOOST_TEST(shown() == (std::vector<std::string>{mark("a", second), mark("b", other)}), boost::test_tools::per_element());
    raw({"DEL", key("u")});
    let_look_again();
    BOOST_TEST(fetched() == 2U);
    BOOST_TEST(counts().unclaimed == 0U);
    BOOST_TEST(shown().empty());
}

BOOST_AUTO_TEST_CASE(remnants_of_what_others_have_passed_over_are_dropped) {
    BOOST_TEST(fetch(1).empty());  // joins
    const auto number = put("a");
    put("b");
    fetch_request of_another;
    of_another.consumer = "w";
    of_another.queues.push_back("q");
    of_another.names = std::make_shared<const name_set>(name_set{"nothing"});
    BOOST_TEST(run(broker->fetch(of_another)).empty());
    raw({"HDEL", key("r"), field(number)});
    for (const std::string member : {"y", "ya", "x"}) raw({"ZADD", key("P"), "0", member});
    raw({"ZADD", key("u"), "0", std::string("foreign\0" "kc\0" "100\0" "00000000000009", 29)});
    BOOST_TEST(fetched() == 1U);
    let_look_again();
    BOOST_TEST(fetched() == 0U);
}

BOOST_AUTO_TEST_CASE(what_others_have_passed_over_stands_where_older_programs_do_not_look) {
    put("a");
    fetch_of("nothing");
    put("a");
    BOOST_TEST(raw({"ZCARD", key("P")}).text == "2");
    BOOST_TEST(raw({"ZLEXCOUNT", key("P"), "-", "(x"}).text == "1");
    run(broker->set_key_limit("q", "", limit_kind::declared, limit().running(2), ""));
    BOOST_TEST(raw({"HGET", key("c"), "sift"}).text == "k");
    BOOST_TEST(fetched() == 2U);
}

BOOST_AUTO_TEST_CASE(no_more_of_what_others_have_passed_over_is_read_than_its_key_has_room_for) {
    put("a");
    put("a");
    const auto third = put("a");
    fetch_of("nothing");
    const auto record = raw({"HGET", key("r"), field(third)}).text;
    raw({"HSET", key("r"), field(third), "x"});
    const auto one = fetch_of(known_name);
    BOOST_REQUIRE_EQUAL(one.size(), 1U);
    BOOST_TEST(!has_said("record"), said);
    BOOST_TEST(raw({"HEXISTS", key("q"), field(third)}).text == "0");
    raw({"HSET", key("r"), field(third), record});
    end(one[0]);
    BOOST_TEST(fetched() == 1U);
}

BOOST_AUTO_TEST_CASE(a_remnant_whose_task_an_older_program_runs_hides_no_others) {
    run(broker->set_key_limit("q", "", limit_kind::declared, limit(), ""));
    const auto first = put("a"), second = put("a"), third = put("a");
    fetch_of("nothing");
    BOOST_REQUIRE_EQUAL(fetch(1).size(), 1U);
    raw({"ZADD", key("P"), "0", passed("a", first, known_name)});
    raw({"DEL", key("u")});
    let_look_again();
    for (const auto wanted : {second, third}) {
        std::vector<delivery> found;
        for (int times = 0; times < 3 && found.empty(); ++times) found = fetch_of(known_name, 1);
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        BOOST_TEST(found[0].key.sequence == wanted);
    }
    BOOST_TEST(fetch_of(known_name, 1).empty());
    BOOST_TEST(raw({"ZLEXCOUNT", key("P"), "[y", "(z"}).text == "0");
}

BOOST_AUTO_TEST_CASE(a_look_at_all_keys_that_took_long_does_not_put_the_next_one_off_for_ever) {
    put("a");
    BOOST_REQUIRE(fetch(0).empty());
    raw({"DEL", key("R")});
    const auto seconds = std::stoull(raw({"TIME"}).texts().at(0));
    const auto ended = [&](std::uint64_t ago) {
        raw({"HSET", key("c"), "sift_took", "999999999999999", "sifted", std::to_string((seconds - ago) * 1000)});
    };
    ended(590);
    BOOST_TEST(fetched() == 0U);
    ended(610);
    BOOST_TEST(fetched() == 1U);
}

BOOST_AUTO_TEST_CASE(a_key_with_very_many_names_shows_all_of_what_others_have_passed_over) {
    constexpr std::size_t many = 101;
    std::vector<new_task> all;
    for (std::size_t i = 0; i <= many; ++i) {
        auto one = plain_task();
        auto spec = std::make_shared<task_spec>(*one.spec);
        spec->name = "n" + std::to_string(1000 + std::min(i, many - 1));
        one.spec = spec;
        one.key = "a";
        all.push_back(std::move(one));
    }
    run(broker->submit("q", std::move(all)));
    for (int times = 0; times < 3; ++times) fetch_of("nothing");
    BOOST_REQUIRE_EQUAL(counts().unclaimed, many + 1);
    const auto last = "n" + std::to_string(1000 + many - 1);
    const auto one = fetch_of(last);
    BOOST_REQUIRE_EQUAL(one.size(), 1U);
    end(one[0]);
    let_look_again();
    std::size_t found = 0;
    for (int times = 0; times < 4; ++times) {
        found += fetch_of(last).size();
        let_look_again();
    }
    BOOST_TEST(found == 1U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_that_an_older_program_has_passed_over_is_shown_no_longer) {
    put("a");
    const auto keyed = [&] {
        auto one = plain_task();
        one.key = "a";
        return run(broker->submit("q", std::vector<new_task>{one})).front().key;
    }();
    fetch_of("nothing");
    raw({"ZADD", key("u"), "0", known_name + '\0' + "100" + '\0' + digits(keyed.sequence)});
    raw({"ZREM", key("P"), passed("a", keyed.sequence, known_name)});
    run(broker->cancel("q", {keyed}));
    BOOST_TEST(raw({"ZCARD", key("u")}).text == "1");
    BOOST_TEST(fetched() == 1U);
    BOOST_TEST(raw({"EXISTS", key("u"), key("P")}).text == "1");
}

BOOST_AUTO_TEST_CASE(a_record_that_was_damaged_while_its_task_ran_frees_its_place) {
    const auto number = put("a");
    put("a");
    const auto one = fetch(1).at(0);
    raw({"HSET", key("r"), field(number), "x"});
    settlement how;
    how.key = one.key;
    how.token = one.token;
    run(broker->settle("q", "w", std::vector<settlement>{how}));
    let_look_again();
    BOOST_TEST(fetched() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
