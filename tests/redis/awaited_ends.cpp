#include <taskflux/broker/redis/awaited_ends.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

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

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_awaited_ends)

BOOST_AUTO_TEST_CASE(an_end_that_is_told_before_its_caller_comes_is_kept_for_it_and_asks_nobody) {
    awaited_ends ends;
    ends.expect(id_of(1));
    ends.deliver(id_of(1), large_outcome());
    awaited_ends::ticket caller(ends, id_of(1));
    BOOST_TEST(ends.take_questions("q", 10).empty());
    BOOST_TEST((caller.look().outcome != nullptr));
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

BOOST_AUTO_TEST_SUITE_END()
