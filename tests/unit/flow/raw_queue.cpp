#include "fixture.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/flow/raw_queue.hpp>

#include <boost/asio/steady_timer.hpp>

#include <optional>

using namespace test::flow;
using taskflux::raw_queue;
using taskflux::raw_queue_options;

BOOST_AUTO_TEST_SUITE(flow_raw_queue)

BOOST_AUTO_TEST_CASE(a_receiver_that_is_idle_keeps_no_context_running) {
    asio::io_context io;
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    const raw_queue queue(broker, "q", raw_queue_options().lease(std::chrono::hours(1)));
    struct local {
        static asio::awaitable<int> talk(raw_queue with) {
            co_await with.send("a");
            auto got = co_await with.receive();
            co_await got->complete();
            const auto none = co_await with.receive(std::chrono::milliseconds(0));
            co_return none ? 0 : 1;
        }
    };
    int done = 0;
    asio::co_spawn(io, local::talk(queue), [&](std::exception_ptr, int result) { done = result; });
    io.run_for(test::hang_limit);
    BOOST_TEST(done == 1);
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(a_context_may_end_while_messages_are_held_and_waited_for) {
    bool has_one = false;
    {
        asio::io_context io;
        const auto broker = taskflux::make_memory_broker(io.get_executor());
        const raw_queue queue(broker, "q");
        struct local {
            static asio::awaitable<void> hold(raw_queue from, bool& has_one) {
                co_await from.send("a");
                const auto got = co_await from.receive();
                has_one = got.has_value();
                const auto never_comes = co_await from.receive();
            }
        };
        asio::co_spawn(io, local::hold(queue, has_one), asio::detached);
        io.run_for(std::chrono::milliseconds(1));
        while (!has_one) io.run_one();
    }
    BOOST_TEST(has_one);
}

BOOST_FIXTURE_TEST_CASE(a_renewal_that_fails_is_tried_again_before_the_lease_ends, fixture) {
    struct faulty_broker : taskflux::memory::memory_broker {
        using memory_broker::memory_broker;
        awaitable<taskflux::renewal> renew(std::string consumer, std::vector<std::string> queues, taskflux::duration lease) override {
            if (is_away) throw taskflux::error(errc::unavailable, "not now");
            return memory_broker::renew(std::move(consumer), std::move(queues), lease);
        }
        bool is_away = false;
    };
    const auto faulty = std::make_shared<faulty_broker>(here, taskflux::memory_options(), time);
    const raw_queue queue(faulty, "q", raw_queue_options().lease(30s));
    now(queue.send("a"));
    auto got = now(queue.receive(0ms));
    BOOST_REQUIRE(got.has_value());
    faulty->is_away = true;
    pass(25s, 1s);
    faulty->is_away = false;
    pass(60s, 1s);
    BOOST_TEST(!got->is_lost());
    BOOST_TEST(now(got->complete()) == effect::done);
}

BOOST_AUTO_TEST_SUITE_END()
