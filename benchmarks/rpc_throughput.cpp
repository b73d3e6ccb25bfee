// How many calls a second one process makes of another over Redis, with as many in flight as said.

#include "redis_server.hpp"
#include "rpc_work.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;

struct shared_work {
    std::size_t left;
    std::size_t running;
};

asio::awaitable<void> call_in_turn(taskflux::rpc& by, shared_work& work) {
    while (work.left > 0) {
        --work.left;
        const auto payload = bench::sample(std::int64_t(work.left));
        co_await by.call(bench::ask, payload);
    }
    --work.running;
}

/// How many a second.
double rate(bench::rpc_scene& on, std::size_t in_flight, std::size_t count) {
    shared_work work{count, in_flight};
    const auto begin = bench::now_ns();
    for (std::size_t i = 0; i < in_flight; ++i) asio::co_spawn(on.io(), call_in_turn(on.rpc(), work), bench::rethrow);
    while (work.running > 0) {
        on.io().restart();
        on.io().run_one();
    }
    return double(count) * 1e9 / double(bench::now_ns() - begin);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return bench::play_rpc_server(static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"rpc_throughput"};
    const bench::redis_server server;
    const bench::process service({"server", std::to_string(server.port())});
    bench::rpc_scene on(server.port());
    rate(on, 100, 5'000);  // warms up
    for (const std::size_t in_flight : {1, 10, 100, 1000}) {
        std::vector<double> rates;
        for (int round = 0; round < 5; ++round) rates.push_back(rate(on, in_flight, in_flight == 1 ? 5'000 : 50'000));
        report.figure("calls_" + std::to_string(in_flight) + "_in_flight", bench::median(rates), "calls/s");
    }
}
