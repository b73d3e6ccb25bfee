#include <taskflux/clock.hpp>
#include <taskflux/log.hpp>

#include "../../support/standard_error.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using taskflux::log_level;
using taskflux::log_line;
using taskflux::log_sink;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

BOOST_AUTO_TEST_SUITE(log)

BOOST_AUTO_TEST_CASE(warnings_and_errors_go_to_standard_error_unless_told_otherwise) {
    const test::standard_error written;
    const log_sink sink;
    sink(log_level::info, "one");
    sink(log_level::warning, "two");
    sink(log_level::error, "three");
    const auto text = written.text();
    BOOST_TEST(!contains(text, "one"));
    BOOST_TEST(contains(text, "Z warning two\n"));
    BOOST_TEST(contains(text, "Z error three\n"));
}

BOOST_AUTO_TEST_CASE(a_sink_of_nothing_is_silent) {
    const test::standard_error written;
    const log_sink sink = nullptr;
    sink(log_level::error, "unheard");
    BOOST_TEST(written.text() == "");
}

BOOST_AUTO_TEST_CASE(a_line_with_its_task_and_fields_is_one_line) {
    const test::standard_error written;
    log_line line;
    line.level = log_level::debug;
    line.text = "a\nb";
    line.fields = {{"key", "two words"}};
    const taskflux::task_id id{"default", {7, 9}};
    log_sink::standard_error(log_level::debug)(line, &id);
    BOOST_TEST(contains(written.text(), "debug a\\nb task=\"" + to_string(id) + "\" key=\"two words\"\n"));
}

BOOST_AUTO_TEST_CASE(a_function_of_the_text_alone_will_do) {
    std::vector<std::string> texts;
    const log_sink sink = [&texts](std::string_view text) { texts.emplace_back(text); };
    sink(log_level::info, "every level");
    sink(log_level::error, "not UTF-8: \xff");
    BOOST_TEST(texts == (std::vector<std::string>{"every level", "not UTF-8: \xef\xbf\xbd"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_function_of_lines_gets_the_level_and_the_task) {
    log_level level{};
    bool is_about_a_task = true;
    const log_sink sink = [&](const log_line& line, const taskflux::task_id* task) {
        level = line.level;
        is_about_a_task = task != nullptr;
    };
    sink(log_level::error, "a text");
    BOOST_TEST((level == log_level::error));
    BOOST_TEST(!is_about_a_task);
}

BOOST_AUTO_TEST_CASE(lines_carry_the_time_of_the_clock_that_the_sink_goes_by) {
    taskflux::manual_clock clock;
    std::vector<taskflux::time_point> times;
    const log_sink sink = [&](const log_line& line, const taskflux::task_id*) { times.push_back(line.at); };
    const auto virtual_one = sink.in_time_of(clock);
    virtual_one(log_level::info, "now");
    clock.advance(std::chrono::hours(1));
    virtual_one(log_level::info, "later");
    sink(log_level::info, "by the system's clock");
    BOOST_REQUIRE(times.size() == 3U);
    BOOST_TEST((times[1] == clock.wall()));
    BOOST_TEST((times[1] - times[0] == std::chrono::hours(1)));
    BOOST_TEST((times[2] != times[1]));
}

BOOST_AUTO_TEST_CASE(what_a_sink_throws_is_ignored) {
    int lines = 0;
    const log_sink sink = [&lines](std::string_view) {
        ++lines;
        throw std::runtime_error("the disk is full");
    };
    sink(log_level::error, "one");
    sink(log_level::error, "two");
    BOOST_TEST(lines == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
