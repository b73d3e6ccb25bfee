#include <taskflux/broker/memory/attendance.hpp>
#include <taskflux/broker/memory/nonces.hpp>
#include <taskflux/broker/memory/unique_keys.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <set>

namespace broker_attendance {

using namespace taskflux;
using namespace std::chrono_literals;

}  // namespace broker_attendance

BOOST_AUTO_TEST_SUITE(broker_attendance)

BOOST_AUTO_TEST_CASE(a_queue_is_deserted_from_when_its_last_consumer_went_until_one_joins) {
    memory::attendance queue;
    BOOST_TEST(!queue.deserted());
    BOOST_TEST(!queue.notes_deserted());
    queue.end(time_point(5s));
    queue.end(time_point(9s));  // it is so already
    BOOST_REQUIRE(queue.deserted());
    BOOST_TEST((queue.deserted()->since == time_point(5s)));
    BOOST_TEST(queue.deserted()->has_left);
    BOOST_TEST(queue.notes_deserted());
    BOOST_TEST(!queue.notes_deserted());  // once
    queue.join();
    BOOST_TEST(!queue.deserted());
    queue.lose();
    queue.end(time_point(7s));
    BOOST_TEST(!queue.deserted()->has_left);
    BOOST_TEST(queue.notes_deserted());  // and again
}

BOOST_AUTO_TEST_CASE(that_nobody_serves_a_queue_is_noted_once_until_one_joins) {
    memory::attendance queue;
    BOOST_TEST(queue.notes_unserved());
    BOOST_TEST(!queue.notes_unserved());
    queue.join();
    BOOST_TEST(queue.notes_unserved());
}

BOOST_AUTO_TEST_CASE(a_unique_key_is_held_until_its_time_and_freed_by_its_holder_alone) {
    memory::unique_keys keys;
    keys.lock("k", 1, time_point(10s));
    BOOST_TEST((keys.holder("k", time_point(10s) - 1ms) == std::uint64_t(1)));
    BOOST_TEST(!keys.holder("k", time_point(10s)));
    BOOST_TEST(!keys.holder("other", time_point(5s)));
    keys.lock("k", 2, never);
    keys.unlock("k", 1);  // which has it no more
    BOOST_TEST((keys.holder("k", time_point(20s)) == std::uint64_t(2)));
    keys.unlock("other", 2);
    keys.unlock("k", 2);
    BOOST_TEST(!keys.holder("k", time_point(20s)));
    keys.lock("", 3, never);
    BOOST_TEST(!keys.holder("", time_point(5s)));
}

BOOST_AUTO_TEST_CASE(nonces_are_those_of_a_life_and_differ_from_number_to_number) {
    const memory::nonces one(1), other(2);
    std::set<std::uint32_t> seen;
    for (std::uint64_t number = 1; number <= 1000; ++number) {
        seen.insert(one.of(number));
        BOOST_TEST(one.of(number) == memory::nonces(1).of(number));
        BOOST_TEST(one.of(number) != other.of(number));
    }
    BOOST_TEST(seen.size() > 998U);
}

BOOST_AUTO_TEST_SUITE_END()
