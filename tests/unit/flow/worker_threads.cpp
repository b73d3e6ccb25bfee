#include "fixture.hpp"

#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <future>
#include <ranges>
#include <span>
#include <vector>

using namespace test::flow;

BOOST_AUTO_TEST_SUITE(flow_worker_threads)

BOOST_AUTO_TEST_CASE(ten_thousand_tasks_from_several_clients_on_four_threads) {
    const watchdog dog;
    static constexpr int clients = 4;
    static constexpr int each = 2500;
    asio::thread_pool pool(4);
    const auto broker = taskflux::make_memory_broker(pool.get_executor());
    worker w{broker, worker_options().concurrency(32).prefetch(32).cpu_threads(2)};
    std::atomic<int> ran = 0;
    w.on(twice, [&](context& ctx, int x) -> asio::awaitable<int> {
        ++ran;
        ctx.progress(x);
        co_return 2 * x;
    });
    w.on(note, [&](int) { ++ran; });
    auto life = asio::co_spawn(pool, w.run(), asio::use_future);

    struct local {
        static asio::awaitable<int> submit_and_check(taskflux::client client) {
            const auto jobs = co_await client.submit_all(twice, std::views::iota(0, each / 2));
            const auto plain = co_await client.submit_all(note, std::views::iota(0, each / 2));
            int right = 0;
            for (std::size_t i = 0; i < jobs.size(); ++i) {
                const int result = co_await jobs[i].result();
                right += result == 2 * static_cast<int>(i);
            }
            for (const auto& one : plain) {
                co_await one.result();
                ++right;
            }
            co_return right;
        }
    };
    const taskflux::client client{broker};
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < clients; ++i) {
        threads.emplace_back([&] {
            asio::io_context io;
            auto sum = asio::co_spawn(io, local::submit_and_check(client), asio::use_future);
            io.run();
            right += sum.get();
        });
    }
    for (auto& thread : threads) thread.join();
    BOOST_TEST(right == clients * each);
    BOOST_TEST(ran == clients * each);
    w.stop();
    life.get();
    BOOST_TEST(w.counts().running == 0U);
    pool.join();
}

BOOST_AUTO_TEST_CASE(items_are_cancelled_while_their_batches_linger_begin_and_end) {
    const watchdog dog;
    static constexpr std::size_t items = 2000;
    asio::thread_pool pool(4);
    const auto broker = taskflux::make_memory_broker(pool.get_executor());
    const taskflux::client client{broker};
    worker w{broker, worker_options().concurrency(4).prefetch(4).cpu_threads(2)};
    w.on_batch(note, taskflux::batch_options{}.max(7).linger(1ms), [](std::span<taskflux::batch_item<int>>) { std::this_thread::yield(); });
    w.on_batch(twice, taskflux::batch_options{}.max(7), [](std::span<taskflux::batch_item<int>> all) -> asio::awaitable<std::vector<int>> {
        std::vector<int> results(all.size());
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        co_return results;
    });
    auto life = asio::co_spawn(pool, w.run(), asio::use_future);
    const auto notes = asio::co_spawn(pool, client.submit_all(note, std::vector<int>(items)), asio::use_future).get();
    const auto twices = asio::co_spawn(pool, client.submit_all(twice, std::vector<int>(items)), asio::use_future).get();
    for (std::size_t i = 0; i < items; i += 3) {
        asio::co_spawn(pool, notes[i].cancel(), asio::detached);
        asio::co_spawn(pool, twices[i].cancel(), asio::detached);
    }
    for (const auto& one : notes) asio::co_spawn(pool, one.outcome(), asio::use_future).get();
    for (const auto& one : twices) asio::co_spawn(pool, one.outcome(), asio::use_future).get();
    w.stop();
    life.get();
    const auto counts = asio::co_spawn(pool, broker->counts("default"), asio::use_future).get();
    BOOST_TEST(counts.failed == 0U);
    BOOST_TEST(counts.succeeded + counts.cancelled == 2 * items);
    const auto ended = w.counts();
    BOOST_TEST(ended.running + ended.queued + ended.failed == 0U);
    pool.join();
}

BOOST_AUTO_TEST_CASE(workers_come_and_go_on_several_threads_and_nothing_is_lost) {
    const watchdog dog;
    asio::thread_pool pool(4);
    const auto broker = taskflux::make_memory_broker(pool.get_executor());
    const taskflux::client client{broker};
    std::atomic<int> ran = 0;
    auto jobs = asio::co_spawn(pool, client.submit_all(note, std::vector<int>(2000)), asio::use_future).get();
    for (int round = 0; round < 20; ++round) {
        worker w{broker, worker_options().concurrency(8).prefetch(8).cpu_threads(2)};
        w.on(note, [&](int) { ++ran; });
        auto life = asio::co_spawn(pool, w.run(), asio::use_future);
        const int goal = (std::min)(ran + 50, 2000);  // a fast worker may do more, so that none are left
        while (ran < goal) std::this_thread::yield();
        w.stop();
        if (round % 2 == 0) life.get();
    }
    worker last{broker, worker_options().concurrency(8)};
    last.on(note, [&](int) { ++ran; });
    auto life = asio::co_spawn(pool, last.run(), asio::use_future);
    for (const auto& one : jobs) asio::co_spawn(pool, one.result(), asio::use_future).get();
    const auto counts = asio::co_spawn(pool, broker->counts("default"), asio::use_future).get();
    BOOST_TEST(counts.succeeded == 2000U);
    BOOST_TEST(counts.failed == 0U);
    last.stop();
    life.get();
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()
