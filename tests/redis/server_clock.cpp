#include <taskflux/broker/redis/server_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>

namespace redis_server_clock {

using namespace std::chrono_literals;
using namespace taskflux;

}  // namespace redis_server_clock

BOOST_AUTO_TEST_SUITE(redis_server_clock)

BOOST_AUTO_TEST_CASE(it_goes_on_from_what_the_server_has_said_and_waits_by_the_local_clock) {
    manual_clock local;
    redis::server_clock clock(local);
    const auto begin = local.now();
    BOOST_TEST((clock.now() == begin));
    boost::asio::io_context io;
    for (const duration ahead : {1h, -2h}) {
        clock.set(local.now() + ahead);
        BOOST_TEST((clock.now() == local.now() + ahead));
        local.advance(5s);
        BOOST_TEST((clock.now() == local.now() + ahead));
        boost::asio::steady_timer timer(io);
        clock.arm(timer, clock.now() + 10s);
        BOOST_TEST((local.next() == local.now() + 10s));
        clock.disarm(timer);
        BOOST_TEST((local.next() == never));
        clock.arm(timer, never);
        BOOST_TEST((local.next() == never));
        clock.disarm(timer);
    }
    BOOST_TEST(&clock.base() == clock.kept_base().get());
}

BOOST_AUTO_TEST_SUITE_END()
