#pragma once

// What the benchmarks on Redis share: a client and a worker of the typed task over a Redis broker, each in the
// part that it plays in a process of its own.

#include "process.hpp"
#include "work.hpp"

#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench {

inline const std::string queue_name{judge.options().queue()};

/// A client of a Redis broker, on one thread.
class redis_scene {
public:
    explicit redis_scene(std::uint16_t port)
        : broker_(taskflux::make_redis_broker(io_.get_executor(), "redis://127.0.0.1:" + std::to_string(port))),
          client_(broker_) {
        run(warm_up(broker_));
    }
    redis_scene(const redis_scene&) = delete;
    redis_scene& operator=(const redis_scene&) = delete;
    ~redis_scene() {
        broker_->close();
        io_.restart();
        io_.run();
    }

    asio::io_context& io() { return io_; }
    taskflux::client& client() { return client_; }
    const taskflux::broker_ptr& broker() { return broker_; }

    template <class T>
    T run(asio::awaitable<T> body) {
        return drive(io_, std::move(body));
    }

private:
    static asio::awaitable<bool> warm_up(taskflux::broker_ptr broker) {
        co_await broker->counts(queue_name);
        co_return true;
    }

    asio::io_context io_{1};
    taskflux::broker_ptr broker_;
    taskflux::client client_;
};

/// So many handlers have run in this process.
inline std::size_t handled = 0;

/// Answers with the moment of its start, by the clock that all processes share.
inline asio::awaitable<verdict> stamp(reading seen) {
    ++handled;
    verdict result;
    result.at = now_ns();
    result.is_normal = seen.value < 90;
    co_return result;
}

/// Returns when so many tasks have been handled here and are stored as succeeded.
inline asio::awaitable<std::int64_t> all_ended(taskflux::broker_ptr broker, std::size_t tasks) {
    const auto before = handled;
    const auto counts_before = co_await broker->counts(queue_name);
    for (;;) {
        co_await pause(std::chrono::milliseconds(1));
        if (handled - before < tasks) continue;
        const auto counts = co_await broker->counts(queue_name);
        if (counts.succeeded - counts_before.succeeded >= tasks) co_return now_ns();
    }
}

/// A worker at what measured best for tasks that do nothing.
inline taskflux::worker_options busy_worker() { return taskflux::worker_options().concurrency(500).prefetch(500); }

/// A worker in this scene until the end of the scope.
class redis_worker {
public:
    explicit redis_worker(redis_scene& on, const taskflux::worker_options& options = busy_worker())
        : on_(on), worker_(on.broker(), options) {
        worker_.on(judge, stamp);
    }
    ~redis_worker() { drive(on_.io(), ended()); }

    void start() {
        asio::co_spawn(on_.io(), worker_.run(), [this](std::exception_ptr error) {
            is_running_ = false;
            rethrow(error);
        });
        is_running_ = true;
    }

private:
    asio::awaitable<bool> ended() {
        worker_.stop();
        while (is_running_) co_await pause(std::chrono::milliseconds(1));
        co_return true;
    }

    redis_scene& on_;
    taskflux::worker worker_;
    bool is_running_ = false;
};

/// One task that is handled by a worker which has nothing else to do.
inline asio::awaitable<latency> measure_latency(taskflux::client& client) {
    const auto payload = sample(0);
    co_await pause(latency_gap);
    const auto begin = now_ns();
    const auto result = co_await client.run(judge, payload);
    co_return latency{result.at - begin, now_ns() - begin};
}

/// The part of a producer: stores the tasks, `batch` in a call (0: all in one).
inline void play_producer(std::uint16_t port, std::size_t tasks, std::size_t batch) {
    redis_scene on(port);
    say_ready();
    await_go();
    period measured;
    measured.begin = now_ns();
    const auto step = batch == 0 ? tasks : batch;
    for (std::size_t from = 0; from < tasks; from += step) {
        on.run(on.client().submit_all(judge, samples((std::min)(step, tasks - from))));
    }
    measured.end = now_ns();
    say_done(measured);
}

/// The part of a worker: until it has ended so many tasks (0: for ever).
inline void play_worker(std::uint16_t port, std::size_t tasks) {
    redis_scene on(port);
    redis_worker worker(on);
    say_ready();
    await_go();
    period measured;
    measured.begin = now_ns();
    worker.start();
    measured.end = on.run(all_ended(on.broker(), tasks == 0 ? static_cast<std::size_t>(-1) : tasks));
    say_done(measured);
}

}  // namespace bench
