#include "scripts.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The quick scripts for tasks that have a key: what they do, and what they leave to the scripts for tasks of any kind.
namespace redis_keyed_scripts {

using namespace test;

struct keyed_scripts_fixture : scripts_fixture {
    keyed_scripts_fixture() { prepare(); }
    void prepare() {
        maintain();
        join();
        look_at_all_keys();
        limit_each("1   ");
    }

    /// From an empty server on, by the quick scripts or by those for tasks of any kind.
    void begin(bool by_any) {
        server.command({"FLUSHALL"});
        begin_life();
        prepare();
        is_by_any = by_any;
    }

    static std::string keyed(std::uint32_t nonce, const std::string& of, int priority = 0, const std::string& named = "job") {
        const auto spec = std::make_shared<task_spec>();
        spec->name = named;
        spec->priority = priority;
        auto task = plain_task();
        task.spec = spec;
        task.key = of;
        return redis::encode_record(task, nonce);
    }
    words stored(const std::vector<std::string>& records, const std::string& place = {}) {
        words args{"me", std::to_string(++batches), run, "", ""};
        for (const auto& one : records) {
            args.push_back(one);
            args.push_back(place);
        }
        return args;
    }
    std::string put(const std::vector<std::string>& records) {
        return said(is_by_any ? scripts::enqueue : scripts::enqueue_keyed, {"p:me"}, stored(records));
    }
    /// What a fetch hands out, and whether there is more.
    std::string got(std::size_t most, const std::string& named = "job") {
        std::string numbers;
        const auto& script = is_by_any ? scripts::fetch : scripts::fetch_keyed;
        const auto items = call(script, {"l:0", "a:w"}, {"w", std::to_string(most), "", "1:w", "known", "", named}).items;
        if (items.at(0).text != "OK") return items.at(0).text;
        for (std::size_t n = 4; n < items.size(); n += 3) numbers += items[n].text + ' ';
        return numbers + "more " + items.at(2).text;
    }
    std::string ended(const words& ends, const std::string& who = "w") {
        words args{who};
        args.insert(args.end(), ends.begin(), ends.end());
        if (!is_by_any) return said(scripts::settle_keyed, {"a:" + who}, args);
        return said(scripts::settle, {"a:" + who}, args).substr(0, 2);
    }
    void limit_each(const std::string& text) { BOOST_TEST(said(scripts::set_key_limit, {}, {"", "0", text, ""}) == "OK"); }
    /// As if that had just been done.
    void look_at_all_keys() {
        const auto seconds = server.command({"TIME"}).items.at(0).text;
        server.command({"HSET", key("c"), "sifted", seconds + "000"});
        server.command({"HDEL", key("c"), "sift", "sift_since"});
    }
    std::string turns() {
        std::string all;
        for (const auto& one : server.command({"ZRANGE", key("R"), "0", "-1"}).items) all += '[' + one.text + ']';
        return all;
    }
    std::string counted(const std::string& field) { return server.command({"HGET", key("c"), field}).text; }
    std::size_t members() { return server.command({"ZRANGE", key("P"), "0", "-1"}).items.size(); }
    std::string field(const std::string& of) { return server.command({"HGET", key("G"), of}).text; }
    /// Tasks that wait or run, in either form.
    std::size_t entries() {
        std::size_t all = members();
        for (const auto& one : server.command({"HVALS", key("G")}).items) all += (one.text.size() - 1) / 7;
        return all;
    }
    bool is_by_any = false;
    /// The short form of tasks without a priority.
    static std::string few(char running, const std::string& numbers) {
        std::string text(1, running);
        for (const char number : numbers) text += std::string("d\0\0\0\0\0", 6) + number;
        return text;
    }
};

}  // namespace redis_keyed_scripts

BOOST_FIXTURE_TEST_SUITE(redis_keyed_scripts, redis_keyed_scripts::keyed_scripts_fixture)

using namespace redis_keyed_scripts;

