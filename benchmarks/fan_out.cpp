// What it costs that tasks are subtasks: a parent that spawns children and ends when the last of them has ended, and one
// that maps over as many, against as many plain tasks from submission to the last end; on the embedded broker and on
// Redis, client and worker on one thread.

#include "harness.hpp"
#include "redis_server.hpp"
#include "work.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace asio = boost::asio;

inline constexpr taskflux::task<void(int)> nothing{"nothing", taskflux::task_options().queue("work")};
inline constexpr taskflux::task<int(int)> spawns{"spawns", taskflux::task_options().queue("work")};
inline constexpr taskflux::task<int(int)> maps{"maps", taskflux::task_options().queue("work")};

inline constexpr taskflux::task<void()> endless{"endless", taskflux::task_options().queue("long")};

asio::awaitable<bool> ended(taskflux::client client) {
    co_await client.run(endless);
    co_return true;
}

struct scene {
    scene(taskflux::broker_ptr of, asio::io_context& on)
        : io(on), broker(std::move(of)), client(broker),
          worker(broker, taskflux::worker_options().concurrency(500).prefetch(500)) {
        worker.on(nothing, [this](int) { return handle(*this); });
        worker.on(spawns, [](taskflux::context& ctx, int count) -> asio::awaitable<int> {
            co_await ctx.spawn(nothing, std::views::iota(0, count));
            co_return count;
        });
        worker.on(maps, [](taskflux::context& ctx, int count) -> asio::awaitable<int> {
            co_await ctx.map(nothing, std::views::iota(0, count), taskflux::window(512));
            co_return count;
        });
        asio::co_spawn(io, worker.run(), bench::rethrow);
    }
    ~scene() {
        worker.stop();
        io.restart();
        io.run_for(std::chrono::seconds(1));
        broker->close();
        io.restart();
        io.run();
    }

    static asio::awaitable<void> handle(scene& self) {
        ++self.handled;
        co_return;
    }

    std::size_t plain(int count) {
        const auto before = handled;
        bench::drive(io, submit(client, count));
        io.restart();
        while (handled - before < std::size_t(count)) io.run_one();
        return std::size_t(count);
    }
    std::size_t parent(const taskflux::task<int(int)>& task, int count) {
        if (bench::drive(io, client.run(task, count)) != count) throw std::logic_error("wrong result");
        return std::size_t(count);
    }

    static asio::awaitable<bool> submit(taskflux::client& to, int count) {
        co_await to.submit_all(nothing, std::views::iota(0, count));
        co_return true;
    }

    asio::io_context& io;
    taskflux::broker_ptr broker;
    taskflux::client client;
    taskflux::worker worker;
    std::size_t handled = 0;
};

/// Heap that each item of a long map leaves behind while it is under way, by how much there is more near its end than
/// after its first tenth.
double heap_per_item(int items) {
    asio::io_context io{1};
    scene on(taskflux::make_memory_broker(io.get_executor()), io);
    std::size_t early = 0, late = 0;
    auto lazy = std::views::iota(0, items) | std::views::transform([&](int i) {
        if (i == items / 10) early = bench::heap_in_use();
        if (i == items - 1000) late = bench::heap_in_use();
        return i;
    });
    taskflux::worker worker(on.broker, taskflux::worker_options().queues({"long"}));
    worker.on(endless, [&lazy](taskflux::context& ctx) -> asio::awaitable<void> {
        const auto forgotten = taskflux::submit_options().retention(std::chrono::milliseconds(0));
        co_await ctx.map(nothing, forgotten, lazy, taskflux::window(256));
    });
    asio::co_spawn(io, worker.run(), bench::rethrow);
    bench::drive(io, ended(on.client));
    worker.stop();
    return (double(late) - double(early)) / (0.9 * items);
}

void measure(bench::report& report, const std::string& where, scene& on, int children, std::size_t rounds) {
    auto times = bench::interleave(rounds, {{"plain", [&] { return on.plain(children); }},
                                            {"spawn", [&] { return on.parent(spawns, children); }},
                                            {"map", [&] { return on.parent(maps, children); }}});
    for (const std::string name : {"plain", "spawn", "map"}) {
        report.figure(where + "_" + name, 1e9 / times[name].median, "children/s");
    }
    report.ratio(where + "_spawn", where + "_plain", 1 / times.ratio("spawn", "plain"));
    report.ratio(where + "_map", where + "_plain", 1 / times.ratio("map", "plain"));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view only = argc > 1 ? argv[1] : "";
    bench::report report{"fan_out"};
    if (only != "redis") {
        asio::io_context io{1};
        scene on(taskflux::make_memory_broker(io.get_executor()), io);
        measure(report, "memory", on, 100'000, 5);
        report.figure("map_of_a_million_heap", heap_per_item(1'000'000), "bytes/item");
    }
    if (only != "memory") {
        const bench::redis_server server;
        asio::io_context io{1};
        scene on(taskflux::make_redis_broker(io.get_executor(), "redis://127.0.0.1:" + std::to_string(server.port())), io);
        measure(report, "redis", on, 10'000, 3);
    }
}
