#include "fixture.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/flow/raw_queue.hpp>

#include <boost/asio/use_future.hpp>

#include <future>
#include <vector>

using namespace test::flow;
using taskflux::raw_queue;

BOOST_AUTO_TEST_SUITE(flow_raw_queue_threads)

BOOST_AUTO_TEST_CASE(receivers_of_one_queue_on_several_threads_get_each_message_once_to_complete) {
    const watchdog dog;
    static constexpr int receivers = 8;
    static constexpr int each = 250;
    asio::thread_pool pool(4);
    const auto broker = taskflux::make_memory_broker(pool.get_executor());
    const raw_queue queue(broker, "q");
    struct local {
        static asio::awaitable<void> send(raw_queue to) {
            for (int i = 0; i < each; ++i) co_await to.send("x");
        }
        static asio::awaitable<int> receive(raw_queue from) {
            int completed = 0;
            while (completed < each) {
                auto got = co_await from.receive();
                if (got->deliveries() == 1 && completed % 3 == 0) continue;  // dropped, and so given back
                if (got->deliveries() == 2 && completed % 3 == 1) {
                    co_await got->release();
                    continue;
                }
                const auto done = co_await got->complete();
                if (done == taskflux::effect::done) ++completed;
            }
            co_return completed;
        }
    };
    std::vector<std::future<int>> all;
    for (int i = 0; i < receivers; ++i) {
        all.push_back(asio::co_spawn(pool, local::receive(queue), asio::use_future));
        asio::co_spawn(pool, local::send(queue), asio::detached);
    }
    for (auto& one : all) BOOST_TEST(one.get() == each);
    const auto counts = asio::co_spawn(pool, broker->counts("q"), asio::use_future).get();
    BOOST_TEST(counts.succeeded == std::size_t(receivers * each));
    BOOST_TEST(counts.waiting + counts.running == 0U);
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()
