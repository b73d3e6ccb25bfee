// How long it takes to list 300,000 tasks of a queue whose server has been restarted ten times: each restart leaves a gap of
// 2^20 numbers, which nothing may look at one by one. Two in three of the tasks are plain ones, stored in batches; the others
// have ids of their own. Clients and an idle worker are connected throughout, and are behind the times after each restart.

#include "harness.hpp"
#include "redis_server.hpp"
#include "redis_work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t tasks = 300'000;
constexpr std::size_t restarts = 10;
constexpr std::size_t at_once = 500;

asio::awaitable<bool> store(taskflux::broker_ptr broker, std::size_t first, std::size_t many, bool own_ids) {
    const auto spec = std::make_shared<const taskflux::task_spec>(taskflux::task_spec{"judge", 0, {}, {}});
    for (std::size_t done = 0; done < many; done += at_once) {
        std::vector<taskflux::new_task> batch(at_once);
        for (std::size_t i = 0; i < at_once; ++i) {
            batch[i].spec = spec;
            batch[i].payload = std::string(64, '1');
            if (own_ids) batch[i].own_id = std::to_string(first + done + i);
        }
        co_await broker->submit(bench::queue_name, std::move(batch));
    }
    co_return true;
}

asio::awaitable<bool> join(taskflux::broker_ptr broker) {
    std::vector<std::string> queues{bench::queue_name};
    co_await broker->join("idle", std::move(queues), std::chrono::minutes(10));
    co_return true;
}

asio::awaitable<bool> renew(taskflux::broker_ptr broker) {
    std::vector<std::string> queues{bench::queue_name};
    co_await broker->renew("idle", std::move(queues), std::chrono::minutes(10));
    co_return true;
}

/// After a restart the first calls may find a connection that is gone.
template <class Call>
void until_it_works(Call call) {
    for (int tries = 0;; ++tries) {
        try {
            call();
            return;
        } catch (const taskflux::error& e) {
            if (e.code() != taskflux::errc::unavailable || tries > 100) throw;
        }
    }
}

asio::awaitable<std::size_t> list_all(taskflux::broker_ptr broker, std::size_t page) {
    std::set<std::uint64_t> seen;
    taskflux::list_query query;
    query.queue = bench::queue_name;
    query.limit = page;
    do {
        auto found = co_await broker->list(query);
        for (const auto& one : found.tasks) seen.insert(one.id.key.sequence);
        query.cursor = std::move(found.cursor);
    } while (!query.cursor.empty());
    co_return seen.size();
}

}  // namespace

int main() {
    bench::report report{"restarts"};
    bench::redis_server server(bench::redis_server::persistence::append_only);
    bench::redis_scene on(server.port()), other(server.port());
    other.run(join(other.broker()));
    constexpr auto each = tasks / restarts;
    for (std::size_t round = 0; round < restarts; ++round) {
        const auto first = round * each;
        on.run(store(on.broker(), first, each / 3, true));
        on.run(store(on.broker(), first + each / 3, each - each / 3, false));
        server.restart();
        until_it_works([&] { other.run(renew(other.broker())); });
        until_it_works([&] { on.run(on.broker()->counts(bench::queue_name)); });
    }
    bench::server_probe probe(server.port());
    const auto last = probe.command({"HGET", "tf:{" + bench::queue_name + "}:c", "seq"});
    std::printf("n = %zu tasks, %zu restarts; the last number is %s\n", tasks, restarts, last.c_str());
    for (const std::size_t page : {100, 1'000, 10'000}) {
        const auto before = probe.load();
        const auto begin = bench::now_ns();
        const auto found = on.run(list_all(on.broker(), page));
        const auto seconds = double(bench::now_ns() - begin) / 1e9;
        if (found != tasks) throw std::runtime_error("it listed " + std::to_string(found) + " tasks");
        const auto name = "list_pages_of_" + std::to_string(page);
        report.figure(name + "_s_per_10000", seconds / (double(tasks) / 10'000), "s");
        report.figure(name + "_script_calls", double((probe.load() - before).script_calls), "calls");
    }
}