BOOST_AUTO_TEST_CASE(no_more_tasks_of_a_key_run_than_the_limit_of_each_says_and_keys_take_turns) {
    for (const bool by_any : {false, true}) {
        begin(by_any);
        BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "b"), keyed(4, "b"), keyed(5, "c")}) == "OK 1");
        BOOST_TEST(turns() == "[a][b][c]");
        BOOST_TEST(got(2) == "1 3 more 0");
        BOOST_TEST(turns() == "[c][]");
        BOOST_TEST(put({keyed(6, "a"), keyed(7, "d")}) == "OK 6");
        BOOST_TEST(turns() == "[c][][d]");
        BOOST_TEST(got(9) == "5 7 more 0");
        BOOST_TEST(turns() == "");
        BOOST_TEST(got(9) == "more 0");
        BOOST_TEST(ended({end_of(3, 3), end_of(1, 1), end_of(5, 5)}) == "OK");
        BOOST_TEST(turns() == "[b][a]");
        BOOST_TEST(got(9) == "4 2 more 0");
        BOOST_TEST(ended({end_of(4, 4), end_of(2, 2), end_of(7, 7)}) == "OK");
        BOOST_TEST(got(9) == "6 more 0");
        BOOST_TEST(ended({end_of(6, 6)}) == "OK");
        BOOST_TEST(entries() == 0U);
        BOOST_TEST(turns() == "");
        BOOST_TEST(counted("n2") == "0");
        BOOST_TEST(counted("n3") == "0");
        BOOST_TEST(counted("n5") == "7");
        BOOST_TEST(server.command({"EXISTS", key("a:w")}).text == "0");
    }
}

BOOST_AUTO_TEST_CASE(a_key_with_room_for_several_has_its_turn_again_behind_all_others) {
    for (const bool by_any : {false, true}) {
        begin(by_any);
        limit_each("2   ");
        look_at_all_keys();
        BOOST_TEST(put({keyed(1, "a"), keyed(2, "a", 5), keyed(3, "a"), keyed(4, "b"), keyed(5, "b"), keyed(6, "b")}) == "OK 1");
        BOOST_TEST(got(1) == "2 more 0");
        BOOST_TEST(turns() == "[b][a][]", by_any);
        BOOST_TEST(got(3) == "4 1 5 more 0");
        BOOST_TEST(turns() == "");
        BOOST_TEST(ended({end_of(1, 1), end_of(2, 2)}) == "OK");
        BOOST_TEST(turns() == "[a]");
    }
}

