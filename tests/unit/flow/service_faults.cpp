#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/lease/renewal_period.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace test::flow;

namespace {

/// An embedded broker whose directory can't be reached as often as the test says.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<void> announce(std::string board, std::string id, std::string text, taskflux::duration lease) override {
        ++announced;
        if (failing > 0) {
            --failing;
            throw taskflux::error(errc::unavailable, "not now");
        }
        co_await memory_broker::announce(std::move(board), std::move(id), std::move(text), lease);
    }

    int announced = 0, failing = 0;
};

inline constexpr taskflux::method<int(int)> echo{"echo", "echo"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(flow_service_faults, fixture)

BOOST_AUTO_TEST_CASE(a_heartbeat_that_has_failed_is_tried_again_after_a_second) {
    const auto faulty = std::make_shared<faulty_broker>(here, taskflux::memory_options(), time);
    taskflux::service serves(faulty, taskflux::service_options().lease(30s));
    serves.on(echo, [](int x) -> asio::awaitable<int> { co_return x; });
    const auto life = start(serves.run());
    constexpr int one = 2;  // itself, and that there are instances of its service
    BOOST_TEST(faulty->announced == one);
    const auto period = taskflux::renewal_period(30s);
    advance(period - 1ms);
    BOOST_TEST(faulty->announced == one);
    faulty->failing = 1;
    advance(1ms);
    BOOST_TEST(faulty->announced == one + 1);
    advance(999ms);
    BOOST_TEST(faulty->announced == one + 1);
    advance(1ms);
    BOOST_TEST(faulty->announced == one + 1 + one);
    advance(period - 1ms);
    BOOST_TEST(faulty->announced == one + 1 + one);
    advance(1ms);
    BOOST_TEST(faulty->announced == one + 1 + one + one);
    serves.stop();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_SUITE_END()
