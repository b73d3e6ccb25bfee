#include <taskflux/core/control.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace core_control {

using namespace std::chrono_literals;

template <class Exception>
std::string refusal_of(taskflux::duration delay) {
    try {
        const Exception made(delay);
        BOOST_TEST((made.delay() == delay));
    } catch (const taskflux::error& e) {
        BOOST_TEST((e.code() == taskflux::errc::invalid_argument));
        return e.what();
    }
    return "";
}

}  // namespace core_control

BOOST_AUTO_TEST_SUITE(core_control)

BOOST_AUTO_TEST_CASE(a_throttle_lasts_1_ms_to_24_h) {
    for (const taskflux::duration good : {taskflux::duration(1ms), taskflux::duration(30s), taskflux::duration(24h)}) {
        BOOST_TEST(refusal_of<taskflux::throttled>(good).empty());
    }
    for (const taskflux::duration bad : {taskflux::duration(0), taskflux::duration(-1), taskflux::duration(24h + 1ms)}) {
        BOOST_TEST(refusal_of<taskflux::throttled>(bad) == "throttled: " + std::to_string(bad.count()) +
                                                               " ms is out of range: use 1 ms to 24 h, and pause the queue where it is to "
                                                               "start nothing for longer");
    }
}

BOOST_AUTO_TEST_CASE(a_task_is_tried_again_at_once_or_later_and_not_before_now) {
    BOOST_TEST(refusal_of<taskflux::retry_after>(taskflux::duration(0)).empty());
    BOOST_TEST(refusal_of<taskflux::retry_after>(taskflux::duration(-1)) ==
               "the delay of retry_after must not be negative: use zero or a longer time");
}

BOOST_AUTO_TEST_SUITE_END()
