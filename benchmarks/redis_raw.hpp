#pragma once

// The floor that a queue on Redis stands on: the same bytes, passed by plain Boost.Redis in the fewest commands
// that lose nothing when a worker dies: push, move to a processing list, remove from there.

#include "harness.hpp"
#include "process.hpp"
#include "work.hpp"

#include <taskflux/core/codec.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/redis/connection.hpp>
#include <boost/redis/ignore.hpp>
#include <boost/redis/logger.hpp>
#include <boost/redis/request.hpp>
#include <boost/redis/response.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// A plain connection, on one thread.
class raw_scene {
public:
    explicit raw_scene(std::uint16_t port)
        : server_(io_, boost::redis::logger(boost::redis::logger::level::err)) {
        boost::redis::config config;
        config.addr.port = std::to_string(port);
        config.health_check_interval = std::chrono::seconds(0);
        config.read_buffer_append_size = 4 * 1024;
        server_.async_run(config, asio::detached);
        boost::redis::request ping;
        ping.push("PING");
        run(send(ping));
    }
    raw_scene(const raw_scene&) = delete;
    raw_scene& operator=(const raw_scene&) = delete;
    ~raw_scene() {
        server_.cancel();
        io_.restart();
        io_.run();
    }

    template <class T>
    T run(asio::awaitable<T> body) {
        return drive(io_, std::move(body));
    }

    asio::awaitable<bool> send(const boost::redis::request& request) {
        co_await server_.async_exec(request, boost::redis::ignore, asio::deferred);
        co_return true;
    }

    asio::awaitable<bool> send(const boost::redis::request& request, boost::redis::generic_flat_response& answer) {
        co_await server_.async_exec(request, answer, asio::deferred);
        co_return true;
    }

private:
    asio::io_context io_{1};
    boost::redis::connection server_;
};

inline asio::awaitable<bool> raw_push(raw_scene& on, std::size_t count) {
    boost::redis::request request;
    for (std::size_t i = 0; i < count; ++i) request.push("LPUSH", "raw", taskflux::encode(sample(std::int64_t(i))));
    co_await on.send(request);
    co_return true;
}

/// The payloads among the answers to `LMOVE`: all but the nulls.
inline std::vector<std::string> raw_payloads(const boost::redis::generic_flat_response& answer) {
    std::vector<std::string> found;
    for (const auto& node : answer.value()) {
        if (node.data_type == boost::redis::resp3::type::blob_string) found.emplace_back(node.value);
    }
    return found;
}

inline asio::awaitable<std::vector<std::string>> raw_fetch(raw_scene& on, std::size_t most) {
    boost::redis::request request;
    for (std::size_t i = 0; i < most; ++i) request.push("LMOVE", "raw", "raw:running", "RIGHT", "LEFT");
    boost::redis::generic_flat_response answer;
    co_await on.send(request, answer);
    co_return raw_payloads(answer);
}

inline asio::awaitable<bool> raw_settle(raw_scene& on, const std::vector<std::string>& done) {
    boost::redis::request request;
    for (const auto& payload : done) request.push("LREM", "raw:running", -1, payload);
    co_await on.send(request);
    co_return true;
}

/// Waits for one payload, and moves it.
inline asio::awaitable<std::vector<std::string>> raw_wait(raw_scene& on) {
    boost::redis::request request;
    request.push("BLMOVE", "raw", "raw:running", "RIGHT", "LEFT", 1);
    boost::redis::generic_flat_response answer;
    co_await on.send(request, answer);
    co_return raw_payloads(answer);
}

inline asio::awaitable<std::int64_t> raw_work(raw_scene& on, std::size_t tasks, std::size_t batch) {
    for (std::size_t done = 0; done < tasks;) {
        auto found = co_await raw_fetch(on, batch);
        if (found.empty()) found = co_await raw_wait(on);
        if (found.empty()) continue;
        for (const auto& payload : found) keep(taskflux::decode<reading>(payload));
        co_await raw_settle(on, found);
        done += found.size();
    }
    co_return now_ns();
}

inline asio::awaitable<std::string> raw_pop(raw_scene& on, const char* list) {
    boost::redis::request request;
    request.push("BLPOP", list, 0);
    boost::redis::generic_flat_response answer;
    co_await on.send(request, answer);
    const auto found = raw_payloads(answer);  // the list's name, and what was in it
    co_return found.at(1);
}

inline asio::awaitable<bool> raw_hand_over(raw_scene& on, const char* list, std::string text) {
    boost::redis::request request;
    request.push("LPUSH", list, text);
    co_await on.send(request);
    co_return true;
}

/// One end of the raw round trip. Has two connections: who blocks on one can't send on it.
class raw_side {
public:
    explicit raw_side(std::uint16_t port) : sends_(port), waits_(port) {}

    void serve() {
        for (;;) {
            waits_.run(raw_pop(waits_, "raw:there"));
            sends_.run(raw_hand_over(sends_, "raw:back", std::to_string(now_ns())));
        }
    }

    /// How long a payload took to get there, and its answer to be back, after a pause.
    latency measure() {
        sends_.run(pause(latency_gap));
        const auto begin = now_ns();
        sends_.run(raw_hand_over(sends_, "raw:there", taskflux::encode(sample(0))));
        const auto stamp = waits_.run(raw_pop(waits_, "raw:back"));
        return {std::stoll(stamp) - begin, now_ns() - begin};
    }

private:
    raw_scene sends_;
    raw_scene waits_;
};

inline void play_raw_producer(std::uint16_t port, std::size_t tasks, std::size_t batch) {
    raw_scene on(port);
    say_ready();
    await_go();
    period measured;
    measured.begin = now_ns();
    for (std::size_t i = 0; i < tasks; i += batch) on.run(raw_push(on, (std::min)(batch, tasks - i)));
    measured.end = now_ns();
    say_done(measured);
}

inline void play_raw_worker(std::uint16_t port, std::size_t tasks, std::size_t batch) {
    raw_scene on(port);
    say_ready();
    await_go();
    period measured;
    measured.begin = now_ns();
    measured.end = on.run(raw_work(on, tasks, batch));
    say_done(measured);
}

}  // namespace bench
