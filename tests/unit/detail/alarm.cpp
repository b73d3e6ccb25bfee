#include <taskflux/detail/alarm.hpp>

#include "../exec/fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace detail_alarm {

using taskflux::detail::alarm;
using taskflux::detail::event;

/// Keeps what it waits for.
boost::asio::awaitable<void> wait(std::shared_ptr<event> on) { co_await on->wait(); }

struct fixture : test::fixture {
    const std::shared_ptr<event> rings = std::make_shared<event>();
    std::optional<alarm> set;

    void set_for(taskflux::duration from_now) { set.emplace(time, io.get_executor(), rings, time.now() + from_now); }
};

}  // namespace detail_alarm

using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(detail_alarm, fixture)

BOOST_AUTO_TEST_CASE(it_rings_exactly_when_its_time_has_come) {
    set_for(10ms);
    const auto end = start(wait(rings));
    BOOST_TEST((time.next() == time.now() + 10ms));
    advance(9ms);
    BOOST_TEST(!end->done);
    advance(1ms);
    BOOST_TEST(end->done);
    BOOST_TEST(!end->error);
}

BOOST_AUTO_TEST_CASE(one_for_what_is_past_rings_at_once) {
    set_for(-1h);
    BOOST_TEST(start(wait(rings))->done);
}

BOOST_AUTO_TEST_CASE(one_that_is_destroyed_before_never_rings_and_leaves_no_timer) {
    set_for(10ms);
    const auto end = start(wait(rings));
    set.reset();
    BOOST_TEST((time.next() == taskflux::never));
    advance(1h);
    BOOST_TEST(!end->done);
}

BOOST_AUTO_TEST_CASE(one_that_is_destroyed_when_its_time_has_come_does_not_ring_any_more) {
    set_for(10ms);
    time.advance(10ms);
    set.reset();
    settle();
    BOOST_TEST(!start(wait(rings))->done);
}

BOOST_AUTO_TEST_CASE(one_that_rings_after_something_else_has_ended_the_wait_ends_the_next_one) {
    set_for(10ms);
    const auto first = start(wait(rings));
    rings->set();
    advance(10ms);
    BOOST_TEST(first->done);
    BOOST_TEST(start(wait(rings))->done);
}

BOOST_AUTO_TEST_CASE(it_keeps_the_event_until_it_has_rung) {
    auto alone = std::make_shared<event>();
    const std::weak_ptr<event> left = alone;
    set.emplace(time, io.get_executor(), std::move(alone), time.now() + 10ms);
    settle();
    BOOST_TEST(!left.expired());
    advance(10ms);
    BOOST_TEST(left.expired());
}

BOOST_AUTO_TEST_SUITE_END()
