#include <taskflux/broker/redis/awaited_ends.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace redis_awaited_ends {

using namespace taskflux;
using redis::awaited_ends;

task_id id_of(std::uint64_t sequence) {
    task_id made;
    made.queue = "q";
    made.key.sequence = sequence;
    return made;
}

task_outcome large_outcome() {
    task_outcome made;
    made.state = task_state::succeeded;
    made.result.assign(20 << 20, 'x');
    return made;
}

}  // namespace redis_awaited_ends

BOOST_AUTO_TEST_SUITE(redis_awaited_ends)

BOOST_AUTO_TEST_CASE(an_end_that_is_told_before_its_caller_comes_is_kept_for_it_and_asks_nobody) {
    awaited_ends ends;
    ends.expect(id_of(1));
    ends.deliver(id_of(1), large_outcome());
    awaited_ends::ticket caller(ends, id_of(1));
    BOOST_TEST(ends.take_questions("q", 10).empty());
    BOOST_TEST((caller.look().outcome != nullptr));
}

BOOST_AUTO_TEST_CASE(an_end_that_time_alone_may_bring_is_asked_for_though_it_will_be_told) {
    awaited_ends ends;
    ends.expect(id_of(1), true);
    ends.expect(id_of(2));
    ends.expect(id_of(2), true);  // for one of its two callers, so for both
    ends.expect(id_of(3), true);
    ends.expect(id_of(3));
    ends.expect(id_of(4));
    std::deque<awaited_ends::ticket> callers;
    for (const std::uint64_t sequence : {1U, 2U, 2U, 3U, 3U, 4U}) callers.emplace_back(ends, id_of(sequence));
    std::vector<std::uint64_t> asked;
    for (const auto& key : ends.take_questions("q", 10)) asked.push_back(key.sequence);
    BOOST_TEST(asked == (std::vector<std::uint64_t>{1, 2, 2, 3, 3}), boost::test_tools::per_element());
    for (auto& caller : callers) BOOST_TEST(caller.look().is_told);
}

BOOST_AUTO_TEST_CASE(an_end_that_is_kept_beside_is_nobody_s_until_it_is_expected) {
    awaited_ends ends;
    const awaited_ends::submission under_way(ends);
    task_outcome outcome;
    outcome.state = task_state::succeeded;
    ends.deliver(id_of(1), outcome);
    BOOST_TEST(!ends.take(id_of(1)));
    BOOST_TEST(!ends.take(id_of(2)));
    {
        awaited_ends::ticket other(ends, id_of(1));
        BOOST_TEST(!other.look().is_told);
        BOOST_TEST(ends.take_questions("q", 10).size() == 1U);
    }
    ends.expect(id_of(1));
    BOOST_TEST(ends.take(id_of(1)).has_value());
    ends.expect(id_of(1));
    BOOST_TEST(!ends.take(id_of(1)));  // it is to be told again
}

BOOST_AUTO_TEST_CASE(of_large_ends_the_last_are_kept_and_callers_for_the_others_ask) {
    awaited_ends ends;
    for (const std::uint64_t sequence : {1U, 2U}) {
        ends.expect(id_of(sequence));
        ends.deliver(id_of(sequence), large_outcome());
    }
    awaited_ends::ticket first(ends, id_of(1)), second(ends, id_of(2));
    const auto asked = ends.take_questions("q", 10);
    BOOST_REQUIRE_EQUAL(asked.size(), 1U);
    BOOST_TEST(asked[0].sequence == 1U);
    BOOST_TEST((first.look().outcome == nullptr));
    BOOST_TEST((second.look().outcome != nullptr));
}

BOOST_AUTO_TEST_CASE(an_end_that_was_taken_leaves_its_room_to_others_and_a_single_one_may_have_any_size) {
    awaited_ends ends;
    for (std::uint64_t sequence = 1; sequence < 4; ++sequence) {
        ends.expect(id_of(sequence));
        ends.deliver(id_of(sequence), large_outcome());
        BOOST_TEST(ends.take(id_of(sequence)).has_value());
    }
    auto larger = large_outcome();
    larger.error.assign(20 << 20, 'y');
    ends.expect(id_of(4));
    ends.deliver(id_of(4), larger);
    BOOST_TEST(ends.take(id_of(4)).has_value());
}

