#pragma once

// The work that the benchmarks of the embedded broker share: a typed task with a payload of 64 bytes of
// JSON, and a worker for it on one thread.

#include <taskflux/broker/memory.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
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

/// A broker, a worker and a client on one thread. `run` drives a coroutine with the worker beside it.
class scene {
public:
    explicit scene(std::size_t concurrency, asio::awaitable<verdict> (*handler)(reading) = handle)
        : broker_(taskflux::make_memory_broker(io_.get_executor(), taskflux::memory_options().max_ended(2'000'000))),
          worker_(broker_, taskflux::worker_options().concurrency(concurrency)), client_(broker_) {
        worker_.on(judge, handler);
        if (taskflux::encode(sample(0)).size() != 64) throw std::logic_error("the payload is not of 64 bytes");
    }

    taskflux::client& client() { return client_; }
    taskflux::broker& broker() { return *broker_; }

    void start_worker() { asio::co_spawn(io_, worker_.run(), rethrow); }

    /// Drives `body` to its end, and whatever runs beside it until then.
    template <class T>
    T run(asio::awaitable<T> body) {
        T result{};
        bool done = false;
        asio::co_spawn(io_, std::move(body), [&](std::exception_ptr error, T value) {
            rethrow(error);
            result = std::move(value);
            done = true;
        });
        io_.restart();
        while (!done) io_.run_one();
        return result;
    }

    ~scene() {
        worker_.stop();
        io_.restart();
        io_.run();
    }

private:
    static void rethrow(std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    }

    asio::io_context io_{1};
    taskflux::broker_ptr broker_;
    taskflux::worker worker_;
    taskflux::client client_;
};

}  // namespace bench
