#include <taskflux/app/app/signals.hpp>

#include <support/hang_limit.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <semaphore>

BOOST_AUTO_TEST_SUITE(flow_app_signals)

BOOST_AUTO_TEST_CASE(each_signal_is_handled_and_not_the_first_alone) {
    std::counting_semaphore<> heard(0);
    std::atomic<int> which = 0;
    const taskflux::detail::signals listener([&](int number) {
        which = number;
        heard.release();
    });
    for (const int one : {SIGTERM, SIGINT, SIGINT, SIGTERM}) {
        BOOST_REQUIRE(std::raise(one) == 0);
        BOOST_REQUIRE(heard.try_acquire_for(test::hang_limit));
        BOOST_TEST(which == one);
    }
}

BOOST_AUTO_TEST_SUITE_END()
