#include <taskflux/broker/redis/consumers.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace redis_consumers {

using namespace std::chrono_literals;
using taskflux::redis::consumers;
using taskflux::redis::held_task;

struct with_consumer {
    consumers all;

    with_consumer() { all.joined("w", "q", 30s); }

    /// Whether nobody here knows of what the server says of the task 7.
    bool is_unknown(std::uint32_t token) const { return !all.unknown("w", "q", std::vector<held_task>(1, {7, token})).empty(); }
};

}  // namespace redis_consumers

BOOST_FIXTURE_TEST_SUITE(redis_consumers, with_consumer)

BOOST_AUTO_TEST_CASE(what_is_taken_is_known_until_it_is_settled) {
    BOOST_TEST(is_unknown(1));
    all.took("w", "q", {7, 1});
    BOOST_TEST(!is_unknown(1));
    all.settled("w", "q", {7, 1});
    BOOST_TEST(is_unknown(1));
}

BOOST_AUTO_TEST_CASE(what_is_given_back_and_taken_again_is_known_in_whatever_order_that_is_heard) {
    all.took("w", "q", {7, 1});
    all.took("w", "q", {7, 2});
    all.settled("w", "q", {7, 1});
    BOOST_TEST(!is_unknown(2));
    all.took("w", "q", {7, 1});
    BOOST_TEST(!is_unknown(2));
}

BOOST_AUTO_TEST_CASE(what_is_handed_out_again_without_word_of_it_is_not_known) {
    all.took("w", "q", {7, 1});
    BOOST_TEST(is_unknown(2));
    BOOST_TEST(!is_unknown(1));
}

BOOST_AUTO_TEST_CASE(a_consumer_that_has_gone_from_a_queue_has_joined_the_others_only) {
    consumers known;
    known.joined("w", "a", 1s);
    known.joined("w", "b", 1s);
    known.joined("other", "a", 1s);
    const auto before = known.departures();
    known.gone("w", "a");
    BOOST_TEST(!known.has_joined("w", "a"));
    BOOST_TEST(known.has_joined("w", "b"));
    BOOST_TEST(known.has_joined("other", "a"));
    BOOST_TEST(known.departures() != before);
}

BOOST_AUTO_TEST_CASE(calls_that_fail_are_remembered_until_the_lease_is_there_again) {
    consumers known;
    known.failed("w", "a");
    BOOST_TEST(!known.has_failed("w", "a"));  // it had not joined
    known.joined("w", "a", 3s);
    known.joined("w", "b", 5s);
    known.failed("w", "a");
    BOOST_TEST(known.has_failed("w", "a"));
    BOOST_TEST(!known.has_failed("w", "b"));
    BOOST_TEST((known.recovered("w", "a") == 3s));
    BOOST_TEST(!known.has_failed("w", "a"));
    known.failed("w", "a");
    known.gone("w", "a");
    BOOST_TEST(!known.has_failed("w", "a"));
    BOOST_TEST((known.recovered("w", "a") == 0s));
}

BOOST_AUTO_TEST_CASE(a_consumer_is_uncertain_of_a_queue_from_a_lost_answer_or_message_until_it_is_certain_there) {
    consumers known;
    known.lost_an_answer("w", "a");
    known.joined("w", "a", 1s);
    known.joined("w", "b", 1s);
    known.joined("other", "a", 1s);
    BOOST_TEST(!known.is_uncertain("w", "a"));  // it had not joined
    known.lost_an_answer("w", "a");
    BOOST_TEST(known.is_uncertain("w", "a"));
    BOOST_TEST(!known.is_uncertain("w", "b"));
    BOOST_TEST(!known.is_uncertain("other", "a"));
    known.certain("w", "a");
    BOOST_TEST(!known.is_uncertain("w", "a"));
    known.lost_messages();
    for (const auto* queue : {"a", "b"}) BOOST_TEST(known.is_uncertain("w", queue));
    known.certain("w", "a");
    BOOST_TEST(!known.is_uncertain("w", "a"));
    BOOST_TEST(known.is_uncertain("w", "b"));
    BOOST_TEST(known.is_uncertain("other", "a"));
    BOOST_TEST(!known.is_uncertain("w", "c"));
}

BOOST_AUTO_TEST_CASE(what_is_held_is_known_of_its_holder_in_its_queue_alone) {
    all.took("w", "q", {7, 1});
    all.joined("w", "other", 1s);
    all.joined("v", "q", 1s);
    all.took("v", "nowhere", {8, 1});
    const std::vector<held_task> told{{7, 1}, {8, 1}};
    const auto unknown = all.unknown("w", "q", told);
    BOOST_REQUIRE(unknown.size() == 1U);
    BOOST_TEST(unknown.front().sequence == 8U);
    BOOST_TEST(all.unknown("w", "other", told).size() == 2U);
    BOOST_TEST(all.unknown("v", "q", told).size() == 2U);
    BOOST_TEST(all.unknown("v", "nowhere", told).size() == 2U);
    all.settled("w", "q", {8, 1});
    all.settled("w", "other", {7, 1});
    BOOST_TEST(!is_unknown(1));
}

BOOST_AUTO_TEST_SUITE_END()
