#include "fixture.hpp"

#include <taskflux/broker/memory.hpp>
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

BOOST_AUTO_TEST_SUITE_END()
