// The executor alone: no tasks, no broker, just functions that run with bounded concurrency, retries and
// time limits on however many threads there are.

#include <taskflux/exec/executor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::uint64_t sum_to(std::uint64_t n) {  // a plain function
    std::uint64_t sum = 0;
    for (std::uint64_t i = 1; i <= n; ++i) sum += i;
    return sum;
}

asio::awaitable<int> nap(int result) {  // a coroutine: while it waits, others run
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait();
    co_return result;
}

int flaky() {
    static std::atomic<int> calls = 0;
    if (++calls < 3) throw std::runtime_error("not yet");
    return calls;
}

asio::awaitable<void> work(asio::thread_pool& threads) {
    taskflux::executor pool{threads.get_executor(), taskflux::executor_options().concurrency(20)};

    std::cout << "plain function: " << co_await pool.submit(sum_to, 1000) << '\n';
    std::cout << "coroutine: " << co_await pool.submit(nap, 7) << '\n';
    const auto patient = taskflux::run_options().retry(taskflux::retry_policy::fixed(1ms)).timeout(1s);
    std::cout << "third attempt: " << co_await pool.submit(patient, flaky) << '\n';

    std::vector<int> numbers(100);
    std::iota(numbers.begin(), numbers.end(), 1);
    const std::vector<int> results = co_await pool.submit_all(nap, numbers);
    std::cout << "batch: " << std::accumulate(results.begin(), results.end(), 0) << '\n';

    for (int i = 0; i < 10; ++i) pool.spawn(nap, i);  // nobody waits for each
    co_await pool.drain();                            // but here for all
    const auto counts = pool.counts();
    std::cout << counts.succeeded << " succeeded, " << counts.retried << " retries\n";
}

int main() {
    asio::thread_pool threads(4);
    asio::co_spawn(threads, work(threads), asio::use_future).get();
}
