#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/one_thread.hpp>
#include <taskflux/flow/worker/control.hpp>
#include <taskflux/flow/worker/core.hpp>
#include <taskflux/flow/worker/names.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

namespace taskflux::detail {

void worker_control::add(std::string name, std::string_view queue, std::unique_ptr<task_handler> handler) {
    if (life_.core()) {
        throw error(errc::wrong_state, "the handler for task " + name +
                                           " can't be set: the worker has been run; call on() before run()");
    }
    if (handlers_->contains(name)) {
        throw error(errc::invalid_argument,
                    "the handler for task " + name + " can't be set: it has one; call on() once");
    }
    const auto same = [&](const weighted_queue& known) { return known.name == queue; };
    if (std::ranges::none_of(contract_queues_, same)) contract_queues_.push_back({std::string(queue), 1});
    handlers_->emplace(std::move(name), std::move(handler));
}

void worker_control::limit(std::string queue, std::optional<std::string> key, const taskflux::limit& value) {
    checked_name(queue, "queue");
    if (key) check_name(limits::key, *key, true);
    const std::string whose = !key ? "" : key->empty() ? "each key of " : "key " + *key + " of ";
    const std::string called = key ? "key_limit()" : "limit()", live = key ? "set_key_limit" : "set_limit";
    if (life_.core()) {
        throw error(errc::wrong_state, "the limit of " + whose + "queue " + queue + " can't be declared: the worker has been run; call " +
                                           called + " before run(), or queue_control::" + live);
    }
    if (!limits_.emplace(std::pair(queue, std::move(key)), value).second) {
        throw error(errc::invalid_argument, "the limit of " + whose + "queue " + queue + " can't be declared: this worker has one; call " +
                                                called + " once");
    }
}

asio::awaitable<void> worker_control::run() {
    if (life_.core()) throw error(errc::wrong_state, "this worker can't be run again: a worker runs once; make another one");
    if (handlers_->empty()) {
        throw error(errc::invalid_argument,
                    "this worker can't be run: it has no handler; call on() before run()");
    }
    const auto core = std::make_shared<worker_core>(broker_, options_, weighted(), limits_, handlers_, cpu());
    {
        const std::lock_guard lock(mutex_);  // what is set from here on is set in the core
        core->attempts().concurrency(slots_);
        core->attempts().pause(is_paused_);
        life_.begin(core);
    }
    return live(core, pool_);
}

void worker_control::stop() { life_.stop(); }

void worker_control::stop_now() {
    if (const auto core = life_.core()) return core->stop_now();
    life_.stop();  // there is no handler to cancel
}

void worker_control::abandon() {
    life_.abandon();  // also of a core that a node makes later
    std::shared_ptr<asio::thread_pool> pool;
    {
        const std::lock_guard lock(mutex_);
        pool = pool_;
    }
    if (pool) join_cpu_pool(std::move(pool), broker_->get_executor());
}

executor_counts worker_control::counts() const {
    const auto core = life_.core();
    return core ? core->counts() : executor_counts{};
}

void worker_control::set_concurrency(std::size_t slots) {
    if (slots == 0) {
        throw error(errc::invalid_argument,
                    "set_concurrency: a worker needs at least one slot; to take no tasks use pause()");
    }
    const std::lock_guard lock(mutex_);
    slots_ = slots;
    if (const auto core = life_.core()) core->attempts().concurrency(slots);
}

std::size_t worker_control::concurrency() const {
    const std::lock_guard lock(mutex_);
    return slots_;
}

void worker_control::pause(bool is_paused) {
    const std::lock_guard lock(mutex_);
    is_paused_ = is_paused;
    if (const auto core = life_.core()) core->attempts().pause(is_paused);
}

bool worker_control::is_paused() const {
    const std::lock_guard lock(mutex_);
    return is_paused_;
}

std::vector<std::string> worker_control::queues() const { return names_of(weighted()); }

std::vector<std::string> worker_control::tasks() const {
    std::vector<std::string> names;
    for (const auto& [name, unused] : *handlers_) names.push_back(name);
    return names;
}

const std::vector<weighted_queue>& worker_control::weighted() const {
    return options_.queues().empty() ? contract_queues_ : options_.queues();
}

asio::any_io_executor worker_control::cpu() {
    const auto is_plain = [](const auto& named) { return named.second->kind() == slot_job::kind::plain; };
    const bool has_plain = std::ranges::any_of(*handlers_, is_plain);
    one_thread::check(broker_->get_executor(), options_.renewal_thread(), has_plain, options_.cpu(), "a worker",
                      "environment::options()");
    if (options_.cpu() || !has_plain) return options_.cpu();
    auto pool = make_cpu_pool(options_.cpu_threads());
    const std::lock_guard lock(mutex_);
    pool_ = std::move(pool);
    return pool_->get_executor();
}

}  // namespace taskflux::detail
