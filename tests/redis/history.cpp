#include "damage.hpp"

#include <taskflux/broker/redis/records.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

// Logs as they are stored: damaged, written by other versions, sent again.
namespace {

using namespace taskflux;

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

    task_key key;
    delivery held;
};

using some = std::vector<std::string>;

}  // namespace

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

BOOST_AUTO_TEST_SUITE_END()
