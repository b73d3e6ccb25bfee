#pragma once

#include <support/child.hpp>
#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>

namespace test::faults {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::context;
using taskflux::errc;
using taskflux::task_state;

using test::observer;

constexpr auto lease = 2000ms;  // of `work`

/// What a process does that only runs a worker, until it is killed. Its lease is short by default.
inline void work(const std::string& url, const std::function<void(taskflux::worker&)>& set_up,
                 taskflux::clock& clock = taskflux::real_clock(), taskflux::duration held_for = lease) {
    asio::io_context io;
    const auto broker = taskflux::make_redis_broker(io.get_executor(), url, taskflux::redis_options(), clock);
    taskflux::worker worker{broker, taskflux::worker_options().concurrency(200).lease(held_for)};
    set_up(worker);
    asio::co_spawn(io, worker.run(), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
}

inline asio::awaitable<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Runs the context until it holds; false when `progress` has stayed the same for the hang limit.
template <class Holds, class Progress>
bool run_until(asio::io_context& io, Holds holds, Progress progress) {
    using steady = std::chrono::steady_clock;
    auto last = progress();
    auto limit = steady::now() + hang_limit;
    while (!holds()) {
        if (const auto now = progress(); now != last) {
            last = now;
            limit = steady::now() + hang_limit;
        }
        if (steady::now() >= limit) return false;
        io.restart();
        io.run_one_for(100ms);
    }
    return true;
}

template <class Holds>
bool run_until(asio::io_context& io, Holds holds) {
    return run_until(io, holds, [] { return 0; });
}

/// How often the server has run scripts.
inline std::size_t scripts_run(test::redis_server& server) {
    const auto text = server.command({"INFO", "commandstats"}).text;
    const std::string before = "cmdstat_evalsha:calls=";
    return std::stoul(text.substr(text.find(before) + before.size()));
}

/// Whether so many workers of the queue have renewed their leases since the server's clock, which stands still by itself, was
/// moved.
inline bool have_renewed(test::redis_server& server, std::size_t workers, const std::string& queue) {
    const auto time = server.command({"TIME"}).texts();
    const auto fresh = std::stoll(time.at(0)) * 1000 + std::stoll(time.at(1)) / 1000 + lease.count();
    const auto leases = server.command({"ZRANGE", "tf:{" + queue + "}:C", "0", "-1", "WITHSCORES"}).texts();
    std::size_t renewed = 0;
    for (std::size_t i = 1; i < leases.size(); i += 2) renewed += std::stoll(leases[i]) == fresh;
    return renewed >= workers;
}

/// Until it holds, a second passes at the server whenever so many workers have renewed their leases since the last one,
/// however long that takes them: so no lease runs out because a machine is slow.
inline bool pass_time_until(const std::function<bool()>& holds, test::redis_server& server, std::size_t workers,
                            const std::string& queue = "default") {
    return eventually([&] {
        if (holds()) return true;
        if (have_renewed(server, workers, queue)) server.advance(1s);
        return false;
    });
}

/// So much time passes that those who do not renew have lost their leases, and those workers have not.
inline void outlast_a_lease(test::redis_server& server, std::size_t workers, const std::string& queue = "default") {
    for (auto passed = 0s; passed <= lease; passed += 1s) {
        BOOST_REQUIRE(eventually([&] { return have_renewed(server, workers, queue); }));
        server.advance(1s);
    }
}

}  // namespace test::faults
