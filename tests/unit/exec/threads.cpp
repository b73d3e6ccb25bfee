#include <taskflux/exec/executor.hpp>

#include "fixture.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

// Several threads; to be run under ThreadSanitizer. Nothing here depends on how long anything takes.
namespace exec_threads {

using namespace test;
using taskflux::executor;

constexpr int many = 2000;

asio::awaitable<int> numbered(int value) { co_return value; }

// Suspends, so that it is resumed on whichever thread.
asio::awaitable<int> hop(int value) {
    for (int i = 0; i < value % 4; ++i) co_await asio::post(asio::deferred);
    co_return value;
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
    co_await timer.async_wait(asio::deferred);
}

asio::awaitable<int> one_by_one(executor& pool) {
    int sum = 0;
    for (int i = 0; i < many; ++i) sum += co_await pool.submit(hop, i);
    co_return sum;
}

asio::awaitable<void> drained(executor& pool) { co_await pool.drain(); }
asio::awaitable<void> shut(executor& pool) { co_await pool.shutdown(); }

template <class R>
auto on(asio::thread_pool& threads, asio::awaitable<R> coroutine) {
    return asio::co_spawn(threads, std::move(coroutine), asio::use_future);
}

}  // namespace exec_threads

BOOST_AUTO_TEST_SUITE(exec_threads)

BOOST_AUTO_TEST_CASE(results_are_right_when_several_submitters_use_several_threads) {
    asio::thread_pool threads(4);
    executor pool(threads.get_executor(), executor_options().concurrency(5));
    std::vector<std::future<int>> sums;
    for (int i = 0; i < 4; ++i) sums.push_back(on(threads, one_by_one(pool)));
    for (auto& sum : sums) BOOST_TEST(sum.get() == many * (many - 1) / 2);
    on(threads, drained(pool)).get();
    BOOST_TEST(pool.counts().succeeded == 4u * many);
}

BOOST_AUTO_TEST_CASE(results_reach_awaiters_outside_of_the_executor_s_threads) {
    asio::thread_pool threads(2), outside(2);
    executor pool(threads.get_executor());
    auto first = on(outside, one_by_one(pool));
    auto second = on(outside, one_by_one(pool));
    BOOST_TEST(first.get() == second.get());
    outside.join();  // returns when the other pool's threads have left its functions
}

BOOST_AUTO_TEST_CASE(a_batch_is_complete_and_in_order_on_several_threads) {
    asio::thread_pool threads(4);
    executor pool(threads.get_executor(), executor_options().concurrency(8));
    std::vector<int> numbers(many);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto batch = [](executor& p, const std::vector<int>& in) -> asio::awaitable<std::vector<int>> {
        co_return co_await p.submit_all(hop, in);
    };
    BOOST_TEST((on(threads, batch(pool, numbers)).get() == numbers));
}

BOOST_AUTO_TEST_CASE(the_concurrency_holds_on_several_threads) {
    asio::thread_pool threads(4);
    executor pool(threads.get_executor(), executor_options().concurrency(3));
    std::atomic<int> running = 0, most = 0;
    const auto job = [](std::atomic<int>& now, std::atomic<int>& peak) -> asio::awaitable<void> {
        const int mine = ++now;
        for (int seen = peak; seen < mine && !peak.compare_exchange_weak(seen, mine);) {
        }
        co_await asio::post(asio::deferred);
        --now;
    };
    for (int i = 0; i < many; ++i) pool.spawn(job, std::ref(running), std::ref(most));
    on(threads, drained(pool)).get();
    BOOST_TEST(running == 0);
    BOOST_TEST(most <= 3);
}