BOOST_AUTO_TEST_CASE(keys_without_a_limit_take_turns_until_all_are_started) {
    for (const bool by_any : {false, true}) {
        begin(by_any);
        limit_each("");
        look_at_all_keys();
        BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "a"), keyed(4, "b")}) == "OK 1");
        BOOST_TEST(got(9) == "1 4 2 3 more 0");
        BOOST_TEST(turns() == "");
        BOOST_TEST(ended({end_of(3, 3), end_of(1, 1), end_of(2, 2), end_of(4, 4)}) == "OK");
        BOOST_TEST(entries() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(the_few_tasks_of_a_key_are_one_field_those_that_run_first) {
    limit_each("2   ");
    look_at_all_keys();
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "a"), keyed(4, "b")}) == "OK 1");
    BOOST_TEST(field("a") == few(0, "\1\2\3"));
    BOOST_TEST(got(9) == "1 4 2 more 0");
    BOOST_TEST(field("a") == few(2, "\1\2\3"));
    BOOST_TEST(field("b") == few(1, "\4"));
    BOOST_TEST(put({keyed(5, "a", 1), keyed(6, "a"), keyed(7, "a", 1)}) == "OK 5");
    BOOST_TEST(ended({end_of(2, 2), end_of(4, 4)}) == "OK");
    BOOST_TEST(server.command({"HEXISTS", key("G"), "b"}).text == "0");
    BOOST_TEST(got(9) == "5 more 0");
    BOOST_TEST(ended({end_of(1, 1), end_of(5, 5)}) == "OK");
    BOOST_TEST(got(9) == "7 3 more 0");
    BOOST_TEST(field("a") == std::string("\2c\0\0\0\0\0\7d\0\0\0\0\0\3d\0\0\0\0\0\6", 22));
    BOOST_TEST(members() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_that_gets_many_tasks_takes_the_other_form_until_it_has_none) {
    std::vector<std::string> many;
    for (std::uint32_t n = 1; n <= 63; ++n) many.push_back(keyed(n, "a"));
    BOOST_TEST(put(many) == "OK 1");
    BOOST_TEST(members() == 0U);
    BOOST_TEST(got(9) == "1 more 0");
    BOOST_TEST(put({keyed(64, "a"), keyed(65, "a", 1), keyed(66, "b")}) == "OK 64");
    BOOST_TEST(members() == 65U);
    BOOST_TEST(entries() == 66U);
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
    BOOST_TEST(got(1) == "66 more 0");
    BOOST_TEST(got(9) == "65 more 0");
    BOOST_TEST(put({keyed(67, "a")}) == "OK 67");
    BOOST_TEST(members() == 65U);
    BOOST_TEST(got(9) == "more 0");
    BOOST_TEST(ended({end_of(65, 65), end_of(66, 66)}) == "OK");
    for (std::uint32_t n = 2; n <= 64; ++n) {
        BOOST_TEST(got(9) == std::to_string(n) + " more 0");
        BOOST_TEST(ended({end_of(n, n)}) == "OK");
    }
    BOOST_TEST(got(9) == "67 more 0");
    BOOST_TEST(ended({end_of(67, 67)}) == "OK");
    BOOST_TEST(put({keyed(68, "a")}) == "OK 68");
    BOOST_TEST(members() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_of_which_many_run_takes_the_other_form) {
    limit_each("50   ");
    look_at_all_keys();
    std::vector<std::string> many;
    for (std::uint32_t n = 1; n <= 20; ++n) many.push_back(keyed(n, "a"));
    BOOST_TEST(put(many) == "OK 1");
    BOOST_TEST(got(16).ends_with(" 16 more 0"));
    BOOST_TEST(got(1) == "SLOW");
    BOOST_TEST(call(scripts::fetch, {"l:0", "a:w"}, fetched(1)).items.at(4).text == "17");
    BOOST_TEST(members() == 20U);
    BOOST_TEST(got(9) == "18 19 20 more 0");
    BOOST_TEST(ended({end_of(1, 1), end_of(18, 18)}) == "OK");
    BOOST_TEST(members() == 18U);
}

BOOST_AUTO_TEST_CASE(scripts_for_tasks_of_any_kind_give_a_key_its_other_form) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "b"), keyed(4, "b")}) == "OK 1");
    BOOST_TEST(got(9) == "1 3 more 0");
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", end_of(1, 1, settlement::kind::release)}) == "OK 0");
    BOOST_TEST(members() == 2U);
    BOOST_TEST(server.command({"HKEYS", key("G")}).items.size() == 1U);
    BOOST_TEST(turns() == "[a]");
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
    BOOST_TEST(put({keyed(5, "a"), keyed(6, "b")}) == "OK 5");
    BOOST_TEST(members() == 3U);
    BOOST_TEST(field("b") == few(1, "\3\4\6"));
    server.command({"HSET", key("c"), "sifted", "0"});
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
    BOOST_TEST(field("b") == few(1, "\3\4\6"));  // it is in its place
}

BOOST_AUTO_TEST_CASE(a_changed_limit_gives_keys_in_their_short_form_a_turn) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "b"), keyed(4, "b"), keyed(5, "b")}) == "OK 1");
    BOOST_TEST(got(9) == "1 3 more 0");
    limit_each("2   ");
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
    BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
    BOOST_TEST(counted("n3") == "4");
    BOOST_TEST(said(scripts::set_key_limit, {}, {"b", "1", "3   ", ""}) == "OK");
    BOOST_TEST(turns().find("[b]") != std::string::npos);
    BOOST_TEST(entries() == 5U);
}

