#include <taskflux/detail/sleep.hpp>

#include "../exec/fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace detail_sleep {

using namespace test;
using taskflux::detail::sleep_for;
using taskflux::detail::sleep_until;

asio::awaitable<bool> sleep_through(taskflux::clock& time) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await sleep_for(time, 1h);
    co_return (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
}

}  // namespace detail_sleep

BOOST_FIXTURE_TEST_SUITE(detail_sleep, fixture)

BOOST_AUTO_TEST_CASE(a_point_that_has_passed_is_not_waited_for) {
    BOOST_TEST(start(sleep_until(time, time.now()))->done);
    BOOST_TEST(start(sleep_for(time, -1h))->done);
}

BOOST_AUTO_TEST_CASE(a_sleeper_wakes_exactly_when_its_time_has_come) {
    const auto end = start(sleep_for(time, 10ms));
    BOOST_TEST((time.next() == time.now() + 10ms));
    advance(9ms);
    BOOST_TEST(!end->done);
    advance(1ms);
    BOOST_TEST(end->value.has_value());
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(a_cancelled_sleeper_throws_and_leaves_no_timer) {
    const auto end = start(sleep_for(time, 10ms));
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(a_cancelled_sleeper_that_must_not_throw_returns) {
    const auto end = start(sleep_through(time));
    end->cancel();
    settle();
    BOOST_TEST(end->value.value());
}

BOOST_AUTO_TEST_CASE(the_real_clock_ends_a_sleep_too) {
    const auto end = start(sleep_for(taskflux::real_clock(), 1ms));
    io.restart();
    io.run();
    BOOST_TEST(end->value.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
