#include "damage.hpp"
#include "scripts.hpp"

#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/history.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Attempts and logs as they are stored: damaged, written by other versions, sent again.
namespace redis_history {

using namespace taskflux;
using redis::put;
using redis::put_text;

struct history_fixture : test::damage_fixture {
    history_fixture() {
        add(1);
        held = fetch(1).at(0);
        key = held.key;
    }

    effect report(const std::vector<log_line>& lines) {
        attempt_report news;
        news.key = key;
        news.token = held.token;
        news.log = lines;
        return run(broker->report("q", "w", {news})).at(0);
    }
    static log_line line(const std::string& text) {
        log_line made;
        made.text = text;
        return made;
    }
    log_page log(const std::string& cursor = {}) {
        log_query query;
        query.cursor = cursor;
        return run(broker->log({"q", key}, query));
    }
    static std::vector<std::string> texts(const log_page& page) {
        std::vector<std::string> found;
        for (const auto& one : page.lines) found.push_back(one.text);
        return found;
    }
    void store_log(const std::string& text) { server.command({"HSET", "tf:{q}:g", field(key.sequence) + "l", text}); }
    std::string stored_log() { return server.command({"HGET", "tf:{q}:g", field(key.sequence) + "l"}).text; }

    /// Ends the attempt, and begins the next.
    void end_attempt(settlement::kind how = settlement::kind::retry) {
        settlement end;
        end.key = key;
        end.token = held.token;
        end.how = how;
        BOOST_TEST((run(broker->settle("q", "w", {end})).at(0) == effect::done));
        held = fetch(1).at(0);
    }
    attempt_list attempts() { return run(broker->attempts({"q", key})); }
    void store_attempts(const std::string& text) { server.command({"HSET", "tf:{q}:A", field(key.sequence), text}); }
    std::string stored_attempts() { return server.command({"HGET", "tf:{q}:A", field(key.sequence)}).text; }

    static std::string entry(std::uint32_t token, attempt_outcome outcome = attempt_outcome::retried) {
        std::string made;
        put(made, token);  // the number of the attempt
        put(made, token);
        put(made, static_cast<std::uint8_t>(outcome));
        put(made, 1000.0 + token);
        put(made, 2000.0 + token);
        put(made, std::uint16_t(1));
        put(made, std::uint32_t(0));
        return made + 'v';
    }
    static std::string list(const std::vector<std::string>& entries, std::uint32_t left_out = 0) {
        std::string made;
        put(made, static_cast<std::uint32_t>(entries.size()));
        put(made, left_out);
        for (const auto& one : entries) put_text(made, one);
        return made;
    }

    task_key key;
    delivery held;
};

using some = std::vector<std::string>;

}  // namespace redis_history

BOOST_FIXTURE_TEST_SUITE(redis_history, history_fixture)

