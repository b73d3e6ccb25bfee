// How long it takes to add 10,000 schedules, one after the other, to one queue: on the embedded broker and on Redis.

#include "harness.hpp"
#include "redis_server.hpp"
#include "work.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;

constexpr int schedules = 10'000;

asio::awaitable<bool> add_all(taskflux::scheduler& to) {
    for (int i = 0; i < schedules; ++i) {
        const auto payload = bench::sample(i);
        const auto options = taskflux::schedule_options().id("schedule-" + std::to_string(i));
        const auto when = std::to_string(i % 60) + " " + std::to_string(i / 60 % 24) + " * * *";
        co_await to.every(when, "Europe/Zurich", bench::judge, payload, options);
    }
    co_return true;
}

/// In seconds.
double time_to_add(asio::io_context& io, taskflux::broker_ptr broker) {
    taskflux::scheduler scheduler(broker);
    const auto begin = std::chrono::steady_clock::now();
    bench::drive(io, add_all(scheduler));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    broker->close();
    return taken.count();
}

}  // namespace

int main() {
    bench::report report{"many_schedules"};
    {
        asio::io_context io{1};
        report.figure("add_10000_memory", time_to_add(io, taskflux::make_memory_broker(io.get_executor())), "s");
    }
    bench::redis_server server;
    {
        asio::io_context io{1};
        report.figure("add_10000_redis", time_to_add(io, taskflux::make_redis_broker(io.get_executor(), server.url())), "s");
    }
}
