#include <taskflux/broker/redis/consumers.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using taskflux::redis::consumers;

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_consumers)

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

BOOST_AUTO_TEST_SUITE_END()
