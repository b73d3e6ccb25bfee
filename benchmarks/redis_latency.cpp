// How long a task takes over Redis when nothing else is going on and its worker, in another process, sleeps: from
// submission to the start of its handler, and to its awaited result. Against the raw hand-off (LPUSH in one
// process, BLPOP blocked in another) and the raw round trip (two such hops), in turn with it.

#include "harness.hpp"
#include "process.hpp"
#include "redis_raw.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr int samples = 300;
constexpr int rounds = 5;
constexpr std::chrono::milliseconds gap{4};

struct times {
    std::vector<double> start;
    std::vector<double> result;
};

double percentile(std::vector<double> values, double part) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(part * double(values.size() - 1))];
}

asio::awaitable<bool> measure(taskflux::client& client, times& out) {
    const auto payload = bench::sample(0);
    co_await bench::pause(gap);
    const auto begin = bench::now_ns();
    const auto result = co_await client.run(bench::judge, payload);
    out.result.push_back(double(bench::now_ns() - begin));
    out.start.push_back(double(result.at - begin));
    co_return true;
}

asio::awaitable<std::string> pop(bench::raw_scene& on, const char* list) {
    boost::redis::request request;
    request.push("BLPOP", list, 0);
    boost::redis::generic_flat_response answer;
    co_await on.send(request, answer);
    const auto found = bench::raw_payloads(answer);  // the list's name, and what was in it
    co_return found.at(1);
}

asio::awaitable<bool> push(bench::raw_scene& on, const char* list, std::string text) {
    boost::redis::request request;
    request.push("LPUSH", list, text);
    co_await on.send(request);
    co_return true;
}

/// Has two connections: who blocks on one can't send on it.
class raw_side {
public:
    explicit raw_side(std::uint16_t port) : sends_(port), waits_(port) {}

    void serve() {
        for (;;) {
            waits_.run(pop(waits_, "raw:there"));
            sends_.run(push(sends_, "raw:back", std::to_string(bench::now_ns())));
        }
    }

    void measure(times& out) {
        sends_.run(bench::pause(gap));
        const auto begin = bench::now_ns();
        sends_.run(push(sends_, "raw:there", taskflux::encode(bench::sample(0))));
        const auto stamp = waits_.run(pop(waits_, "raw:back"));
        out.result.push_back(double(bench::now_ns() - begin));
        out.start.push_back(double(std::stoll(stamp) - begin));
    }

private:
    bench::raw_scene sends_;
    bench::raw_scene waits_;
};

void play(std::string_view part, std::uint16_t port) {
    if (part == "worker") bench::play_worker(port, 0);
    if (part == "raw_worker") {
        raw_side side(port);
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
    raw_side raw(server.port());
    times ours, floor;
    std::vector<double> start_ratios, result_ratios;
    for (int round = 0; round <= rounds; ++round) {
        times our_round, raw_round;
        for (int i = 0; i < samples; ++i) {
            on.run(measure(on.client(), our_round));
            raw.measure(raw_round);
        }
        if (round == 0) continue;  // warms up
        start_ratios.push_back(bench::median(our_round.start) / bench::median(raw_round.start));
        result_ratios.push_back(bench::median(our_round.result) / bench::median(raw_round.result));
        std::ranges::copy(our_round.start, std::back_inserter(ours.start));
        std::ranges::copy(our_round.result, std::back_inserter(ours.result));
        std::ranges::copy(raw_round.start, std::back_inserter(floor.start));
        std::ranges::copy(raw_round.result, std::back_inserter(floor.result));
    }
    std::printf("n = %d rounds of %d tasks, one at a time, with gaps of %d ms\n", rounds, samples, int(gap.count()));
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
