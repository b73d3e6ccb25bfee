#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/run_once.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/flow/worker/declared_limits.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a `worker` is: set up, then run once, steered by any thread before and while it runs. Nodes share it, so that it
/// outlives the `worker`. `add` and `limit`, then `run`, on one thread; the other functions are thread-safe, but for `queues` and `tasks`
/// before `run`.
class worker_control {
public:
    worker_control(broker_ptr broker, worker_options options)
        : broker_(checked_broker(std::move(broker), "a worker")), options_(std::move(options)), slots_(options_.concurrency()),
          handlers_(std::make_shared<handler_map>()) {}
    worker_control(const worker_control&) = delete;
    worker_control& operator=(const worker_control&) = delete;

    void add(std::string name, std::string_view queue, std::unique_ptr<task_handler> handler);
    /// `key`: none for the queue's own limit, an empty one for each key.
    void limit(std::string queue, std::optional<std::string> key, const taskflux::limit& value);
    asio::awaitable<void> run();

    void stop();
    void stop_now();

    /// The worker is destroyed: abandons coroutines that still run, and waits for plain functions on the worker's own threads.
    void abandon();

    executor_counts counts() const;
    void set_concurrency(std::size_t slots);
    std::size_t concurrency() const;
    void pause(bool is_paused);
    bool is_paused() const;

    const std::optional<duration>& start_timeout() const { return options_.start_timeout(); }
    std::vector<std::string> queues() const;
    std::vector<std::string> tasks() const;

private:
    /// The executor of plain functions, if there are any.
    asio::any_io_executor cpu();
    const std::vector<weighted_queue>& weighted() const;

    const broker_ptr broker_;
    const worker_options options_;

    mutable std::mutex mutex_;  // guards the next; taken before that of `life_`
    std::size_t slots_;
    bool is_paused_ = false;

    std::shared_ptr<asio::thread_pool> pool_;

    const std::shared_ptr<handler_map> handlers_;  // until `run`
    std::vector<weighted_queue> contract_queues_;  // until `run`
    queue_limit_map limits_;                       // until `run`
    run_once<worker_core> life_;
};

}  // namespace taskflux::detail
