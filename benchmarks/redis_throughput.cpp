// How many typed tasks pass through a Redis server: stored alone, by a worker that finds them waiting, and end to
// end, with the producer and the worker in processes of their own and results kept. Against the raw floor: the
// same bytes, a hundred a request.

#include "harness.hpp"
#include "process.hpp"
#include "redis_raw.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t tasks = 50'000;
constexpr std::size_t rounds = 5;
constexpr std::size_t batch = 100;

void play(std::string_view part, std::uint16_t port) {
    if (part == "producer") bench::play_producer(port, tasks, 0);
    if (part == "producer_in_hundreds") bench::play_producer(port, tasks, batch);
    if (part == "worker") bench::play_worker(port, tasks);
    if (part == "raw_producer") bench::play_raw_producer(port, tasks, batch);
    if (part == "raw_worker") bench::play_raw_worker(port, tasks, batch);
}

class stage {
public:
    bench::nanoseconds enqueue(const std::string& producer) {
        clear();
        return run(producer).length() / double(tasks);
    }

    bench::nanoseconds drain(const std::string& producer, const std::string& worker) {
        clear();
        run(producer);
        return run(worker).length() / double(tasks);
    }

    bench::nanoseconds end_to_end(const std::string& producer, const std::string& worker) {
        clear();
        const bench::process working(words(worker));
        working.go();
        const bench::process producing(words(producer));
        producing.go();
        const auto produced = producing.done();
        const bench::period whole{produced.begin, working.done().end};
        return whole.length() / double(tasks);
    }

private:
    void clear() { probe_.command({"FLUSHALL"}); }

    std::vector<std::string> words(const std::string& part) const { return {part, std::to_string(server_.port())}; }

    bench::period run(const std::string& part) const {
        const bench::process alone(words(part));
        alone.go();
        return alone.done();
    }

    bench::redis_server server_;
    bench::server_probe probe_{server_.port()};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return play(argv[1], static_cast<std::uint16_t>(std::stoi(argv[2]))), 0;
    bench::report report{"redis_throughput"};
    stage on;
    const auto times = bench::interleave(
        rounds, {
                    {"enqueue", [&] { return on.enqueue("producer"); }},
                    {"enqueue_in_hundreds", [&] { return on.enqueue("producer_in_hundreds"); }},
                    {"raw_enqueue", [&] { return on.enqueue("raw_producer"); }},
                    {"drain", [&] { return on.drain("producer", "worker"); }},
                    {"raw_drain", [&] { return on.drain("raw_producer", "raw_worker"); }},
                    {"end_to_end", [&] { return on.end_to_end("producer", "worker"); }},
                    {"raw_end_to_end", [&] { return on.end_to_end("raw_producer", "raw_worker"); }},
                });
    for (const auto& one : times) report.figure(one.name, 1e9 / one.median, "tasks/s");
    for (const std::string question : {"enqueue", "drain", "end_to_end"}) {
        report.ratio(question, "raw_" + question, times.ratio(question, "raw_" + question));
    }
    report.ratio("enqueue_in_hundreds", "raw_enqueue", times.ratio("enqueue_in_hundreds", "raw_enqueue"));
}
