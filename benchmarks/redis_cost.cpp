// What a task costs the Redis server: processor time and commands, as a real client and worker call it and by the
// size of the batch, against the raw floor; whether a backlog makes it dearer; and what a waiting task weighs.

#include "harness.hpp"
#include "redis_raw.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 100'000;

struct stages {
    double enqueue = 0;
    double fetch = 0;
    double settle = 0;

    double sum() const { return enqueue + fetch + settle; }
};

/// The server's processor time since the last call, without what the question itself costs it.
class meter {
public:
    explicit meter(std::uint16_t port) : probe_(port), last_(probe_.cpu_us()) {
        std::vector<double> idle;
        for (int i = 0; i < 50; ++i) idle.push_back(lap());
        own_ = bench::median(idle);
    }

    double lap() {
        const auto now = probe_.cpu_us();
        return now - std::exchange(last_, now) - own_;
    }

private:
    bench::server_probe probe_;
    double last_;
    double own_ = 0;
};

/// A consumer that calls the broker itself, with batches of one size.
class consumer {
public:
    consumer(bench::redis_scene& on, std::uint16_t port) : broker_(on.broker()), meter_(port) { on.run(join(broker_)); }

    asio::awaitable<bool> enqueue(std::size_t count, std::size_t batch) {
        for (std::size_t done = 0; done < count; done += batch) {
            std::vector<taskflux::new_task> some((std::min)(batch, count - done));
            for (auto& one : some) {
                one.spec = spec_;
                one.payload = taskflux::encode(bench::sample(std::int64_t(done)));
            }
            co_await broker_->submit(bench::queue_name, std::move(some));
        }
        co_return true;
    }

    /// Adds what `count` tasks, stored, fetched and ended, have cost.
    asio::awaitable<bool> cycle(std::size_t count, std::size_t batch, stages& total) {
        meter_.lap();
        co_await enqueue(count, batch);
        total.enqueue += meter_.lap();
        std::vector<taskflux::settlement> ends;
        while (ends.size() < count) co_await fetch((std::min)(batch, count - ends.size()), ends);
        total.fetch += meter_.lap();
        for (std::size_t done = 0; done < count; done += batch) {
            const auto first = ends.begin() + std::ptrdiff_t(done);
            const std::vector some(first, first + std::ptrdiff_t((std::min)(batch, count - done)));
            const auto effects = co_await broker_->settle(bench::queue_name, name_, some);
            if (std::ranges::count(effects, taskflux::effect::done) != std::ptrdiff_t(some.size())) {
                throw std::logic_error("a task did not end");
            }
        }
        total.settle += meter_.lap();
        co_return true;
    }

private:
    static asio::awaitable<bool> join(taskflux::broker_ptr broker) {
        std::vector<std::string> queues(1, bench::queue_name);
        co_await broker->join(name_, std::move(queues), std::chrono::hours(1));
        co_return true;
    }

    asio::awaitable<bool> fetch(std::size_t most, std::vector<taskflux::settlement>& ends) {
        taskflux::fetch_request request;
        request.consumer = name_;
        request.queues.push_back(bench::queue_name);
        request.max = most;
        const auto found = co_await broker_->fetch(request);
        for (const auto& one : found) {
            auto& end = ends.emplace_back();
            end.key = one.key;
            end.token = one.token;
            end.data = R"({"at":1700000000000,"is_normal":true})";
        }
        co_return true;
    }

    static std::shared_ptr<const taskflux::task_spec> make_spec() {
        auto spec = std::make_shared<taskflux::task_spec>();
        spec->name = bench::judge.name();
        spec->policy = bench::judge.options().policy();
        return spec;
    }

    inline static const std::string name_ = "bench:1";
    const taskflux::broker_ptr broker_;
    const std::shared_ptr<const taskflux::task_spec> spec_ = make_spec();
    meter meter_;
};

asio::awaitable<bool> raw_cycle(bench::raw_scene& on, meter& at, std::size_t count, std::size_t batch, stages& total) {
    at.lap();
    for (std::size_t done = 0; done < count; done += batch) co_await bench::raw_push(on, batch);
    total.enqueue += at.lap();
    std::vector<std::vector<std::string>> found;
    for (std::size_t done = 0; done < count; done += batch) {
        auto some = co_await bench::raw_fetch(on, batch);
        found.push_back(std::move(some));
    }
    total.fetch += at.lap();
    for (const auto& some : found) co_await bench::raw_settle(on, some);
    total.settle += at.lap();
    co_return true;
}