BOOST_AUTO_TEST_CASE(a_report_that_is_sent_again_adds_its_lines_once) {
    const std::vector<log_line> one{line("one")}, more{line("two"), line("three")};
    for (int times = 0; times != 2; ++times) BOOST_TEST((report(one) == effect::done));
    for (int times = 0; times != 2; ++times) BOOST_TEST((report(more) == effect::done));
    BOOST_TEST(texts(log()) == some({"one", "two", "three"}), boost::test_tools::per_element());
    BOOST_TEST((report({line("two")}) == effect::done));
    BOOST_TEST((report({line("four"), line("two")}) == effect::done));  // its last line alone was there
    BOOST_TEST(texts(log("4")) == some({"two", "four", "two"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_report_whose_first_lines_are_dropped_at_once_adds_its_lines_once) {
    std::vector<log_line> lines;
    for (char letter = 'a'; letter <= 't'; ++letter) lines.push_back(line(std::string(15'000, letter)));
    BOOST_TEST((report(lines) == effect::done));
    const auto before = stored_log();
    BOOST_TEST((log().lines.size() < 20U && log().lines.size() > 10U));
    BOOST_TEST((report(lines) == effect::done));
    BOOST_TEST((stored_log() == before));
    BOOST_TEST(log().cursor == "21");
    BOOST_TEST((report({line("next")}) == effect::done));
    BOOST_TEST((log("21").missed == 0U && log("21").lines.at(0).from->number == 21U));
}

BOOST_AUTO_TEST_CASE(the_same_lines_in_a_log_that_is_too_short_for_them_are_new) {
    BOOST_TEST((report({line("b")}) == effect::done));
    BOOST_TEST((report({line("a"), line("b")}) == effect::done));
    BOOST_TEST(texts(log()) == some({"b", "a", "b"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lines_of_older_versions_are_numbered_by_their_places) {
    store_log(redis::lines_of({line("old"), line("older worker")}) + '\n');
    auto page = log();
    BOOST_TEST(texts(page) == some({"old", "older worker"}), boost::test_tools::per_element());
    BOOST_TEST((page.lines[1].from->number == 2U && page.lines[1].from->attempt == 0U && page.lines[1].from->consumer.empty()));
    BOOST_TEST((report({line("new")}) == effect::done));
    page = log(page.cursor);
    BOOST_TEST((page.lines.at(0).text == "new" && page.lines[0].from->number == 3U && page.lines[0].from->attempt == 1U));
    store_log(stored_log() + redis::lines_of({line("beside it")}) + '\n');
    page = log(page.cursor);
    BOOST_TEST((page.lines.at(0).text == "beside it" && page.lines[0].from->number == 4U && page.missed == 0U));
    store_log(redis::lines_of({line("numbered ones are out")}) + '\n');  // their numbers begin anew
    page = log(page.cursor);
    BOOST_TEST((page.lines.at(0).from->number == 1U && page.missed == 0U));
}

BOOST_AUTO_TEST_CASE(a_damaged_line_of_a_log_is_left_out) {
    BOOST_TEST((report({line("one"), line("two"), line("three")}) == effect::done));
    auto text = stored_log();
    const auto at = text.find(R"("text":"two")");
    BOOST_REQUIRE(at != std::string::npos);
    text.replace(at, 6, "!!!!!!");
    store_log(text);
    const auto page = log();
    BOOST_TEST(texts(page) == some({"one", "three"}), boost::test_tools::per_element());
    BOOST_TEST((page.lines[1].from->number == 3U && page.cursor == "4"));
    BOOST_TEST(run(broker->get({"q", key}))->log.size() == 2U);
    BOOST_TEST(run(broker->list({})).tasks.at(0).log.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_number_of_a_line_that_is_too_large_is_damage_and_no_cursor_is_refused_that_was_given) {
    const auto numbered = [](const std::string& number) {
        return R"({"from":{"number":)" + number + R"(,"attempt":1,"consumer":"w"},"at":0,"level":"info","text":"x","fields":{}})" "\n";
    };
    store_log(numbered("5000000000000"));
    BOOST_TEST(log().cursor == "2");
    store_log(numbered("999999999999"));
    BOOST_TEST((report({line("y")}) == effect::done));
    const auto page = log();
    BOOST_TEST(page.cursor == "1000000000001");
    BOOST_TEST(log(page.cursor).lines.empty());
}

BOOST_AUTO_TEST_CASE(of_damaged_attempts_those_before_the_damage_are_told_and_kept) {
    end_attempt();
    end_attempt();
    const auto whole = stored_attempts();
    store_attempts(whole.substr(0, whole.size() - 9));
    BOOST_TEST((attempts().attempts.size() == 2U && attempts().attempts[1].outcome == attempt_outcome::running));
    end_attempt();
    BOOST_REQUIRE(attempts().attempts.size() == 3U);
    BOOST_TEST((attempts().attempts[0].token == 1U && attempts().attempts[1].token == 3U));
    for (const std::string& damaged : {std::string("tiny"), std::string(60, '\xff'), std::string()}) {
        store_attempts(damaged);
        BOOST_TEST(attempts().attempts.size() == 1U);
        end_attempt();
        BOOST_TEST(attempts().attempts.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(of_more_attempts_than_this_version_keeps_the_newest_stay) {
    for (int n = 0; n != 32; ++n) end_attempt();
    std::vector<std::string> entries;
    for (std::uint32_t token = 1; token != 32U; ++token) entries.push_back(entry(token));
    store_attempts(list(entries, 4));
    end_attempt();
    const auto known = attempts();
    BOOST_TEST(known.left_out == 16U);  // 4, and of the 32 all but 20
    BOOST_REQUIRE(known.attempts.size() == 21U);
    BOOST_TEST((known.attempts[0].token == 13U && known.attempts[18].token == 31U && known.attempts[19].token == 33U));
    BOOST_TEST(known.attempts[0].consumer == "v");
}

BOOST_AUTO_TEST_CASE(of_very_many_attempts_only_the_last_are_looked_at) {
    std::vector<std::string> entries;
    for (std::uint32_t token = 1; token <= 160; ++token) {
        entries.push_back(entry(token, token <= 100 ? attempt_outcome::retried : attempt_outcome::suspended));
    }
    for (int n = 0; n != 160; ++n) end_attempt();
    store_attempts(list(entries));
    end_attempt();
    const auto known = attempts();
    BOOST_REQUIRE(known.attempts.size() == 21U);
    BOOST_TEST((known.attempts[0].token > 100U && known.attempts[19].token == 161U && known.left_out == 141U));
}

BOOST_AUTO_TEST_CASE(an_attempt_whose_end_only_a_newer_version_knows_is_left_out_and_not_made_up) {
    store_attempts(list({entry(1, static_cast<attempt_outcome>(99))}));
    BOOST_TEST((run(broker->cancel("q", {key})).at(0) == effect::requested));
    settlement end;
    end.key = key;
    end.token = held.token;
    end.how = settlement::kind::cancel;
    BOOST_TEST((run(broker->settle("q", "w", {end})).at(0) == effect::done));
    BOOST_TEST((attempts().attempts.empty() && attempts().left_out == 1U));
}

BOOST_AUTO_TEST_CASE(attempts_go_with_their_task) {
    end_attempt();
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:A"}) == "1");
    BOOST_TEST((run(broker->cancel("q", {key})).at(0) == effect::requested));
    settlement end;
    end.key = key;
    end.token = held.token;
    end.how = settlement::kind::cancel;
    run(broker->settle("q", "w", {end}));
    BOOST_TEST((run(broker->remove("q", {key})).at(0) == effect::done));
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:A"}) == "0");
}

BOOST_AUTO_TEST_CASE(progress_and_log_go_with_tasks_that_are_not_kept_also_where_they_came_together) {
    auto brief = test::plain_task();
    auto spec = std::make_shared<task_spec>(*brief.spec);
    spec->policy.retention = duration::zero();
    brief.spec = std::move(spec);
    run(broker->submit("q", std::vector<new_task>(5, brief)));
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:b"}) == "1");
    std::vector<settlement> ends;
    for (const auto& one : fetch(5)) {
        key = one.key;
        held = one;
        BOOST_TEST((report({line("one")}) == effect::done));
        settlement end;
        end.key = one.key;
        end.token = one.token;
        ends.push_back(end);
    }
    BOOST_TEST(ends.size() == 5U);
    run(broker->settle("q", "w", ends));
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:b", "tf:{q}:g"}) == "0");
}

BOOST_AUTO_TEST_CASE(attempts_go_with_a_task_that_is_not_kept) {
    auto brief = test::plain_task();
    auto spec = std::make_shared<task_spec>(*brief.spec);
    spec->policy.retention = duration::zero();
    brief.spec = std::move(spec);
    key = run(broker->submit("q", {brief})).at(0).key;
    held = fetch(1).at(0);
    end_attempt();
    BOOST_TEST(server.command({"HLEN", "tf:{q}:A"}) == "1");
    settlement end;
    end.key = key;
    end.token = held.token;
    run(broker->settle("q", "w", {end}));
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:A"}) == "0");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(redis_history_scripts, test::scripts_fixture)

using namespace redis_history;

namespace scripts = taskflux::redis::scripts;

BOOST_AUTO_TEST_CASE(attempts_that_an_older_version_has_left_behind_are_dropped_some_at_a_time) {
    store(7);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::settle, {"a:w", "l:0"}, {"w", test::end_of(1, 7, settlement::kind::release)}) == "OK 0");
    for (int n = 100; n != 150; ++n) server.command({"HSET", key("A"), std::to_string(n), "left"});
    server.command({"HSET", key("A"), "mine", "foreign"});
    for (int times = 0; times != 100 && server.command({"HLEN", key("A")}).text != "2"; ++times) maintain();
    BOOST_TEST(server.command({"HLEN", key("A")}) == "2");
    BOOST_TEST(server.command({"HEXISTS", key("A"), "1"}) == "1");
    BOOST_TEST(server.command({"HEXISTS", key("A"), "mine"}) == "1");
}

BOOST_AUTO_TEST_CASE(a_delivery_that_no_worker_got_is_no_attempt) {
    store(7);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::reclaim, {"a:w", "l:0"}, {"w", "1", "1"}) == "OK");
    BOOST_TEST(server.command({"EXISTS", key("A")}) == "0");
    BOOST_TEST(server.command({"HGET", key("c"), "n2"}) == "1");
}

BOOST_AUTO_TEST_CASE(a_history_is_read_without_the_result) {
    store(7);
    join();
    call(scripts::fetch_plain, {"l:0", "a:w"}, fetched(1));
    BOOST_TEST(said(scripts::settle, {"a:w"}, {"w", test::end_of(1, 7)}) == "OK 0");
    const auto answer = call(scripts::history, {}, {"1", "7"});
    BOOST_REQUIRE(answer.items.size() == 3U);
    const auto status = redis::read_status(answer.items[1].text);
    BOOST_TEST((status.state == task_state::succeeded && status.result.empty() && status.holder == "w"));
    BOOST_TEST(said(scripts::history, {}, {"1", "8"}) == "OK");
    BOOST_TEST(said(scripts::log, {}, {"1", "8", "1", "9"}) == "OK");
    let_lease_end();
    BOOST_TEST(said(scripts::history, {}, {"1", "7"}) == "DUE");
    BOOST_TEST(said(scripts::log, {}, {"1", "7", "1", "9"}) == "DUE");
}

BOOST_AUTO_TEST_SUITE_END()