BOOST_AUTO_TEST_CASE(the_limit_of_one_key_counts_at_once_where_it_has_the_short_form) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a")}) == "OK 1");
    BOOST_TEST(got(9) == "1 more 0");
    BOOST_TEST(said(scripts::set_key_limit, {}, {"a", "1", "2   ", ""}) == "OK");
    BOOST_TEST(turns() == "[a]");
    BOOST_TEST(entries() == 2U);
    BOOST_TEST(call(scripts::fetch, {"l:0", "a:w"}, fetched(1)).items.at(4).text == "2");
}

BOOST_AUTO_TEST_CASE(damage_to_a_field_is_left_to_the_scripts_for_tasks_of_any_kind_which_mend_it) {
    for (const std::string text : {"", "x", "\2d", "\1d\1\1\1\1\1\1d"}) {
        BOOST_TEST(put({keyed(1, "b")}).starts_with("OK"));
        server.command({"HSET", key("G"), "a", text});
        server.command({"ZADD", key("R"), "1", "a"});
        BOOST_TEST(put({keyed(1, "a")}) == "SLOW");
        BOOST_TEST(got(9) == "SLOW");
        BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
        BOOST_TEST(server.command({"HEXISTS", key("G"), "a"}).text == "0");
        BOOST_TEST(turns().find("[a]") == std::string::npos);
        server.command({"DEL", key("G"), key("P"), key("R"), key("u")});
    }
}

BOOST_AUTO_TEST_CASE(a_field_that_names_what_does_not_run_is_mended_by_the_look_at_all_keys) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a"), keyed(3, "b"), keyed(4, "b")}) == "OK 1");
    BOOST_TEST(got(9) == "1 3 more 0");
    server.command({"HSET", key("s"), "1", "damaged"});
    BOOST_TEST(ended({end_of(3, 3)}) == "OK");
    BOOST_TEST(got(9) == "4 more 0");
    server.command({"HDEL", key("c"), "sifted"});
    std::string all;
    for (int times = 0; times < 3; ++times) all += said(scripts::fetch, {"l:0", "a:w"}, fetched(9)) + '|';
    BOOST_TEST(counted("n3") == "3");  // the damaged one is still counted
    BOOST_TEST(members() == 1U);
    BOOST_TEST(field("b") == few(1, "\4"));
}

BOOST_AUTO_TEST_CASE(a_key_in_its_short_form_whose_turn_was_lost_gets_it_back) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "b")}) == "OK 1");
    server.command({"DEL", key("R")});
    BOOST_TEST(got(9) == "more 0");
    server.command({"HDEL", key("c"), "sifted"});
    for (int times = 0; times < 2; ++times) BOOST_TEST(said(scripts::fetch, {"l:0", "a:w"}, fetched(9)).starts_with("OK"));
    BOOST_TEST(counted("n3") == "2");
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_sent_again_is_stored_once) {
    const auto args = stored({keyed(1, "a")});
    BOOST_TEST(said(scripts::enqueue_keyed, {}, args) == "NEED tf:{q}:p:me");
    BOOST_TEST(said(scripts::enqueue_keyed, {"p:me"}, args) == "OK 1");
    BOOST_TEST(said(scripts::enqueue_keyed, {"p:me"}, args) == "OK 1");
    BOOST_TEST(counted("n2") == "1");
    BOOST_TEST(entries() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_special_besides_a_key_is_left_to_the_scripts_for_tasks_of_any_kind) {
    auto with_id = plain_task();
    with_id.key = "a";
    with_id.own_id = "mine";
    BOOST_TEST(put({keyed(1, "a"), redis::encode_record(with_id, 2)}) == "SLOW");
    BOOST_TEST(put({keyed(1, "a"), record(2)}) == "SLOW");
    BOOST_TEST(said(scripts::enqueue_keyed, {"p:me"}, stored({keyed(1, "a")}, "x")) == "SLOW");
    BOOST_TEST(entries() == 0U);

    const words both = stored({keyed(1, "a"), redis::encode_record(with_id, 2), keyed(3, "b")});
    BOOST_TEST(said(scripts::enqueue, {"p:me"}, both) == "OK 1");
    BOOST_TEST(got(9) == "1 3 more 0");
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
    BOOST_TEST(got(9) == "SLOW");
    const auto rest = call(scripts::fetch, {"l:0", "a:w"}, fetched(9)).items;
    BOOST_TEST(rest.at(4).text == "2");
    BOOST_TEST(ended({end_of(3, 3), end_of(2, 2)}) == "SLOW");
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", end_of(3, 3), end_of(2, 2)}) == "OK 0 0");
    BOOST_TEST(entries() == 0U);
}

BOOST_AUTO_TEST_CASE(a_task_that_was_tried_before_or_whose_name_is_not_known_ends_what_is_handed_out) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "b", 0, "other"), keyed(3, "c")}) == "OK 1");
    BOOST_TEST(got(9) == "1 more 1");
    BOOST_TEST(turns() == "[b][c]");
    BOOST_TEST(got(9) == "SLOW");
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", end_of(1, 1, settlement::kind::retry)}) == "OK 0");
    BOOST_TEST(got(9, "other") == "2 more 1");
    BOOST_TEST(turns() == "[c][a]");
}

