#include <taskflux/flow/workflow/place.hpp>

#include <taskflux/flow/workflow/groups.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace taskflux::detail;

BOOST_AUTO_TEST_SUITE(flow_workflow_place)

// These keys are stored: another version must find them.
BOOST_AUTO_TEST_CASE(each_kind_of_call_has_its_key_in_the_journal) {
    const auto key = [](call_kind kind) { return trace_of(kind).key("7"); };
    const std::string subtask(1, taskflux::journal_letter::subtask), step(1, taskflux::journal_letter::step);
    BOOST_TEST(key(call_kind::subtask) == subtask + "7");
    BOOST_TEST(key(call_kind::subtasks) == subtask + "7.0");
    BOOST_TEST(key(call_kind::map) == step + "~map/7");
    BOOST_TEST(key(call_kind::sleep) == step + "~sleep/7");
    BOOST_TEST(key(call_kind::signal) == step + "~signal/7");
    BOOST_TEST(key(call_kind::any) == step + "~any/7");
    for (const auto& one : call_traces) BOOST_TEST((trace_of(one.kind).kind == one.kind));
    BOOST_TEST(contest_of_step("a") == "~step/a");
}

BOOST_AUTO_TEST_CASE(a_map_may_have_what_is_a_trace_of_several_subtasks) {
    for (const auto& a : call_traces) {
        for (const auto& b : call_traces) {
            const auto is_several = [](call_kind kind) { return kind == call_kind::map || kind == call_kind::subtasks; };
            BOOST_TEST(is_same(a.kind, b.kind) == (a.kind == b.kind || (is_several(a.kind) && is_several(b.kind))));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_name_of_digits_is_a_position) {
    BOOST_TEST((place("0123456789", call_kind::sleep).is_position()));
    for (const auto* const name : {"1.2", "a", "1a", "~1"}) BOOST_TEST(!place::is_position(name), name);
}

BOOST_AUTO_TEST_CASE(entries_are_read_by_the_number_that_they_begin_with) {
    BOOST_TEST(number_in("17 4") == 17U);
    BOOST_TEST(number_in("x") == 0U);
    BOOST_TEST(number_in<std::int64_t>("-5\nname") == -5);
}

BOOST_AUTO_TEST_CASE(payloads_are_told_apart_by_sixteen_digits) {
    BOOST_TEST(digest_of("") == "cbf29ce484222325");  // FNV-1a's offset basis
    BOOST_TEST(digest_of("a") == "af63dc4c8601ec8c");
}

BOOST_AUTO_TEST_CASE(a_winner_is_kept_with_the_names_that_the_others_have_taken) {
    winner won;
    won.index = 12;
    BOOST_TEST(won.text() == "12");
    BOOST_TEST(winner::parse("12").left_out.empty());
    won.left_out = {3, 40, 5};
    BOOST_TEST(won.text() == "12 3 40 5");
    const auto read = winner::parse(won.text());
    BOOST_TEST(read.index == 12U);
    BOOST_TEST(read.left_out == won.left_out, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
