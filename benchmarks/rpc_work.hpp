#pragma once

// What the RPC benchmarks share: the methods that are called, and the process that serves them.

#include "harness.hpp"
#include "process.hpp"
#include "work.hpp"

#include <taskflux/broker/redis.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/method.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <string>
#include <thread>
#include <utility>

namespace bench {

namespace asio = boost::asio;

inline constexpr taskflux::method<std::int64_t(reading)> ask{"bench", "ask"};
inline constexpr taskflux::method<taskflux::stream<reading>(std::int64_t)> ask_many{"bench", "ask_many"};

inline std::string rpc_url(std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

inline asio::awaitable<std::int64_t> answer(reading) { co_return now_ns(); }

inline asio::awaitable<void> emit_samples(taskflux::emitter<reading>& out, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto value = sample(i);
        co_await out.emit(value);
    }
}

inline void serve_all(taskflux::service& service) {
    service.on(ask, answer);
    service.on(ask_many, emit_samples);
}

/// Serves until its input ends.
inline void play_rpc_server(std::uint16_t port) {
    asio::io_context io{1};
    const auto broker = taskflux::make_redis_broker(io.get_executor(), rpc_url(port));
    taskflux::service service(broker, taskflux::service_options().max_running(10'000));
    serve_all(service);
    asio::co_spawn(io, service.run(), rethrow);
    std::thread thread([&] { io.run(); });
    say_ready();
    std::string line;
    while (std::getline(std::cin, line)) {}
    std::_Exit(0);
}

/// Calls, once the service is there.
class rpc_scene {
public:
    explicit rpc_scene(std::uint16_t port)
        : broker_(taskflux::make_redis_broker(io_.get_executor(), rpc_url(port))), rpc_(broker_) {
        for (bool is_there = false; !is_there;) is_there = run(has_answered(rpc_));
    }
    rpc_scene(const rpc_scene&) = delete;
    rpc_scene& operator=(const rpc_scene&) = delete;
    ~rpc_scene() {
        broker_->close();
        io_.restart();
        io_.run();
    }

    template <class T>
    T run(asio::awaitable<T> body) {
        return drive(io_, std::move(body));
    }
    taskflux::rpc& rpc() { return rpc_; }
    asio::io_context& io() { return io_; }

private:
    static asio::awaitable<bool> has_answered(taskflux::rpc& by) {
        const auto payload = sample(0);
        try {
            co_await by.call(ask, payload);
        } catch (const taskflux::error&) {
            co_return false;
        }
        co_return true;
    }

    asio::io_context io_{1};
    taskflux::broker_ptr broker_;
    taskflux::rpc rpc_;
};

}  // namespace bench
