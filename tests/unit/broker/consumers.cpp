#include <taskflux/broker/memory/consumers.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <new>

BOOST_AUTO_TEST_SUITE(broker_consumers)

namespace {

using namespace taskflux;
using namespace std::chrono_literals;

}  // namespace

BOOST_AUTO_TEST_CASE(a_consumer_that_can_not_be_taken_out_now_is_later_and_those_that_were_are_counted) {
    memory::consumers all;
    const time_point now{1h};
    for (const auto* name : {"a", "b", "c"}) all.join(name, 5s, now);
    all.join("alive", 1h, now);
    int calls = 0;
    const auto fails_once = [&](memory::consumer&) {
        if (++calls == 2) throw std::bad_alloc();
    };
    BOOST_CHECK_THROW(all.bury(now + 5s, fails_once), std::bad_alloc);
    BOOST_TEST(all.size() == 4U - all.gone());
    BOOST_TEST(all.gone() == 1U);
    BOOST_TEST((all.next_lease_end() <= now + 5s));
    all.bury(now + 5s, fails_once);
    BOOST_TEST(all.size() == 1U);
    BOOST_TEST(all.gone() == 3U);
    BOOST_TEST((all.next_lease_end() == now + 1h));
    all.leave("alive", now, fails_once);
    all.leave("nobody", now, fails_once);
    BOOST_TEST(all.gone() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()
