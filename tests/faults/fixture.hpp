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

/// What a process does that only runs a worker, until it is killed. Its lease is short.
inline void work(const std::string& url, const std::function<void(taskflux::worker&)>& set_up,
                 taskflux::clock& clock = taskflux::real_clock()) {
    asio::io_context io;
    const auto broker = taskflux::make_redis_broker(io.get_executor(), url, taskflux::redis_options(), clock);
    taskflux::worker worker{broker, taskflux::worker_options().concurrency(200).lease(2s)};
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

}  // namespace test::faults