BOOST_AUTO_TEST_CASE(each_caller_that_was_expected_gets_the_end) {
    awaited_ends ends;
    task_outcome outcome;
    outcome.attempts = 3;
    for (int caller = 0; caller < 3; ++caller) ends.expect(id_of(1));
    ends.deliver(id_of(1), outcome);
    BOOST_TEST(ends.take(id_of(1))->attempts == 3U);
    for (int caller = 1; caller < 3; ++caller) {
        awaited_ends::ticket one(ends, id_of(1));
        const auto known = one.look();
        BOOST_REQUIRE(known.outcome != nullptr);
        BOOST_TEST(known.outcome->attempts == 3U);
    }
    BOOST_TEST(!ends.take(id_of(1)));
}

BOOST_AUTO_TEST_CASE(an_end_that_others_awaited_is_kept_beside_until_the_last_submission_is_over) {
    awaited_ends ends;
    const auto told_while = [&](int submissions_to_come) {
        std::deque<awaited_ends::submission> under_way;
        under_way.emplace_back(ends);
        if (submissions_to_come > 0) under_way.emplace_back(ends);
        {
            const awaited_ends::ticket other(ends, id_of(1));
            ends.deliver(id_of(1), task_outcome());
        }
        under_way.pop_front();
        ends.expect(id_of(1));
        return ends.take(id_of(1)).has_value();
    };
    BOOST_TEST(told_while(1));
    BOOST_TEST(!told_while(0));
}

BOOST_AUTO_TEST_CASE(when_messages_were_lost_all_are_asked_for_at_once_and_once) {
    awaited_ends ends;
    ends.expect(id_of(1));
    awaited_ends::ticket told(ends, id_of(1));
    BOOST_TEST(ends.take_questions("q", 10).empty());
    BOOST_TEST(!ends.take_hurry("q"));
    ends.expect(id_of(2));
    ends.lost_messages();
    BOOST_TEST(ends.take_hurry("q"));
    BOOST_TEST(!ends.take_hurry("q"));
    awaited_ends::ticket late(ends, id_of(2));  // what it was to be told of may have been lost too
    BOOST_TEST(ends.take_questions("q", 10).size() == 1U);
}

BOOST_AUTO_TEST_CASE(ends_that_nobody_expects_take_no_room_from_those_that_are_expected_though_submissions_overlap_for_ever) {
    awaited_ends ends;
    awaited_ends::submission under_way(ends);
    ends.expect(id_of(1));
    task_outcome outcome;
    outcome.state = task_state::succeeded;
    ends.deliver(id_of(1), outcome);
    for (std::uint64_t sequence = 2; sequence < 5000; ++sequence) {
        const awaited_ends::ticket other(ends, id_of(sequence));  // it may be of the submission, too
        ends.deliver(id_of(sequence), outcome);
    }
    for (std::uint64_t sequence = 5000; sequence < 10000; ++sequence) ends.deliver(id_of(sequence), outcome);
    BOOST_TEST(ends.take(id_of(1)).has_value());
    for (const std::uint64_t sequence : {2U, 9999U}) ends.expect(id_of(sequence));
    BOOST_TEST(!ends.take(id_of(2)));  // of these, the last are kept
    BOOST_TEST(ends.take(id_of(9999)).has_value());
}

BOOST_AUTO_TEST_CASE(an_end_that_came_before_it_was_expected_is_kept_like_any_that_is_expected) {
    awaited_ends ends;
    task_outcome outcome;
    outcome.state = task_state::succeeded;
    ends.deliver(id_of(1), outcome);
    ends.expect(id_of(1));
    for (std::uint64_t sequence = 2; sequence < 5000; ++sequence) ends.deliver(id_of(sequence), outcome);
    BOOST_TEST(ends.take(id_of(1)).has_value());
    BOOST_TEST(!ends.take(id_of(1)));
    for (std::uint64_t sequence = 5000; sequence < 6024; ++sequence) ends.expect(id_of(sequence));
    ends.deliver(id_of(5000), outcome);
    ends.expect(id_of(6024));
    BOOST_TEST(!ends.take(id_of(5000)));  // there were too many
}

BOOST_AUTO_TEST_SUITE_END()
