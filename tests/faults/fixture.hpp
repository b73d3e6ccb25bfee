#pragma once

#include <support/child.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/client.hpp>
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
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace test::faults {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::context;
using taskflux::errc;
using taskflux::task_state;

/// A server, and a broker to look at it with, whose calls are driven one at a time.
class observer {
public:
    explicit observer(const std::string& url, taskflux::clock& clock = taskflux::real_clock())
        : broker(taskflux::make_redis_broker(io.get_executor(), url, taskflux::redis_options(), clock)), client(broker) {}

    ~observer() {
        broker->close();
        io.restart();
        io.run();
    }

    template <class T>
    T run(asio::awaitable<T> call) {
        bool done = false;
        std::exception_ptr failure;
        std::optional<std::conditional_t<std::is_void_v<T>, int, T>> result;
        asio::co_spawn(io, std::move(call), [&](std::exception_ptr error, auto... value) {
            failure = error;
            if constexpr (sizeof...(value) > 0) result.emplace(std::move(value)...);
            done = true;
        });
        const auto limit = std::chrono::steady_clock::now() + 30s;
        while (!done) {
            io.restart();
            if (io.run_one_until(limit) == 0) throw std::runtime_error("a call hangs");
        }
        if (failure) std::rethrow_exception(failure);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }

    taskflux::queue_counts counts() { return run(broker->counts("default")); }

    asio::io_context io;
    taskflux::broker_ptr broker;
    taskflux::client client;
};

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
