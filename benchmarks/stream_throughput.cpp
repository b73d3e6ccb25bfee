// How many values a second a stream brings from a method, from another process over Redis and within one, by window, and
// beside calls that bring one value each.

#include "redis_server.hpp"
#include "rpc_work.hpp"

#include <taskflux/broker/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

namespace asio = boost::asio;

/// How many a second.
asio::awaitable<double> stream_rate(taskflux::rpc& by, std::size_t window, std::int64_t count) {
    const auto options = taskflux::call_options().window(window).timeout(std::chrono::minutes(5));
    const auto begin = bench::now_ns();
    auto values = co_await by.call(bench::ask_many, options, count);
    std::int64_t seen = 0;
    while (auto value = co_await values.next()) ++seen;
    if (seen != count) throw std::runtime_error("a stream of " + std::to_string(seen) + " values");
    co_return double(count) * 1e9 / double(bench::now_ns() - begin);
}

asio::awaitable<double> call_rate(taskflux::rpc& by, std::int64_t count) {
    const auto begin = bench::now_ns();
    for (std::int64_t i = 0; i < count; ++i) {
        const auto payload = bench::sample(i);
        co_await by.call(bench::ask, payload);
    }
    co_return double(count) * 1e9 / double(bench::now_ns() - begin);
}

void measure(bench::report& report, const std::string& where, asio::io_context& io, taskflux::rpc& rpc) {
    for (const std::size_t window : {1, 16, 64, 1024}) {
        std::vector<double> rates;
        for (int round = 0; round < 5; ++round) {
            rates.push_back(bench::drive(io, stream_rate(rpc, window, window == 1 ? 3'000 : 30'000)));
        }
        report.figure(where + "_window_" + std::to_string(window), bench::median(rates), "values/s");
    }
    std::vector<double> rates;
    for (int round = 0; round < 5; ++round) rates.push_back(bench::drive(io, call_rate(rpc, 3'000)));
    report.figure(where + "_calls_one_by_one", bench::median(rates), "calls/s");
}

void measure_within_a_process(bench::report& report) {
    asio::io_context io{1};
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    taskflux::service service(broker);
    bench::serve_all(service);
    asio::co_spawn(io, service.run(), bench::rethrow);
    while (io.poll_one() > 0) {}
    taskflux::rpc rpc(broker);
    measure(report, "within", io, rpc);
    service.stop();
    io.restart();
    io.run_for(std::chrono::seconds(1));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return bench::play_rpc_server(static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"stream_throughput"};
    measure_within_a_process(report);
    const bench::redis_server server;
    const bench::process service({"server", std::to_string(server.port())});
    bench::rpc_scene on(server.port());
    measure(report, "redis", on.io(), on.rpc());
}
