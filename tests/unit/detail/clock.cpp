#include <taskflux/clock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

namespace taskflux_clock {

using namespace std::chrono_literals;
using taskflux::manual_clock;
using taskflux::never;
using taskflux::time_point;

/// A timer on a clock of its own, and whether its wait has ended.
struct fixture {
    manual_clock clock{time_point(1h)};
    boost::asio::io_context context;
    boost::asio::steady_timer timer{context};
    int ended = 0;

    void wait(taskflux::duration from_now) {
        clock.arm(timer, clock.now() + from_now);
        timer.async_wait([this](const boost::system::error_code& ec) { ended += !ec; });
        poll();
    }

    void poll() {
        context.restart();
        context.poll();
    }
};

}  // namespace taskflux_clock

BOOST_AUTO_TEST_SUITE(taskflux_clock)

BOOST_AUTO_TEST_CASE(manual_time_stands_until_it_is_moved) {
    manual_clock clock(time_point(5s));
    BOOST_TEST((clock.now() == time_point(5s)));
    clock.advance(1500ms);
    BOOST_TEST((clock.now() == time_point(6500ms)));
    BOOST_TEST((manual_clock().now() > time_point{}));
}

BOOST_AUTO_TEST_CASE(the_wall_clock_can_be_set_and_time_goes_on_as_before) {
    fixture in;
    bool is_over = false;
    in.clock.arm(in.timer, in.clock.now() + 10s);
    in.timer.async_wait([&](const boost::system::error_code&) { is_over = true; });
    in.clock.set_wall(2h);
    in.poll();
    BOOST_TEST(is_over);  // to look at the clock again
    BOOST_TEST((in.clock.now() == time_point(1h)));
    BOOST_TEST((in.clock.wall() == time_point(3h)));
    BOOST_TEST((in.clock.until_wall(time_point(4h)) == time_point(2h)));
    BOOST_TEST((in.clock.until_wall(never) == never));
    in.clock.set_wall(-5h);
    in.clock.advance(1s);
    BOOST_TEST((in.clock.wall() == time_point(1s - 2h)));
    BOOST_TEST((in.clock.look_every() == (taskflux::duration::max)()));
}

BOOST_AUTO_TEST_CASE(real_time_is_that_of_the_wall_clock) {
    const auto& clock = taskflux::real_clock();
    const auto before = std::chrono::floor<taskflux::duration>(std::chrono::system_clock::now());
    const auto shown = clock.wall();
    const auto after = std::chrono::ceil<taskflux::duration>(std::chrono::system_clock::now());
    BOOST_TEST((shown >= before - 101ms));  // unless somebody sets it just now
    BOOST_TEST((shown <= after + 101ms));
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_the_clock_passes_it_and_not_before) {
    fixture in;
    bool is_over = false;
    in.clock.arm(in.timer, in.clock.now() + 10s);
    in.timer.async_wait([&](const boost::system::error_code&) { is_over = true; });
    in.clock.advance(9999ms);
    in.poll();
    BOOST_TEST(!is_over);
    in.clock.advance(1ms);
    in.poll();
    BOOST_TEST(is_over);
}

BOOST_AUTO_TEST_CASE(a_wait_for_what_is_past_ends_at_once) {
    fixture in;
    in.wait(0s);
    BOOST_TEST(in.ended == 1);
    in.wait(-1h);
    BOOST_TEST(in.ended == 2);
}

BOOST_AUTO_TEST_CASE(a_wait_that_starts_after_its_time_has_come_ends_at_once) {
    fixture in;
    in.clock.arm(in.timer, in.clock.now() + 1s);
    in.clock.advance(1s);
    in.timer.async_wait([&](const boost::system::error_code& ec) { in.ended += !ec; });
    in.poll();
    BOOST_TEST(in.ended == 1);
}

BOOST_AUTO_TEST_CASE(next_tells_the_earliest_wait) {
    fixture in;
    boost::asio::steady_timer other(in.context);
    const auto now = in.clock.now();
    BOOST_TEST((in.clock.next() == never));
    in.clock.arm(in.timer, now + 10s);
    in.clock.arm(other, now + 20s);
    BOOST_TEST((in.clock.next() == now + 10s));
    in.clock.arm(in.timer, now + 30s);  // in place of the former
    BOOST_TEST((in.clock.next() == now + 20s));
    in.clock.disarm(other);
    BOOST_TEST((in.clock.next() == now + 30s));
    in.clock.advance(30s);
    BOOST_TEST((in.clock.next() == never));
    in.clock.disarm(in.timer);
}

BOOST_AUTO_TEST_CASE(a_disarmed_timer_is_forgotten) {
    fixture in;
    bool is_over = false;
    in.clock.arm(in.timer, in.clock.now() + 1s);
    in.timer.async_wait([&](const boost::system::error_code&) { is_over = true; });
    in.clock.disarm(in.timer);
    in.clock.advance(1h);
    in.poll();
    BOOST_TEST(!is_over);
}

BOOST_AUTO_TEST_CASE(real_time_never_goes_back) {
    auto& clock = taskflux::real_clock();
    auto last = clock.now();
    BOOST_TEST((last > time_point(24h * 365 * 50)));  // it knows the date, not only the time since boot
    for (int i = 0; i < 10'000; ++i) {
        const auto now = clock.now();
        if (now < last) BOOST_ERROR("went back");
        last = now;
    }
}

BOOST_AUTO_TEST_CASE(real_time_arms_a_timer_for_as_long_as_is_left) {
    taskflux::system_clock clock;
    boost::asio::io_context context;
    boost::asio::steady_timer timer(context);
    const auto left = [&](time_point when) {
        const auto before = std::chrono::steady_clock::now();
        clock.arm(timer, when);
        return timer.expiry() - before;
    };
    BOOST_TEST((left(clock.now() + 1h) > 59min));
    BOOST_TEST((left(clock.now() + 1h) < 61min));
    BOOST_TEST((left(clock.now() - 1h) < 1min));
    BOOST_TEST((left(never) > 24h * 300));  // as long as a timer can be told, not past it
    BOOST_TEST((left(never) < 24h * 400));
    BOOST_TEST((left(time_point{}) < 1min));
    int ended = 0;
    clock.arm(timer, clock.now());
    timer.async_wait([&](const boost::system::error_code& ec) { ended += !ec; });
    context.run();
    BOOST_TEST(ended == 1);
    clock.disarm(timer);
}

BOOST_AUTO_TEST_SUITE_END()
