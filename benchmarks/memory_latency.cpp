// How long a task takes through the embedded broker when nothing else is going on: from submission to the
// start of its handler, and to its awaited result. Against the hand-offs that it can't do without: a raw
// co_spawn to another coroutine and back.

#include "harness.hpp"
#include "memory_work.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t tasks = 2'000;

clock_type::time_point started;

asio::awaitable<bench::verdict> noting(bench::reading seen) {
    started = clock_type::now();
    bench::verdict result;
    result.at = seen.at;
    co_return result;
}

struct sample_times {
    std::vector<double> start;
    std::vector<double> result;
};

asio::awaitable<bool> measure(taskflux::client& client, sample_times& out) {
    for (std::size_t i = 0; i < tasks; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        const auto begin = clock_type::now();
        const auto result = co_await client.run(bench::judge, payload);
        const auto end = clock_type::now();
        if (!result.is_normal) throw std::logic_error("wrong result");
        out.start.push_back(bench::nanoseconds(started - begin).count());
        out.result.push_back(bench::nanoseconds(end - begin).count());
        for (int yields = 0; yields < 16; ++yields) co_await asio::post(asio::deferred);  // all else settles
    }
    co_return true;
}

asio::awaitable<bench::verdict> raw_handler(bench::reading seen) {
    auto result = co_await noting(std::move(seen));
    co_return result;
}

asio::awaitable<bool> measure_raw(sample_times& out) {
    const auto executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < tasks; ++i) {
        const auto payload = bench::sample(std::int64_t(i));
        const auto begin = clock_type::now();
        co_await asio::post(asio::deferred);
        const auto result = co_await asio::co_spawn(executor, raw_handler(payload), asio::deferred);
        const auto end = clock_type::now();
        bench::keep(result);
        out.start.push_back(bench::nanoseconds(started - begin).count());
        out.result.push_back(bench::nanoseconds(end - begin).count());
    }
    co_return true;
}

}  // namespace

int main() {
    bench::report report{"memory_latency"};
    bench::scene on(4, noting);
    on.start_worker();
    sample_times ours, raw, warm_up;
    on.run(measure(on.client(), warm_up));
    std::vector<double> ratios;
    for (int round = 0; round < 11; ++round) {
        sample_times our_round, raw_round;
        on.run(measure(on.client(), our_round));
        on.run(measure_raw(raw_round));
        ratios.push_back(bench::median(our_round.result) / bench::median(raw_round.result));
        ours.start.insert(ours.start.end(), our_round.start.begin(), our_round.start.end());
        ours.result.insert(ours.result.end(), our_round.result.begin(), our_round.result.end());
        raw.result.insert(raw.result.end(), raw_round.result.begin(), raw_round.result.end());
    }
    std::printf("n = 11 rounds of %zu tasks\n", tasks);
    report.figure("submit_to_start_p50", bench::median(ours.start), "ns");
    report.figure("submit_to_result_p50", bench::median(ours.result), "ns");
    report.figure("raw_round_trip_p50", bench::median(raw.result), "ns");
    report.ratio("submit_to_result", "raw_round_trip", bench::median(ratios));
}