BOOST_AUTO_TEST_CASE(cancellation_races_with_completion_and_each_job_ends_once) {
    asio::thread_pool threads(4);
    executor pool(threads.get_executor(), executor_options().concurrency(7));
    std::vector<taskflux::handle<int>> handles;
    for (int i = 0; i < many; ++i) handles.push_back(pool.spawn(hop, i));
    for (auto& one : handles) one.cancel();
    on(threads, drained(pool)).get();
    const auto counts = pool.counts();
    BOOST_TEST(counts.succeeded + counts.cancelled == std::size_t(many));
    for (auto& one : handles) BOOST_TEST(one.done());
}

BOOST_AUTO_TEST_CASE(retries_and_timeouts_work_on_several_threads) {
    asio::thread_pool threads(4);
    executor pool(threads.get_executor(),
                  executor_options().concurrency(9).retry(retry_policy::fixed(0ms).attempts(3)).deadline(1h));
    std::atomic<int> calls = 0;
    const auto fail = [](std::atomic<int>& count) -> asio::awaitable<void> {
        ++count;
        co_await asio::post(asio::deferred);
        throw std::runtime_error("again");
    };
    constexpr int jobs = 300;
    for (int i = 0; i < jobs; ++i) pool.spawn(fail, std::ref(calls));
    const auto expire = run_options().timeout(1ms).retry(retry_policy::fixed(1ms).attempts(2));
    for (int i = 0; i < 20; ++i) pool.spawn(expire, forever);
    on(threads, drained(pool)).get();
    BOOST_TEST(calls == 3 * jobs);
    BOOST_TEST(pool.counts().failed == std::size_t(jobs) + 20);
    BOOST_TEST(pool.counts().retried == std::size_t(2 * jobs) + 20);
}

BOOST_AUTO_TEST_CASE(shutdown_races_with_submissions_and_ends) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        asio::thread_pool threads(3);
        executor pool(threads.get_executor(), executor_options().concurrency(4));
        std::vector<std::future<std::size_t>> ends;
        const auto submitter = [](executor& p, unsigned n) -> asio::awaitable<std::size_t> {
            std::size_t refused = 0;
            for (unsigned i = 0; i < n; ++i) {
                try {
                    if (i % 3 == 0) {
                        co_await p.submit(numbered, 1);
                    } else {
                        p.spawn(forever);
                    }
                } catch (const boost::system::system_error&) {
                    ++refused;
                }
            }
            co_return refused;
        };
        for (int i = 0; i < 3; ++i) ends.push_back(on(threads, submitter(pool, 30 + seed)));
        on(threads, shut(pool)).get();
        for (auto& end : ends) end.get();
        const auto counts = pool.counts();
        BOOST_TEST(counts.running + counts.queued + counts.waiting == 0u);
    }
}

BOOST_AUTO_TEST_CASE(an_executor_may_be_destroyed_while_other_threads_run_its_jobs) {
    for (int round = 0; round < 50; ++round) {
        asio::thread_pool threads(3);
        std::atomic<int> ended = 0;
        {
            executor pool(threads.get_executor(), executor_options().concurrency(4));
            for (int i = 0; i < 100; ++i) {
                pool.spawn(hop, i);
                if (i % 10 == 0) pool.spawn(forever);
                if (i % 20 == 0) {
                    asio::co_spawn(
                        threads, pool.spawn(forever).result(), [&ended](std::exception_ptr) { ++ended; });
                }
            }
        }
        threads.join();
        BOOST_TEST(ended == 5);
    }
}

BOOST_AUTO_TEST_CASE(plain_functions_use_the_cpu_executor_s_threads) {
    asio::thread_pool threads(2), cpu(2);
    executor pool(threads.get_executor(), executor_options().cpu(cpu.get_executor()));
    std::vector<int> numbers(many, 3);
    const auto batch = [](executor& p, const std::vector<int>& in) -> asio::awaitable<std::vector<int>> {
        co_return co_await p.submit_all([](int n) { return 2 * n; }, in);
    };
    BOOST_TEST((on(threads, batch(pool, numbers)).get() == std::vector<int>(many, 6)));
}

BOOST_AUTO_TEST_SUITE_END()
