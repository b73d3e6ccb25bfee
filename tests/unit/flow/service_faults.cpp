#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/lease/renewal_period.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace test::flow;

namespace flow_service_faults {

/// An embedded broker whose directory can't be reached as often as the test says, and whose messages may get stuck.
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
    bool is_stuck = false;

private:
    void do_post(std::string address, std::string message, taskflux::bounce otherwise, receipt done) override {
        if (!is_stuck) memory_broker::do_post(std::move(address), std::move(message), std::move(otherwise), std::move(done));
    }
};

inline constexpr taskflux::method<int(int)> echo{"echo", "echo"};

}  // namespace flow_service_faults

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

BOOST_AUTO_TEST_CASE(a_service_whose_last_answer_is_stuck_ends_when_its_handler_has_returned) {
    const auto faulty = std::make_shared<faulty_broker>(here, taskflux::memory_options(), time);
    taskflux::service serves(faulty, taskflux::service_options().drain_for(1s));
    gate closed{here};
    serves.on(echo, [&](int x) -> asio::awaitable<int> {
        co_await closed.pass_stubbornly();
        co_return x;
    });
    const auto life = start(serves.run());
    taskflux::rpc caller{faulty};
    const auto call = start(caller.call(echo, 1));
    BOOST_REQUIRE(closed.waiting == 1);
    faulty->is_stuck = true;
    serves.stop();
    settle();
    advance(1s);
    advance(1s);
    BOOST_TEST(!life->done);  // its handler still runs, though all of its time is over
    closed.open();
    settle();
    BOOST_TEST(life->done);
    call->cancel();
    settle();
}

BOOST_AUTO_TEST_SUITE_END()
