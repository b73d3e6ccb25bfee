// What it costs a worker to serve many queues over Redis: how long a task takes when nothing else is going on, from submission
// to its awaited result, against a worker on one queue, in turn with it; and what an idle worker costs, with its server. The
// worker has a process of its own.

#include "harness.hpp"
#include "process.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

asio::awaitable<bool> for_ever() {
    for (;;) co_await bench::pause(std::chrono::hours(1));
}

/// A worker on so many queues.
void play(std::string_view part, std::uint16_t port, std::size_t queues) {
    if (part != "worker") return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < queues; ++i) names.push_back(name_of(i));
    bench::redis_scene on(port);
    bench::redis_worker worker(on, taskflux::worker_options().queues(std::move(names)));
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

/// A server, a worker on some of its queues, and a client.
class side {
public:
    explicit side(std::size_t queues)
        : queues_(queues), worker_({"worker", std::to_string(server_.port()), std::to_string(queues)}), on_(server_.port()),
          probe_(server_.port()) {}

    /// The first task of a queue takes longer for its client: what it learns then, it keeps.
    void touch_all() {
        for (std::size_t i = 0; i < queues_; ++i) on_.run(measure(on_.client(), name_of(i)));
    }

    std::vector<double> measure_round() {
        std::vector<double> times;
        for (int i = 0; i < samples; ++i) {
            const auto queue = std::uniform_int_distribution<std::size_t>(0, queues_ - 1)(random_);
            times.push_back(on_.run(measure(on_.client(), name_of(queue))));
        }
        return times;
    }

    /// Processor time of worker and server since the last call, in microseconds.
    double cpu_us() {
        const auto now = worker_.cpu_us() + probe_.cpu_us();
        return now - std::exchange(last_, now);
    }

private:
    std::size_t queues_;
    bench::redis_server server_;
    bench::process worker_;
    bench::redis_scene on_;
    bench::server_probe probe_;
    std::mt19937 random_{7};
    double last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4) return play(argv[1], static_cast<std::uint16_t>(std::stoi(argv[2])), std::stoul(argv[3])), 0;
    bench::report report{"many_queues"};
    side one(1), all(many);
    all.touch_all();
    std::vector<double> times_of_one, times_of_all, ratios;
    for (int round = 0; round <= rounds; ++round) {
        const auto first = one.measure_round(), second = all.measure_round();
        if (round == 0) continue;  // warms up
        ratios.push_back(bench::median(second) / bench::median(first));
        std::ranges::copy(first, std::back_inserter(times_of_one));
        std::ranges::copy(second, std::back_inserter(times_of_all));
    }
    std::printf("n = %d rounds of %d tasks, one at a time, with gaps of %d ms; then %d s without a task\n", rounds, samples,
                int(bench::latency_gap.count()), int(idle_time.count()));
    report.figure("result_1_queue_p50", bench::median(times_of_one) / 1e3, "us");
    report.figure("result_2000_queues_p50", bench::median(times_of_all) / 1e3, "us");
    one.cpu_us();
    all.cpu_us();
    std::this_thread::sleep_for(idle_time);
    const auto percent = [](double us) { return us / double(std::chrono::microseconds(idle_time).count()) * 100; };
    report.figure("idle_1_queue", percent(one.cpu_us()), "percent_of_a_core");
    report.figure("idle_2000_queues", percent(all.cpu_us()), "percent_of_a_core");
    report.ratio("result_2000_queues", "result_1_queue", bench::median(ratios));
}
