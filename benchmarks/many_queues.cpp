// What it costs a worker to serve many queues: how long a task takes when nothing else is going on, from submission to its
// awaited result, against a worker on one queue, in turn with it; and what an idle worker costs. Over Redis, where the worker has
// a process of its own, and on the embedded broker.

#include "harness.hpp"
#include "process.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <taskflux/broker/memory.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t many = 2'000;
constexpr int samples = 200;
constexpr int rounds = 5;
constexpr std::chrono::seconds idle_time{30};  // several renewals of the lease, and looks at each queue

std::string name_of(std::size_t queue) { return "queue-" + std::to_string(queue); }

std::vector<std::string> names_of(std::size_t queues) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < queues; ++i) names.push_back(name_of(i));
    return names;
}

asio::awaitable<bool> for_ever() {
    for (;;) co_await bench::pause(std::chrono::hours(1));
}

/// A worker on so many queues.
void play(std::string_view part, std::uint16_t port, std::size_t queues) {
    if (part != "worker") return;
    bench::redis_scene on(port);
    bench::redis_worker worker(on, taskflux::worker_options().queues(names_of(queues)));
    worker.start();
    bench::say_ready();
    on.run(for_ever());
}

asio::awaitable<double> measure(taskflux::client& client, std::string queue) {
    const auto payload = bench::sample(0);
    const auto options = taskflux::submit_options().queue(queue);
    co_await bench::pause(bench::latency_gap);
    const auto begin = bench::now_ns();
    co_await client.run(bench::judge, options, payload);
    co_return double(bench::now_ns() - begin);
}

/// Processor time in microseconds.
struct used_time {
    double worker = 0;
    double server = 0;
};

/// A server, a worker on some of its queues, and a client.
class redis_side {
public:
    explicit redis_side(std::size_t queues)
        : queues_(queues), worker_({"worker", std::to_string(server_.port()), std::to_string(queues)}), on_(server_.port()),
          probe_(server_.port()) {}

    std::size_t queues() const { return queues_; }
    double run(std::string queue) { return on_.run(measure(on_.client(), std::move(queue))); }
    void idle() { std::this_thread::sleep_for(idle_time); }
    used_time used() { return {worker_.cpu_us(), probe_.cpu_us()}; }

private:
    std::size_t queues_;
    bench::redis_server server_;
    bench::process worker_;
    bench::redis_scene on_;
    bench::server_probe probe_;
};

/// The same on the embedded broker, where all is on one thread.
class memory_side {
public:
    explicit memory_side(std::size_t queues)
        : queues_(queues), broker_(taskflux::make_memory_broker(io_.get_executor())),
          worker_(broker_, taskflux::worker_options().queues(names_of(queues))), client_(broker_) {
        worker_.on(bench::judge, bench::handle);
        asio::co_spawn(io_, worker_.run(), bench::rethrow);
    }
    ~memory_side() {
        worker_.stop();
        io_.restart();
        io_.run();
    }

    std::size_t queues() const { return queues_; }
    double run(std::string queue) { return bench::drive(io_, measure(client_, std::move(queue))); }
    void idle() { bench::drive(io_, bench::pause(idle_time)); }
    used_time used() const { return {bench::own_cpu_us(), 0}; }

private:
    std::size_t queues_;
    asio::io_context io_{1};
    taskflux::broker_ptr broker_;
    taskflux::worker worker_;
    taskflux::client client_;
};

/// The times of tasks of queues that are drawn.
template <class Side>
std::vector<double> measure_round(Side& on, std::mt19937& random) {
    std::vector<double> times;
    for (int i = 0; i < samples; ++i) {
        times.push_back(on.run(name_of(std::uniform_int_distribution<std::size_t>(0, on.queues() - 1)(random))));
    }
    return times;
}

template <class Side>
void report_idle(bench::report& report, const std::string& name, Side& on) {
    const auto before = on.used();
    on.idle();
    const auto after = on.used();
    const auto percent = [](double us) { return us / double(std::chrono::microseconds(idle_time).count()) * 100; };
    report.figure(name + "_worker", percent(after.worker - before.worker), "percent_of_a_core");
    if (after.server > 0) report.figure(name + "_server", percent(after.server - before.server), "percent_of_a_core");
}

template <class Side>
void compare(bench::report& report, const std::string& where) {
    Side all(many);
    // The first task of a queue takes longer for its client: what it learns then, it keeps.
    for (std::size_t i = 0; i < many; ++i) all.run(name_of(i));
    Side one(1);  // whose client is not left alone for long, as it is driven only while it is measured
    std::mt19937 random{7};
    std::vector<double> times_of_one, times_of_all, ratios;
    for (int round = 0; round <= rounds; ++round) {
        const auto first = measure_round(one, random), second = measure_round(all, random);
        if (round == 0) continue;  // warms up
        ratios.push_back(bench::median(second) / bench::median(first));
        std::ranges::copy(first, std::back_inserter(times_of_one));
        std::ranges::copy(second, std::back_inserter(times_of_all));
    }
    report.figure(where + "_result_1_queue_p50", bench::median(times_of_one) / 1e3, "us");
    report.figure(where + "_result_2000_queues_p50", bench::median(times_of_all) / 1e3, "us");
    report_idle(report, where + "_idle_1_queue", one);
    report_idle(report, where + "_idle_2000_queues", all);
    report.ratio(where + "_result_2000_queues", where + "_result_1_queue", bench::median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4) return play(argv[1], static_cast<std::uint16_t>(std::stoi(argv[2])), std::stoul(argv[3])), 0;
    bench::report report{"many_queues"};
    std::printf("n = %d rounds of %d tasks, one at a time, with gaps of %d ms; then %d s without a task\n", rounds, samples,
                int(bench::latency_gap.count()), int(idle_time.count()));
    compare<redis_side>(report, "redis");
    compare<memory_side>(report, "memory");
}
