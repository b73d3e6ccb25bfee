#include <taskflux/flow/worker/phase.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(flow_worker_phase)

using taskflux::detail::worker_phase;
using step = worker_phase::step;

BOOST_AUTO_TEST_CASE(a_worker_begins_with_work) {
    const worker_phase phase;
    BOOST_TEST(phase.fetches());
    BOOST_TEST(phase.lets_handlers_end());
    BOOST_TEST(!phase.is_closing());
}

BOOST_AUTO_TEST_CASE(draining_it_fetches_nothing_and_lets_its_handlers_end) {
    worker_phase phase;
    phase.advance(step::draining);
    BOOST_TEST(!phase.fetches());
    BOOST_TEST(phase.lets_handlers_end());
    BOOST_TEST(!phase.is_closing());
}

BOOST_AUTO_TEST_CASE(a_hurry_while_it_drains_takes_the_time_from_its_handlers) {
    worker_phase phase;
    phase.advance(step::draining);
    phase.advance(step::cancelling);
    BOOST_TEST(!phase.fetches());
    BOOST_TEST(!phase.lets_handlers_end());
    BOOST_TEST(!phase.is_closing());
}

BOOST_AUTO_TEST_CASE(it_never_goes_back) {
    for (const auto earlier : {step::working, step::draining, step::cancelling}) {
        worker_phase phase;
        phase.advance(step::closing);
        phase.advance(earlier);
        BOOST_TEST(phase.is_closing());
        BOOST_TEST(!phase.fetches());
        BOOST_TEST(!phase.lets_handlers_end());
    }
}

BOOST_AUTO_TEST_SUITE_END()
