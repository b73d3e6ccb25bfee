// What 100,000 callers cost that wait for results which don't come: processor time and heap, on the embedded broker and on Redis.
// A worker is there, and its queue is paused; over Redis it has a process of its own.

#include "harness.hpp"
#include "process.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <taskflux/broker/memory.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t callers = 100'000;
constexpr std::chrono::seconds settle_time{10};
constexpr std::chrono::seconds idle_time{30};

asio::awaitable<bool> for_ever() {
    for (;;) co_await bench::pause(std::chrono::hours(1));
}

asio::awaitable<bool> set_up(taskflux::broker_ptr broker) {
    co_await broker->pause(bench::queue_name);
    co_return true;
}

using jobs = std::vector<taskflux::job<bench::verdict>>;

asio::awaitable<bool> submit_all(taskflux::client& client, jobs& all) {
    all = co_await client.submit_all(bench::judge, bench::samples(callers));
    co_return true;
}

asio::awaitable<void> wait_for(taskflux::job<bench::verdict> job) { co_await job.result(); }

asio::awaitable<bool> idle(std::chrono::seconds time) { return bench::pause(time); }

/// Has all callers wait. `server_us`: the server's processor time so far.
void measure(bench::report& report, const std::string& where, asio::io_context& io, taskflux::broker_ptr broker,
             std::function<double()> server_us) {
    taskflux::client client(broker);
    jobs all;
    bench::drive(io, set_up(broker));
    bench::drive(io, submit_all(client, all));
    const auto before = bench::heap_in_use();
    for (const auto& job : all) asio::co_spawn(io, wait_for(job), asio::detached);
    bench::drive(io, idle(settle_time));
    report.figure(where + "_caller", double(bench::heap_in_use() - before) / double(callers), "bytes");
    const auto cpu = bench::own_cpu_us(), server = server_us();
    bench::drive(io, idle(idle_time));
    const auto percent = [](double us) { return us / double(std::chrono::microseconds(idle_time).count()) * 100; };
    report.figure(where + "_idle_callers", percent(bench::own_cpu_us() - cpu), "percent_of_a_core");
    if (server > 0) report.figure(where + "_idle_server", percent(server_us() - server), "percent_of_a_core");
    broker->close();
    io.restart();
    io.run();
}

/// A worker of the queue.
void play(std::uint16_t port) {
    bench::redis_scene on(port);
    bench::redis_worker worker(on);
    worker.start();
    bench::say_ready();
    on.run(for_ever());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return play(static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"many_waits"};
    std::printf("n = %zu callers; then %d s without a task\n", callers, int(idle_time.count()));
    {
        asio::io_context io{1};
        const auto broker = taskflux::make_memory_broker(io.get_executor());
        taskflux::worker worker(broker);
        worker.on(bench::judge, bench::stamp);
        asio::co_spawn(io, worker.run(), asio::detached);
        measure(report, "memory", io, broker, [] { return 0.0; });
    }
    bench::redis_server server;
    bench::process worker({"worker", std::to_string(server.port())});
    bench::server_probe probe(server.port());
    asio::io_context io{1};
    measure(report, "redis", io, taskflux::make_redis_broker(io.get_executor(), server.url()), [&] { return probe.cpu_us(); });
}
