#pragma once

// What the benchmarks of the embedded broker share: a worker for the typed task on one thread.

#include "work.hpp"

#include <taskflux/broker/memory.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace bench {

namespace asio = boost::asio;

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

    template <class T>
    T run(asio::awaitable<T> body) {
        return drive(io_, std::move(body));
    }

    ~scene() {
        worker_.stop();
        io_.restart();
        io_.run();
    }

private:
    asio::io_context io_{1};
    taskflux::broker_ptr broker_;
    taskflux::worker worker_;
    taskflux::client client_;
};

}  // namespace bench