void print(const std::string& what, const stages& total, std::size_t count) {
    const auto each = [&](double us) { return bench::number(us / double(count)); };
    std::printf("%-24s %10s %10s %10s %10s\n", what.c_str(), each(total.enqueue).c_str(), each(total.fetch).c_str(),
                each(total.settle).c_str(), each(total.sum()).c_str());
    std::fflush(stdout);
}

void by_real_calls(bench::report& report) {
    const bench::redis_server server;
    bench::server_probe probe(server.port());
    bench::redis_scene on(server.port());
    const auto told = [&](const std::string& stage, const bench::server_load& load) {
        report.figure(stage + "_server", load.cpu_us / double(tasks), "us/task");
        report.figure(stage + "_commands", double(load.commands) / double(tasks), "per_task");
        report.figure(stage + "_batch", double(tasks) / double(load.script_calls), "tasks/script");
    };
    on.run(on.client().submit_all(bench::judge, bench::samples(1000)));
    const auto empty_bytes = probe.used_memory();
    const auto empty = probe.load();
    on.run(on.client().submit_all(bench::judge, bench::samples(tasks)));
    const auto stored = probe.load();
    report.figure("waiting_task", (probe.used_memory() - empty_bytes) / double(tasks), "bytes");
    told("enqueue", stored - empty);
    bench::redis_worker worker(on);
    worker.start();
    on.run(bench::all_ended(on.broker(), tasks + 1000));
    told("drain", probe.load() - stored);
    report.figure("ended_task", (probe.used_memory() - empty_bytes) / double(tasks), "bytes");
}

void by_batch_size(bench::report& report) {
    std::printf("%-24s %10s %10s %10s %10s   (server us per task)\n", "batch", "enqueue", "fetch", "settle", "all");
    constexpr std::size_t batches[] = {1, 10, 50, 100, 500};
    for (const auto batch : batches) {
        const bench::redis_server server;
        bench::redis_scene on(server.port());
        consumer ours(on, server.port());
        bench::raw_scene raw(server.port());
        meter raw_meter(server.port());
        const std::size_t cycles = batch == 1 ? 5 : 20;
        stages total, raw_total, warm_up;
        on.run(ours.cycle(1000, batch, warm_up));
        for (std::size_t i = 0; i < cycles; ++i) {
            on.run(ours.cycle(1000, batch, total));
            raw.run(raw_cycle(raw, raw_meter, 1000, batch, raw_total));
        }
        const auto name = std::to_string(batch);
        const auto count = double(1000 * cycles);
        print(name, total, 1000 * cycles);
        print("raw_" + name, raw_total, 1000 * cycles);
        report.figure("enqueue_batch_" + name, total.enqueue / count, "us/task");
        report.figure("fetch_batch_" + name, total.fetch / count, "us/task");
        report.figure("settle_batch_" + name, total.settle / count, "us/task");
        report.figure("batch_" + name, total.sum() / count, "us/task");
        report.figure("raw_batch_" + name, raw_total.sum() / count, "us/task");
        report.ratio("batch_" + name, "raw_batch_" + name, total.sum() / raw_total.sum());
    }
}

struct queue_with_backlog {
    explicit queue_with_backlog(std::size_t waiting)
        : server(), on(server.port()), ours(on, server.port()) {
        on.run(ours.enqueue(waiting, 500));
    }

    bench::redis_server server;
    bench::redis_scene on;
    consumer ours;
    stages total;
};

void by_backlog(bench::report& report) {
    constexpr std::size_t batch = 50, cycles = 20;
    const std::array<std::pair<std::string, std::size_t>, 3> sizes{{{"1k", 1'000}, {"100k", 100'000}, {"1M", 1'000'000}}};
    std::vector<std::unique_ptr<queue_with_backlog>> queues;
    for (const auto& [name, waiting] : sizes) queues.push_back(std::make_unique<queue_with_backlog>(waiting));
    for (std::size_t i = 0; i < cycles; ++i) {
        for (auto& one : queues) one->on.run(one->ours.cycle(1000, batch, one->total));
    }
    std::printf("%-24s %10s %10s %10s %10s   (server us per task, batches of 50)\n", "backlog", "enqueue", "fetch",
                "settle", "all");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        print(sizes[i].first, queues[i]->total, 1000 * cycles);
        report.figure("backlog_" + sizes[i].first, queues[i]->total.sum() / double(1000 * cycles), "us/task");
    }
    report.ratio("backlog_1M", "backlog_1k", queues[2]->total.sum() / queues[0]->total.sum());
}

}  // namespace

int main() {
    bench::report report{"redis_cost"};
    by_real_calls(report);
    by_batch_size(report);
    by_backlog(report);
}
