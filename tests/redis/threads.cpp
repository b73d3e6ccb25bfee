#include <support/redis_server.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstddef>
#include <future>
#include <ranges>
#include <thread>
#include <utility>
#include <vector>

// Several threads on one broker; to be run under ThreadSanitizer.
namespace redis_threads {

namespace asio = boost::asio;

inline constexpr taskflux::task<int(int)> twice{"twice"};
constexpr int each = 500;

asio::awaitable<int> doubled(int x) { co_return 2 * x; }

asio::awaitable<int> submit_and_check(taskflux::client client) {
    const auto jobs = co_await client.submit_all(twice, std::views::iota(0, each));
    int right = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const int result = co_await jobs[i].result();
        right += result == 2 * static_cast<int>(i);
    }
    for (int i = 0; i < 20; ++i) {
        const int result = co_await client.run(twice, i);
        right += result == 2 * i;
    }
    co_return right;
}

}  // namespace redis_threads

BOOST_AUTO_TEST_SUITE(redis_threads)

BOOST_AUTO_TEST_CASE(clients_on_several_threads_share_a_broker_and_two_workers) {
    constexpr int clients = 3;
    test::redis_server server;
    asio::thread_pool pool(3);
    const auto broker = taskflux::connect(pool.get_executor(), server.url() + "?timeout=600s");
    taskflux::worker first{broker, taskflux::worker_options().concurrency(16).cpu_threads(2)};
    taskflux::worker second{broker, taskflux::worker_options().concurrency(16)};
    first.on(twice, [](int x) { return 2 * x; });
    second.on(twice, doubled);
    auto first_life = asio::co_spawn(pool, first.run(), asio::use_future);
    auto second_life = asio::co_spawn(pool, second.run(), asio::use_future);
    const taskflux::client client{broker};
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < clients; ++i) {
        threads.emplace_back([&] {
            asio::io_context io;
            auto sum = asio::co_spawn(io, submit_and_check(client), asio::use_future);
            io.run();
            right += sum.get();
        });
    }
    for (auto& thread : threads) thread.join();
    BOOST_TEST(right == clients * (each + 20));
    first.stop();
    second.stop();
    first_life.get();
    second_life.get();
    broker->close();
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()
