// How many typed tasks pass through the embedded broker on one thread, from submission to the awaited
// result: one by one, many at a time, and in batches; whether a backlog makes them dearer; and what a waiting
// task weighs.

#include "harness.hpp"
#include "memory_work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 20'000;
constexpr std::size_t rounds = 11;

// Each waits for the one before.
asio::awaitable<std::size_t> one_by_one(taskflux::client& client) {
    for (std::size_t i = 0; i < tasks / 10; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        const auto result = co_await client.run(bench::judge, payload);
        if (!result.is_normal) throw std::logic_error("wrong result");
    }
    co_return tasks / 10;
}

asio::awaitable<std::size_t> single(taskflux::client& client) {
    std::vector<taskflux::job<bench::verdict>> jobs;
    jobs.reserve(tasks);
    for (std::size_t i = 0; i < tasks; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        auto job = co_await client.submit(bench::judge, payload);
        jobs.push_back(std::move(job));
    }
    for (const auto& job : jobs) {
        const auto result = co_await job.result();
        if (!result.is_normal) throw std::logic_error("wrong result");
    }
    co_return tasks;
}

asio::awaitable<std::size_t> batched(taskflux::client& client, std::size_t count) {
    const auto jobs = co_await client.submit_all(bench::judge, bench::samples(count));
    for (const auto& job : jobs) {
        const auto result = co_await job.result();
        if (!result.is_normal) throw std::logic_error("wrong result");
    }
    co_return count;
}

struct backlog {
    bench::nanoseconds per_task{};
    double bytes = 0;
};

// All are waiting before the worker starts.
backlog drain(std::size_t count) {
    bench::scene on(64);
    const auto before = bench::heap_in_use();
    const auto start = std::chrono::steady_clock::now();
    auto jobs = on.run(on.client().submit_all(bench::judge, bench::samples(count)));
    const auto submitted = std::chrono::steady_clock::now();
    const auto last = jobs.back();
    jobs = {};
    const auto weight = double(bench::heap_in_use() - before) / double(count);
    const auto drained = std::chrono::steady_clock::now();
    on.start_worker();
    on.run(last.result());
    const auto end = std::chrono::steady_clock::now();
    return {bench::nanoseconds((submitted - start) + (end - drained)) / double(count), weight};
}

}  // namespace

int main() {
    bench::report report{"memory_throughput"};
    {
        bench::scene on(64);
        on.start_worker();
        const auto times = bench::interleave(rounds, {
                                                         {"one_by_one", [&] { return on.run(one_by_one(on.client())); }},
                                                         {"single", [&] { return on.run(single(on.client())); }},
                                                         {"batched", [&] { return on.run(batched(on.client(), tasks)); }},
                                                     });
        for (const auto& one : times) report.figure(one.name, 1e9 / one.median, "tasks/s");
    }
    {
        double bytes = 0;
        const auto of = [&](std::size_t count) {
            return [&bytes, count] {
                const auto result = drain(count);
                bytes = result.bytes;
                return result.per_task;
            };
        };
        const auto times = bench::interleave(5, {{"backlog_1k", of(1'000)},
                                                 {"backlog_100k", of(100'000)},
                                                 {"backlog_1M", of(1'000'000)}});
        report.figure("backlog_1M", times["backlog_1M"].median, "ns/task");
        drain(100'000);
        of(1'000'000)();
        report.figure("waiting_task", bytes, "bytes");
        report.ratio("backlog_1M", "backlog_1k", times.ratio("backlog_1M", "backlog_1k"));
    }
}
