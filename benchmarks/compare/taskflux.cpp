// The candidate taskflux; see ./run.

#include "../redis_work.hpp"

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const std::string_view verb = argv[1];
    const auto port = static_cast<std::uint16_t>(std::stoi(argv[2]));
    const auto tasks = std::stoul(argv[3]);
    if (verb == "enqueue") bench::play_producer(port, tasks, 0);
    if (verb == "work") bench::play_worker(port, tasks);
    if (verb == "latency") {
        bench::redis_scene on(port);
        bench::say_ready();
        bench::await_go();
        for (std::size_t i = 0; i < tasks; ++i) {
            const auto one = on.run(bench::measure_latency(on.client()));
            std::cout << "sample " << one.start << ' ' << one.result << std::endl;
        }
        bench::say_done({});
    }
}
