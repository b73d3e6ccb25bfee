#include <taskflux/broker/memory/admission.hpp>

#include <boost/test/unit_test.hpp>

using taskflux::memory::admission;
using taskflux::memory::obstacle;

BOOST_AUTO_TEST_SUITE(broker_admission)

BOOST_AUTO_TEST_CASE(without_a_limit_as_many_tasks_may_start_as_are_asked_for) {
    const admission gate;
    for (const std::size_t wanted : {0U, 1U, 1000U}) {
        BOOST_TEST(gate.admit(wanted).count == wanted);
        BOOST_TEST((gate.admit(wanted).why_not_more == obstacle::none));
    }
}

BOOST_AUTO_TEST_CASE(a_paused_queue_admits_none_and_says_why) {
    admission gate;
    gate.pause(true);
    BOOST_TEST(gate.is_paused());
    BOOST_TEST(gate.admit(5).count == 0U);
    BOOST_TEST((gate.admit(5).why_not_more == obstacle::paused));
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_resumed_admits_again) {
    admission gate;
    gate.pause(true);
    gate.pause(false);
    BOOST_TEST(!gate.is_paused());
    BOOST_TEST(gate.admit(5).count == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
