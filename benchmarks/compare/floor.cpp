// The floor: plain Boost.Redis, a hundred commands a request; see ./run.

#include "../redis_raw.hpp"

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const std::string_view verb = argv[1];
    const auto port = static_cast<std::uint16_t>(std::stoi(argv[2]));
    const auto tasks = std::stoul(argv[3]);
    constexpr std::size_t batch = 100;
    if (verb == "enqueue") bench::play_raw_producer(port, tasks, batch);
    if (verb == "work" && tasks > 0) bench::play_raw_worker(port, tasks, batch);
    if (verb == "work" && tasks == 0) {
        bench::raw_side side(port);
        bench::say_ready();
        bench::await_go();
        side.serve();
    }
    if (verb == "latency") {
        bench::raw_side side(port);
        bench::say_ready();
        bench::await_go();
        for (std::size_t i = 0; i < tasks; ++i) {
            const auto one = side.measure();
            std::cout << "sample " << one.start << ' ' << one.result << std::endl;
        }
        bench::say_done({});
    }
}
