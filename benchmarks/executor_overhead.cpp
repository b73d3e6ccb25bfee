// What a no-op task costs through the executor, against a raw detached co_spawn, a raw post and a bare
// co_await of the same run; and whether a second thread slows it down.

#include "harness.hpp"

#include <taskflux/exec/executor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <cstddef>
#include <exception>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 10'000;
constexpr std::size_t rounds = 31;

asio::awaitable<void> noop() {
    co_return;
}
asio::awaitable<int> numbered(int value) {
    co_return value;
}

void rethrow(std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
}

asio::awaitable<std::size_t> bare() {
    for (std::size_t i = 0; i < tasks; ++i) co_await noop();
    co_return tasks;
}

// All spawned before the first one runs, as through the executor.
asio::awaitable<std::size_t> raw_co_spawn(asio::any_io_executor ex) {
    for (std::size_t i = 0; i < tasks; ++i) asio::co_spawn(ex, noop(), asio::detached);
    co_return tasks;
}

asio::awaitable<std::size_t> raw_post(asio::any_io_executor ex) {
    for (std::size_t i = 0; i < tasks; ++i) asio::post(ex, [] {});
    co_return tasks;
}

asio::awaitable<std::size_t> spawned(taskflux::executor& pool) {
    for (std::size_t i = 0; i < tasks; ++i) pool.spawn(noop);
    co_await pool.drain();
    co_return tasks;
}

asio::awaitable<std::size_t> submitted(taskflux::executor& pool) {
    for (std::size_t i = 0; i < tasks; ++i) co_await pool.submit(noop);
    co_return tasks;
}

asio::awaitable<std::size_t> batched(taskflux::executor& pool, const std::vector<int>& numbers) {
    const auto results = co_await pool.submit_all(numbered, numbers);
    co_return results.size();
}

// Runs a coroutine, and all that it started, on this thread.
template <class Coroutine>
std::size_t on_this_thread(asio::io_context& io, Coroutine coroutine) {
    std::size_t done = 0;
    asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr error, std::size_t n) {
        rethrow(error);
        done = n;
    });
    io.run();
    io.restart();
    return done;
}

template <class Coroutine>
std::size_t on_threads(asio::thread_pool& threads, Coroutine coroutine) {
    return asio::co_spawn(threads, std::move(coroutine), asio::use_future).get();
}

}  // namespace

int main() {
    bench::report report{"executor_overhead"};
    const std::vector<int> numbers(tasks, 1);

    asio::io_context io;
    asio::thread_pool one(1), two(2);
    const auto options = taskflux::executor_options().concurrency(20);
    taskflux::executor pool(io.get_executor(), options);
    taskflux::executor pool_1(one.get_executor(), options);
    taskflux::executor pool_2(two.get_executor(), options);

    const auto times = bench::interleave(
        rounds, {
                    {"co_await", [&] { return on_this_thread(io, bare()); }},
                    {"post", [&] { return on_this_thread(io, raw_post(io.get_executor())); }},
                    {"co_spawn",
                     [&] {
                         for (std::size_t i = 0; i < tasks; ++i) asio::co_spawn(io, noop(), asio::detached);
                         io.run();
                         io.restart();
                         return tasks;
                     }},
                    {"co_spawn_inside", [&] { return on_this_thread(io, raw_co_spawn(io.get_executor())); }},
                    {"spawn", [&] { return on_this_thread(io, spawned(pool)); }},
                    {"submit", [&] { return on_this_thread(io, submitted(pool)); }},
                    {"submit_all", [&] { return on_this_thread(io, batched(pool, numbers)); }},
                    {"spawn_1_thread", [&] { return on_threads(one, spawned(pool_1)); }},
                    {"spawn_2_threads", [&] { return on_threads(two, spawned(pool_2)); }},
                    {"submit_all_1_thread", [&] { return on_threads(one, batched(pool_1, numbers)); }},
                    {"submit_all_2_threads", [&] { return on_threads(two, batched(pool_2, numbers)); }},
                });

    for (const auto& measured : times) report.figure("executor_" + measured.name, measured.median, "ns");
    report.ratio("executor_spawn", "co_spawn", times.ratio("spawn", "co_spawn"));
    report.ratio("executor_submit", "co_spawn", times.ratio("submit", "co_spawn"));
    report.ratio("executor_submit_all", "co_spawn", times.ratio("submit_all", "co_spawn"));
    report.ratio("executor_spawn", "co_spawn_inside", times.ratio("spawn", "co_spawn_inside"));
    report.ratio("executor_submit", "co_spawn_inside", times.ratio("submit", "co_spawn_inside"));
    report.ratio("executor_spawn_2_threads", "1_thread", times.ratio("spawn_2_threads", "spawn_1_thread"));
    report.ratio("executor_submit_all_2_threads", "1_thread",
                 times.ratio("submit_all_2_threads", "submit_all_1_thread"));
}
