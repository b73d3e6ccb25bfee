#pragma once

// The work that the benchmarks share: a typed task with a payload of 64 bytes of JSON.

#include <taskflux/core/task.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/describe/class.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <ranges>
#include <string>
#include <utility>

namespace bench {

namespace asio = boost::asio;

struct reading {
    std::string sensor;
    std::int64_t at = 0;
    double value = 0;
};
BOOST_DESCRIBE_STRUCT(reading, (), (sensor, at, value))

struct verdict {
    std::int64_t at = 0;
    bool is_normal = true;
};
BOOST_DESCRIBE_STRUCT(verdict, (), (at, is_normal))

inline constexpr taskflux::task<verdict(reading)> judge{"judge", taskflux::task_options{}.queue("readings")};

inline reading sample(std::int64_t number) {
    reading made;
    made.sensor = "boiler-007-outlet-a";
    made.at = 1'700'000'000'000 + number;
    made.value = 21.5;
    return made;
}

inline asio::awaitable<verdict> handle(reading seen) {
    verdict result;
    result.at = seen.at;
    result.is_normal = seen.value < 90;
    co_return result;
}

/// So many different payloads, made as they are asked for.
inline auto samples(std::size_t count) {
    return std::views::iota(std::int64_t(0), std::int64_t(count)) | std::views::transform(sample);
}

/// How long one task took, in nanoseconds, when nothing else was going on.
struct latency {
    std::int64_t start = 0;
    std::int64_t result = 0;
};
inline constexpr std::chrono::milliseconds latency_gap{4};

inline asio::awaitable<bool> pause(std::chrono::microseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::deferred);
    co_return true;
}

inline void rethrow(std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
}

/// Drives `body` to its end, and whatever runs beside it until then.
template <class T>
T drive(asio::io_context& io, asio::awaitable<T> body) {
    T result{};
    bool done = false;
    asio::co_spawn(io, std::move(body), [&](std::exception_ptr error, T value) {
        rethrow(error);
        result = std::move(value);
        done = true;
        io.stop();
    });
    while (!done) {
        io.restart();
        io.run();
    }
    return result;
}

}  // namespace bench
