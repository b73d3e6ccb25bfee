// Who is the bottleneck: the processor time that a task takes in this process, client and worker, against what it
// takes in the Redis server, in the same run.

#include "harness.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t tasks = 50'000;
constexpr std::size_t rounds = 5;

struct cost {
    std::vector<double> own, server, ratio;

    void add(double own_us, double server_us) {
        own.push_back(own_us / double(tasks));
        server.push_back(server_us / double(tasks));
        ratio.push_back(own_us / server_us);
    }
};

template <class Function>
void measure(bench::server_probe& probe, cost& to, Function function) {
    const auto server_before = probe.cpu_us();
    const auto before = bench::own_cpu_us();
    function();
    const auto own = bench::own_cpu_us() - before;
    to.add(own, probe.cpu_us() - server_before);
}

}  // namespace

// With the argument `enqueue` it repeats only that, to be watched by a profiler.
int main(int argc, char** argv) {
    const std::string_view only = argc > 1 ? argv[1] : "";
    bench::report report{"client_cost"};
    const bench::redis_server server;
    bench::server_probe probe(server.port());
    bench::redis_scene on(server.port());
    cost enqueue, drain;
    for (std::size_t round = 0; round <= rounds; ++round) {
        cost first;
        measure(probe, round == 0 ? first : enqueue,
                [&] { on.run(on.client().submit_all(bench::judge, bench::samples(tasks))); });
        if (only == "enqueue") continue;
        bench::redis_worker worker(on);
        measure(probe, round == 0 ? first : drain, [&] {
            worker.start();
            on.run(bench::all_ended(on.broker(), tasks));
        });
    }
    const auto tell = [&](const std::string& stage, const cost& of) {
        if (of.own.empty()) return;
        report.figure(stage + "_client", bench::median(of.own), "us/task");
        report.figure(stage + "_server", bench::median(of.server), "us/task");
        report.ratio(stage + "_client", stage + "_server", bench::median(of.ratio));
    };
    tell("enqueue", enqueue);
    tell("drain", drain);
}
