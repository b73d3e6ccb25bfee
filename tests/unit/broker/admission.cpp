#include <taskflux/broker/memory/admission.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using taskflux::limit;
using taskflux::never;
using taskflux::stated_limit;
using taskflux::time_point;
using taskflux::memory::admission;
using taskflux::memory::obstacle;

BOOST_AUTO_TEST_SUITE(broker_admission)

BOOST_AUTO_TEST_CASE(without_a_limit_as_many_tasks_may_start_as_are_asked_for) {
    const admission gate;
    for (const std::size_t wanted : {0U, 1U, 1000U}) {
        BOOST_TEST(gate.admit(wanted, 7).count == wanted);
        BOOST_TEST((gate.admit(wanted, 7).why_not_more == obstacle::none));
    }
}

BOOST_AUTO_TEST_CASE(a_paused_queue_admits_none_and_says_why) {
    admission gate;
    gate.pause(true);
    BOOST_TEST(gate.is_paused());
    BOOST_TEST(gate.admit(5, 0).count == 0U);
    BOOST_TEST((gate.admit(5, 0).why_not_more == obstacle::paused));
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_resumed_admits_again) {
    admission gate;
    gate.pause(true);
    gate.pause(false);
    BOOST_TEST(!gate.is_paused());
    BOOST_TEST(gate.admit(5, 0).count == 5U);
}

BOOST_AUTO_TEST_CASE(the_narrower_limit_counts_and_is_named) {
    admission gate;
    gate.state(false, stated_limit(limit().running(3).rate(10, 1s, 2), "", {}));
    const std::vector<std::pair<std::size_t, std::size_t>> cases{{0, 2}, {1, 2}, {2, 1}, {3, 0}, {9, 0}};
    for (const auto& [running, room] : cases) {
        const auto given = gate.admit(5, running);
        BOOST_TEST(given.count == room);
        BOOST_TEST((given.why_not_more == (running == 0 ? obstacle::rate : obstacle::running)));
    }
    BOOST_TEST((gate.admit(1, 2).why_not_more == obstacle::none));
}

BOOST_AUTO_TEST_CASE(only_where_a_rate_alone_holds_back_does_time_open_the_gate) {
    admission gate;
    const time_point begin{1h};
    gate.pass(begin);
    BOOST_TEST((gate.opens(0) == never));
    gate.state(false, stated_limit(limit().running(1).rate(10, 1s, 1), "", {}));
    BOOST_TEST((gate.opens(0) == never));
    gate.started(1);
    BOOST_TEST((gate.opens(1) == never));
    BOOST_TEST((gate.opens(0) == begin + 100ms));
    gate.pass(begin + 100ms);
    BOOST_TEST((gate.opens(0) == never));
    gate.pause(true);
    BOOST_TEST((gate.opens(0) == never));
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_changed_goes_on_where_the_other_was) {
    admission gate;
    gate.pass(time_point{1h});
    gate.state(false, stated_limit(limit().rate(1, 10s, 1), "", {}));
    gate.started(1);
    gate.state(true, stated_limit(limit().rate(10, 1s, 5), "", {}));
    BOOST_TEST(gate.admit(9, 0).count == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
