// How long a call takes between two processes over Redis, one at a time, against the raw round trip (LPUSH in one
// process, BLPOP blocked in the other, and back) in turn with it; and within a process against a plain co_await.

#include "redis_raw.hpp"
#include "redis_server.hpp"
#include "rpc_work.hpp"

#include <taskflux/broker/memory.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr int samples = 300;
constexpr int rounds = 5;

asio::awaitable<double> time_of_call(taskflux::rpc& by) {
    co_await bench::pause(bench::latency_gap);
    const auto payload = bench::sample(0);
    const auto begin = bench::now_ns();
    co_await by.call(bench::ask, payload);
    co_return double(bench::now_ns() - begin);
}

asio::awaitable<std::size_t> call_many(taskflux::rpc& by, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        co_await by.call(bench::ask, payload);
    }
    co_return count;
}

asio::awaitable<std::size_t> await_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        const auto answer = co_await bench::answer(payload);
        bench::keep(answer);
    }
    co_return count;
}

double percentile(std::vector<double> values, double part) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(part * double(values.size() - 1))];
}

void play(std::string_view part, std::uint16_t port) {
    if (part == "server") bench::play_rpc_server(port);
    if (part == "raw_worker") {
        bench::raw_side side(port);
        bench::say_ready();
        side.serve();
    }
}

void over_redis(bench::report& report) {
    const bench::redis_server server;
    const auto port = std::to_string(server.port());
    const bench::process service({"server", port});
    const bench::process raw_worker({"raw_worker", port});
    bench::rpc_scene on(server.port());
    bench::raw_side raw(server.port());
    std::vector<double> calls, floor, ratios;
    for (int round = 0; round <= rounds; ++round) {
        std::vector<double> ours, theirs;
        for (int i = 0; i < samples; ++i) {
            ours.push_back(on.run(time_of_call(on.rpc())));
            theirs.push_back(double(raw.measure().result));
        }
        if (round == 0) continue;  // warms up
        ratios.push_back(bench::median(ours) / bench::median(theirs));
        std::ranges::copy(ours, std::back_inserter(calls));
        std::ranges::copy(theirs, std::back_inserter(floor));
    }
    report.figure("call_p50", percentile(calls, 0.5) / 1e3, "us");
    report.figure("call_p99", percentile(calls, 0.99) / 1e3, "us");
    report.figure("raw_round_trip_p50", percentile(floor, 0.5) / 1e3, "us");
    report.figure("raw_round_trip_p99", percentile(floor, 0.99) / 1e3, "us");
    report.ratio("call", "raw_round_trip", bench::median(ratios));
}

void within_a_process(bench::report& report) {
    asio::io_context io{1};
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    taskflux::service service(broker);
    service.on(bench::ask, bench::answer);
    asio::co_spawn(io, service.run(), bench::rethrow);
    io.poll();
    taskflux::rpc caller(broker);
    constexpr std::size_t count = 10'000;
    auto times = bench::interleave(5, {{"memory_call", [&] { return bench::drive(io, call_many(caller, count)); }},
                                       {"plain_co_await", [&] { return bench::drive(io, await_many(count)); }}});
    report.ratio("memory_call", "plain_co_await", times.ratio("memory_call", "plain_co_await"));
    service.stop();
    io.restart();
    io.run();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return play(argv[1], static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"rpc_latency"};
    over_redis(report);
    within_a_process(report);
}
