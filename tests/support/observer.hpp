#pragma once

#include <support/coroutine_end.hpp>
#include <support/hang_limit.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/flow/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;

/// Options of a broker whose calls take as long as they take.
inline taskflux::redis_options patient() { return taskflux::redis_options().timeout(no_timeout); }

/// A broker on a Redis server whose calls are driven one at a time, with what else runs on the same context.
class observer {
public:
    explicit observer(const std::string& url, const taskflux::redis_options& options = patient(),
                      taskflux::clock& clock = taskflux::real_clock())
        : broker(taskflux::make_redis_broker(io.get_executor(), url, options, clock)), client(broker) {}

    ~observer() {
        broker->close();
        io.restart();
        io.run();
    }

    template <class T>
    T run(asio::awaitable<T> call) {
        const auto end = start_on(io.get_executor(), std::move(call));
        const auto limit = std::chrono::steady_clock::now() + hang_limit;
        while (!end->done) {
            io.restart();
            if (io.run_one_until(limit) == 0) throw std::runtime_error("a call hangs");
        }
        return end->get();
    }

    taskflux::queue_counts counts(const std::string& queue = "default") { return run(broker->counts(queue)); }

    /// What a fetch of up to `max` from one queue gives; waits up to `wait`.
    std::vector<taskflux::delivery> fetch(const std::string& consumer, const std::string& queue, std::size_t max,
                                          taskflux::duration wait = {}) {
        taskflux::fetch_request request;
        request.consumer = consumer;
        request.queues.push_back(queue);
        request.max = max;
        request.wait = wait;
        return run(broker->fetch(request));
    }

    asio::io_context io;
    taskflux::broker_ptr broker;
    taskflux::client client;
};

/// A task of the name `job`, which is all there is to say about it.
inline taskflux::new_task plain_task(std::string payload = "1") {
    const auto spec = std::make_shared<taskflux::task_spec>();
    spec->name = "job";
    taskflux::new_task made;
    made.spec = spec;
    made.payload = std::move(payload);
    return made;
}

}  // namespace test