BOOST_AUTO_TEST_CASE(an_attempt_is_ended_by_its_holder_alone) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "b")}) == "OK 1");
    BOOST_TEST(got(9) == "1 2 more 0");
    join("stranger");
    BOOST_TEST(said(scripts::settle_keyed, {}, {"w", end_of(1, 1)}) == "NEED tf:{q}:a:w");
    BOOST_TEST(ended({end_of(1, 1)}, "stranger") == "SLOW");
    BOOST_TEST(ended({end_of(1, 1)}, "nobody") == "SLOW");
    BOOST_TEST(ended({end_of(1, 2)}) == "SLOW");
    BOOST_TEST(ended({end_of(1, 1), end_of(1, 1)}) == "SLOW");
    BOOST_TEST(ended({end_of(1, 1), end_of(2, 2, settlement::kind::fail)}) == "SLOW");
    BOOST_TEST(entries() == 2U);
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
    BOOST_TEST(ended({end_of(1, 1)}) == "SLOW");
    BOOST_TEST(said(scripts::steer, {"a:w"}, {"cancel", "2", "2", "0", ""}).starts_with("OK"));
    BOOST_TEST(ended({end_of(2, 2)}) == "SLOW");
    let_lease_end();
    BOOST_TEST(ended({end_of(2, 2)}) == "DUE");
}

BOOST_AUTO_TEST_CASE(limits_of_other_kinds_are_left_to_the_scripts_for_tasks_of_any_kind) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "b")}) == "OK 1");
    BOOST_TEST(got(1) == "1 more 0");
    const auto all_slow = [&] { return put({keyed(3, "c")}) == "SLOW" && got(9) == "SLOW" && ended({end_of(1, 1)}) == "SLOW"; };
    BOOST_TEST(said(scripts::set_key_limit, {}, {"b", "0", "5   ", ""}) == "OK");
    BOOST_TEST(all_slow());
    BOOST_TEST(said(scripts::set_key_limit, {}, {"b", "0", "", ""}) == "OK");
    limit_each(" 1 1000 1");
    look_at_all_keys();
    BOOST_TEST(all_slow());
    limit_each("1   ");
    BOOST_TEST(got(9) == "SLOW");  // all keys are to be looked at
    look_at_all_keys();
    BOOST_TEST(got(9) == "2 more 0");
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
}

