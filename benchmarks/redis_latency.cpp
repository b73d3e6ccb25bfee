// How long a task takes over Redis when nothing else is going on and its worker, in another process, sleeps: from
// submission to the start of its handler, and to its awaited result. Against the raw hand-off (LPUSH in one
// process, BLPOP blocked in another) and the raw round trip (two such hops), in turn with it.

#include "harness.hpp"
#include "process.hpp"
#include "redis_raw.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

constexpr int samples = 300;
constexpr int rounds = 5;

struct times {
    std::vector<double> start;
    std::vector<double> result;

    void add(bench::latency one) {
        start.push_back(double(one.start));
        result.push_back(double(one.result));
    }
};

double percentile(std::vector<double> values, double part) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(part * double(values.size() - 1))];
}

void play(std::string_view part, std::uint16_t port) {
    if (part == "worker") bench::play_worker(port, 0);
    if (part == "raw_worker") {
        bench::raw_side side(port);
        bench::say_ready();
        side.serve();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return play(argv[1], static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"redis_latency"};
    const bench::redis_server server;
    const auto port = std::to_string(server.port());
    const bench::process worker({"worker", port});
    const bench::process raw_worker({"raw_worker", port});
    worker.go();
    bench::redis_scene on(server.port());
    bench::raw_side raw(server.port());
    times ours, floor;
    std::vector<double> start_ratios, result_ratios;
    for (int round = 0; round <= rounds; ++round) {
        times our_round, raw_round;
        for (int i = 0; i < samples; ++i) {
            our_round.add(on.run(bench::measure_latency(on.client())));
            raw_round.add(raw.measure());
        }
        if (round == 0) continue;  // warms up
        start_ratios.push_back(bench::median(our_round.start) / bench::median(raw_round.start));
        result_ratios.push_back(bench::median(our_round.result) / bench::median(raw_round.result));
        std::ranges::copy(our_round.start, std::back_inserter(ours.start));
        std::ranges::copy(our_round.result, std::back_inserter(ours.result));
        std::ranges::copy(raw_round.start, std::back_inserter(floor.start));
        std::ranges::copy(raw_round.result, std::back_inserter(floor.result));
    }
    std::printf("n = %d rounds of %d tasks, one at a time, with gaps of %d ms\n", rounds, samples, int(bench::latency_gap.count()));
    const auto tell = [&](const std::string& what, const std::vector<double>& values) {
        report.figure(what + "_p50", percentile(values, 0.5) / 1e3, "us");
        report.figure(what + "_p99", percentile(values, 0.99) / 1e3, "us");
    };
    tell("submit_to_start", ours.start);
    tell("raw_hand_off", floor.start);
    tell("submit_to_result", ours.result);
    tell("raw_round_trip", floor.result);
    report.ratio("submit_to_start", "raw_hand_off", bench::median(start_ratios));
    report.ratio("submit_to_result", "raw_round_trip", bench::median(result_ratios));
}
