#include <taskflux/core/time.hpp>

#include <boost/test/unit_test.hpp>

namespace core_time {

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

using taskflux::rounded_up;
using taskflux::shifted;
using std::chrono::sys_time;

static_assert(rounded_up(time_point(5ms)) == time_point(5ms));
static_assert(rounded_up(sys_time<std::chrono::nanoseconds>(5ms + 1ns)) == time_point(6ms));
static_assert(rounded_up(sys_time<std::chrono::nanoseconds>(-5ms - 1ns)) == time_point(-5ms));
static_assert(rounded_up(std::chrono::sys_days(std::chrono::days(2))) == time_point(48h));
static_assert(rounded_up(sys_time<std::chrono::hours>::max()) == never);
static_assert(rounded_up(sys_time<std::chrono::hours>::min()) == (time_point::min)());
static_assert(rounded_up(sys_time<std::chrono::duration<double>>(std::chrono::duration<double>(0.0015))) == time_point(2ms));
static_assert(rounded_up(sys_time<std::chrono::duration<double>>(std::chrono::duration<double>(1e300))) == never);
static_assert(rounded_up(never) == never);

static_assert(shifted(time_point(5s), -2s) == time_point(3s));
static_assert(shifted(time_point(), 2s) == time_point());
static_assert(shifted(never, 2s) == never);
static_assert(shifted(never, -2s) == never);

}  // namespace core_time

BOOST_AUTO_TEST_SUITE(core_time)

BOOST_AUTO_TEST_CASE(a_sum_stops_at_never) {
    for (const auto by : {taskflux::duration(0), taskflux::duration(1), (taskflux::duration::max)()}) {
        BOOST_TEST((later(never, by) == never));
        BOOST_TEST((later(time_point{}, by) == time_point(by)));
    }
}

BOOST_AUTO_TEST_CASE(a_sum_of_times_before_1970_does_not_overflow) {
    BOOST_TEST((later(time_point(-5s), 3s) == time_point(-2s)));
    BOOST_TEST((later(time_point(-5s), (taskflux::duration::max)()) == never));
    BOOST_TEST((later(never - 2ms, 1ms) == never - 1ms));
    BOOST_TEST((later(never - 1ms, 1ms) == never));
}

BOOST_AUTO_TEST_CASE(times_of_coarse_clocks_stop_at_the_ends_of_what_is_kept) {
    using seconds = std::chrono::duration<double>;
    BOOST_TEST((rounded_up(sys_time<std::chrono::hours>::max()) == never));
    BOOST_TEST((rounded_up(sys_time<std::chrono::hours>::min()) == (time_point::min)()));
    BOOST_TEST((rounded_up(sys_time<seconds>(seconds(1e300))) == never));
    BOOST_TEST((rounded_up(sys_time<seconds>(seconds(-1e300))) == (time_point::min)()));
    BOOST_TEST((rounded_up(sys_time<seconds>(seconds(0.0015))) == time_point(2ms)));
    BOOST_TEST((rounded_up(sys_time<std::chrono::nanoseconds>(5ms + 1ns)) == time_point(6ms)));
}

BOOST_AUTO_TEST_CASE(a_time_that_stands_for_none_or_never_is_not_shifted) {
    constexpr auto margin = std::chrono::hours(24 * 366 * 10'000);
    constexpr auto first = (time_point::min)();
    for (const auto when : {time_point(), never, never - margin + 1ms, first, first + margin - 1ms}) {
        BOOST_TEST((shifted(when, 2s) == when));
        BOOST_TEST((shifted(when, -2s) == when));
    }
    for (const auto when : {time_point(1ms), time_point(-1ms), never - margin, first + margin}) {
        BOOST_TEST((shifted(when, 2s) == when + 2s));
        BOOST_TEST((shifted(when, -2s) == when - 2s));
    }
}

BOOST_AUTO_TEST_SUITE_END()