BOOST_AUTO_TEST_CASE(what_waits_besides_is_left_to_the_scripts_for_tasks_of_any_kind) {
    BOOST_TEST(got(9) == "SLOW");  // no task has a key
    BOOST_TEST(put({keyed(1, "a")}) == "OK 1");
    store(2);
    BOOST_TEST(said(scripts::fetch_keyed, {"a:w"}, fetched(9)) == "NEED tf:{q}:l:0");
    BOOST_TEST(got(9) == "SLOW");
    server.command({"DEL", key("l:0")});
    server.command({"HDEL", key("c"), "sifted"});
    BOOST_TEST(got(9) == "SLOW");
    look_at_all_keys();
    for (const std::string name : {"u", "T"}) {
        server.command({"ZADD", key(name), "99999999999999", "foreign"});
        BOOST_TEST(got(9) == "SLOW", name);
        server.command({"DEL", key(name)});
    }
    server.command({"ZADD", key("R"), "1e300", "a"});
    BOOST_TEST(got(9) == "SLOW");
    BOOST_TEST(put({keyed(3, "b")}) == "SLOW");
    server.command({"ZADD", key("R"), "1", "a"});
    const auto passed = std::string("ya\0odd\0", 7) + "100" + '\0' + "00000000000009";
    server.command({"ZADD", key("P"), "0", passed});
    BOOST_TEST(got(9) == "SLOW");
    BOOST_TEST(put({keyed(3, "b")}) == "SLOW");
    server.command({"ZREM", key("P"), passed});
    let_something_fall_due();
    BOOST_TEST(got(9) == "DUE");
    server.command({"DEL", key("d")});
    BOOST_TEST(got(9) == "1 more 0");
}

BOOST_AUTO_TEST_CASE(a_turn_of_a_key_that_has_no_task_or_is_full_is_taken_back) {
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "a")}) == "OK 1");
    BOOST_TEST(got(1) == "1 more 0");
    server.command({"ZADD", key("R"), "1", "a", "2", "nothing"});
    BOOST_TEST(got(9) == "more 0");
    BOOST_TEST(turns() == "");
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
    BOOST_TEST(turns() == "[a]");
}

BOOST_AUTO_TEST_CASE(the_limits_of_a_queue_hold_tasks_that_have_a_key) {
    BOOST_TEST(said(scripts::set_limit, {}, {"limit_declared", "1    2", ""}) == "OK");
    BOOST_TEST(put({keyed(1, "a"), keyed(2, "b")}) == "OK 1");
    BOOST_TEST(put({keyed(3, "c")}) == "SLOW");  // it is full
    BOOST_TEST(got(9) == "1 more 0");
    BOOST_TEST(got(9) == "more 0");
    BOOST_TEST(put({keyed(3, "c")}) == "OK 3");
    BOOST_TEST(ended({end_of(1, 1)}) == "OK");
    BOOST_TEST(got(9) == "2 more 0");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_new_or_has_no_queue_says_so) {
    const words one{"me", "1", run, "", "", keyed(1, "a"), ""};
    server.command({"HSET", key("c"), "run", "another"});
    BOOST_TEST(said(scripts::enqueue_keyed, {"p:me"}, one) == "DUE");
    BOOST_TEST(said(scripts::fetch_keyed, {"l:0", "a:no"}, {"no", "1", "", "1:no", "known", "", "job"}) == "LOST");
    server.command({"FLUSHALL"});
    BOOST_TEST(said(scripts::enqueue_keyed, {"p:me"}, one) == "NEW");
}

// Runs last: the cases above have to have called them.
BOOST_AUTO_TEST_CASE(each_word_that_a_quick_script_knows_has_been_answered_in_a_case) {
    for (const auto* what : {&scripts::enqueue_keyed, &scripts::fetch_keyed, &scripts::settle_keyed}) {
        for (const std::string word : {"OK", "DUE", "LOST", "NEW", "SLOW"}) {
            const bool is_known = what->text.find("{'" + word + "'") != std::string_view::npos;
            BOOST_TEST(answered[what->name].contains(word) == is_known, what->name << " and " << word);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
