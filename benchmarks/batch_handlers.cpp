// How much faster a worker gets through tasks that do nothing when its handler takes them in batches: with the default
// concurrency, where a batch handler has more tasks in its slots, and with as many tasks at a time for both.

#include "harness.hpp"
#include "redis_server.hpp"
#include "work.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 20'000;
constexpr std::size_t rounds = 7;
constexpr std::size_t batch = 100;
const std::string queue{bench::judge.options().queue()};

std::size_t handled = 0;

asio::awaitable<bench::verdict> one(bench::reading seen) {
    ++handled;
    bench::verdict result;
    result.is_normal = seen.value < 90;
    co_return result;
}

asio::awaitable<std::vector<bench::verdict>> many(std::span<taskflux::batch_item<bench::reading>> items) {
    handled += items.size();
    std::vector<bench::verdict> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) results[i].is_normal = items[i].payload().value < 90;
    co_return results;
}

void in_batches(taskflux::worker& worker) { worker.on_batch(bench::judge, taskflux::batch_options{}.max(batch), many); }
void one_by_one(taskflux::worker& worker) { worker.on(bench::judge, one); }

asio::awaitable<bool> all_ended(taskflux::broker_ptr broker, std::size_t before) {
    while (handled < tasks) co_await bench::pause(std::chrono::milliseconds(1));
    for (;;) {
        const auto counts = co_await broker->counts(queue);
        if (counts.succeeded >= before + tasks) co_return true;
        co_await bench::pause(std::chrono::microseconds(200));
    }
}

asio::awaitable<std::size_t> succeeded(taskflux::broker_ptr broker) {
    const auto counts = co_await broker->counts(queue);
    co_return counts.succeeded;
}

asio::awaitable<bool> ended(const bool& is_running) {
    while (is_running) co_await bench::pause(std::chrono::milliseconds(1));
    co_return true;
}

/// All tasks are waiting before the worker starts.
bench::nanoseconds drain(asio::io_context& io, taskflux::broker_ptr broker, void (*set_up)(taskflux::worker&),
                         taskflux::worker_options options) {
    taskflux::client client{broker};
    bench::drive(io, client.submit_all(bench::judge, bench::samples(tasks)));
    const auto before = bench::drive(io, succeeded(broker));
    taskflux::worker worker{broker, std::move(options)};
    set_up(worker);
    bool is_running = true;
    handled = 0;
    const auto start = std::chrono::steady_clock::now();
    asio::co_spawn(io, worker.run(), [&](std::exception_ptr error) {
        is_running = false;
        bench::rethrow(error);
    });
    bench::drive(io, all_ended(broker, before));
    const bench::nanoseconds took = std::chrono::steady_clock::now() - start;
    worker.stop();
    bench::drive(io, ended(is_running));
    return took / double(tasks);
}

using measured = std::function<bench::nanoseconds(void (*)(taskflux::worker&), taskflux::worker_options)>;

void compare(bench::report& report, const std::string& where, const measured& run) {
    const taskflux::worker_options normal;
    const auto busy = taskflux::worker_options().concurrency(500).prefetch(500);
    const auto equal = taskflux::worker_options().concurrency(5).prefetch(5);  // batches of 100
    const auto times = bench::interleave(rounds, {
                                                     {where + "_single", [&] { return run(one_by_one, normal); }},
                                                     {where + "_batches", [&] { return run(in_batches, normal); }},
                                                     {where + "_single_of_500", [&] { return run(one_by_one, busy); }},
                                                     {where + "_batches_of_500", [&] { return run(in_batches, equal); }},
                                                 });
    for (const auto& each : times) report.figure(each.name, 1e9 / each.median, "tasks/s");
    for (const std::string of : {"", "_of_500"}) {
        report.ratio(where + "_batches" + of, where + "_single" + of, times.ratio(where + "_batches" + of, where + "_single" + of));
    }
}

}  // namespace

int main() {
    bench::report report{"batch_handlers"};
    compare(report, "memory", [](void (*set_up)(taskflux::worker&), taskflux::worker_options options) {
        asio::io_context io{1};
        const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options().max_ended(2'000'000));
        return drain(io, broker, set_up, std::move(options));
    });
    const bench::redis_server server;
    asio::io_context io{1};
    const auto broker = taskflux::make_redis_broker(io.get_executor(), "redis://127.0.0.1:" + std::to_string(server.port()));
    compare(report, "redis", [&](void (*set_up)(taskflux::worker&), taskflux::worker_options options) {
        return drain(io, broker, set_up, std::move(options));
    });
    broker->close();
    io.restart();
    io.run();
}
