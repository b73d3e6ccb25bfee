#include <taskflux/core/time.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using namespace std::chrono_literals;
using taskflux::later;
using taskflux::never;
using taskflux::time_point;

static_assert(later(time_point(5s), 3s) == time_point(8s));
static_assert(later(time_point(5s), 0s) == time_point(5s));
static_assert(later(time_point(5s), (taskflux::duration::max)()) == never);
static_assert(later(never, 0s) == never);
static_assert(later(never, 1ms) == never);
static_assert(later(never - 1ms, 1ms) == never);
static_assert(later(never - 2ms, 1ms) == never - 1ms);
static_assert(later(time_point(-5s), 3s) == time_point(-2s));
static_assert(later(time_point(-5s), (taskflux::duration::max)()) == never);

}  // namespace

BOOST_AUTO_TEST_SUITE(core_time)

BOOST_AUTO_TEST_CASE(a_sum_stops_at_never) {
    for (const auto by : {taskflux::duration(0), taskflux::duration(1), (taskflux::duration::max)()}) {
        BOOST_TEST((later(never, by) == never));
        BOOST_TEST((later(time_point{}, by) == time_point(by)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
