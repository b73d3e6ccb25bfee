#include <conformance/historian.hpp>

#include <taskflux/admin/inspector.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_task_logs)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_log_is_read_line_by_line_with_attempt_and_worker, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    auto held = on.fetch_one();
    on.say(held, {"one", "two"});
    on.settle(on.settled(held, kind::retry));
    on.join("w \"2\"\\");
    held = on.fetch_one("w \"2\"\\");
    on.say(held, {"three"}, "w \"2\"\\");
    auto page = on.read(key, {}, 2);
    BOOST_TEST(on.texts(page) == (std::vector<std::string>{"one", "two"}), boost::test_tools::per_element());
    BOOST_REQUIRE(page.lines[1].from.has_value());
    BOOST_TEST((page.lines[1].from->number == 2U && page.lines[1].from->attempt == 1U && page.lines[1].from->consumer == w));
    page = on.read(key, page.cursor);
    BOOST_TEST(on.texts(page) == std::vector<std::string>{"three"}, boost::test_tools::per_element());
    BOOST_TEST((page.lines[0].from->number == 3U && page.lines[0].from->attempt == 2U));
    BOOST_TEST(page.lines[0].from->consumer == "w \"2\"\\");
    BOOST_TEST((page.missed == 0U && !page.has_ended));
    const auto end = on.read(key, page.cursor);
    BOOST_TEST((end.lines.empty() && end.cursor == page.cursor && end.missed == 0U));
    on.say(held, {"four"}, "w \"2\"\\");
    BOOST_TEST(on.texts(on.read(key, end.cursor)) == std::vector<std::string>{"four"}, boost::test_tools::per_element());
    on.settle(held, kind::complete, "w \"2\"\\");
    BOOST_TEST(on.read(key, end.cursor).has_ended);
    BOOST_TEST(on.record(key).log.size() == 4U);
    BOOST_TEST(on.record(key).log[3].from->number == 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_is_told_how_many_lines_it_has_missed, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    for (int n = 1; n <= 130; n += 10) {
        std::vector<std::string> some;
        for (int i = n; i < n + 10; ++i) some.push_back(std::to_string(i));
        on.say(held, some);
    }
    const auto page = on.read(key, "5", 10);
    BOOST_TEST(page.missed == 26U);  // 5 to 30: the newest 100 are kept
    BOOST_TEST((page.lines.size() == 10U && page.lines.front().text == "31" && page.cursor == "41"));
    BOOST_TEST(on.read(key).missed == 0U);  // it has asked for none of them
    BOOST_TEST(on.read(key, "131").lines.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_log_has_a_bound_in_bytes_and_keeps_its_newest_line, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    for (int n = 0; n < 30; ++n) on.say(held, {std::string(16'000, 'a')});
    const auto kept = on.read(key).lines.size();
    BOOST_TEST((kept > 5U && kept < 17U));  // encrypted ones take more
    on.say(held, {std::string(400'000, 'b')});
    BOOST_REQUIRE(on.read(key).lines.size() == 1U);
    BOOST_TEST(on.read(key).lines[0].from->number == 31U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cursor_that_is_none_is_refused_and_one_of_another_log_begins_anew, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    for (const std::string cursor : {"x", "0", "-1", "1 ", "99999999999999999999"}) {
        log_query query;
        query.cursor = cursor;
        for (const auto& of : {key, task_key{99, 1}}) {
            BOOST_TEST(on.error_of(on.broker().log({q, of}, query)) == errc::invalid_argument, cursor);
        }
    }
    on.say(on.fetch_one(), {"one"});
    BOOST_TEST(on.read(key, "500").lines.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_follower_of_a_log_waits_for_the_next_line, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    on.say(held, {"one"});
    const inspector sees(on.shared());
    auto follows = on.start(sees.log({q, key}, "2", 100, 1min));
    BOOST_TEST(on.still_waiting(follows));
    on.say(held, {"two"});
    on.advance(500ms);
    const auto page = follows.get();
    BOOST_TEST(on.texts(page) == std::vector<std::string>{"two"}, boost::test_tools::per_element());
    auto ends = on.start(sees.log({q, key}, page.cursor, 100, 1min));
    on.settle(held, kind::complete);
    on.advance(500ms);
    BOOST_TEST(ends.get().has_ended);
    auto cancelled = on.start(sees.log({q, on.add()}, {}, 100, 1min));
    cancelled.cancel();
    BOOST_TEST(on.error_of(std::move(cancelled)) == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_log_has_ended_with_its_last_line, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    on.say(held, {"one", "two", "three", "four", "five"});
    on.settle(held, kind::complete);
    auto page = on.read(key, {}, 2);
    BOOST_TEST(!page.has_ended);
    page = on.read(key, page.cursor, 2);
    BOOST_TEST(!page.has_ended);
    page = on.read(key, page.cursor, 2);
    BOOST_TEST((page.has_ended && page.lines.size() == 1U));
    BOOST_TEST(on.read(key, page.cursor, 2).has_ended);
    BOOST_TEST((on.read(key, {}, 5).has_ended && !on.read(key, {}, 0).has_ended));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(where_a_line_is_from_its_broker_says, Backend, backends) {
    historian on(std::make_unique<Backend>());
    const auto key = on.add();
    const auto held = on.fetch_one();
    attempt_report news;
    news.key = key;
    news.token = held.token;
    auto& line = news.log.emplace_back();
    line.text = "copied from another task";
    line.from = log_origin{7'000, 50, "stranger"};
    BOOST_TEST(on.run(on.broker().report(q, w, {news})).at(0) == effect::done);
    on.say(held, {"mine"});
    const auto page = on.read(key);
    BOOST_REQUIRE(page.lines.size() == 2U);
    for (const auto& [number, found] : {std::pair(1U, page.lines[0]), std::pair(2U, page.lines[1])}) {
        BOOST_TEST((found.from->number == number && found.from->attempt == 1U && found.from->consumer == w));
    }
    BOOST_TEST(on.record(key).log[0].from->consumer == w);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
