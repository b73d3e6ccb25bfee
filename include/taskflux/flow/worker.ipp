#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker/core.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

worker::~worker() {
    if (core_) core_->abandon();
    if (pool_) pool_->join();
}

asio::awaitable<void> worker::run() {
    if (core_) throw error(errc::wrong_state, "this worker can't be run again: a worker runs once; make another one");
    auto queues = options_.queues().empty() ? contract_queues_ : options_.queues();
    if (handlers_->empty()) {
        throw error(errc::invalid_argument,
                    "this worker can't be run: it has no handler; call on() before run()");
    }
    core_ = std::make_shared<detail::worker_core>(broker_, options_, std::move(queues), handlers_, cpu());
    if (is_paused_) core_->attempts().pause(true);
    if (is_stopped_) core_->stop();
    return detail::live(core_, pool_);
}

void worker::stop() {
    if (core_) return core_->stop();
    is_stopped_ = true;
}

void worker::stop_now() {
    if (core_) return core_->stop_now();
    is_stopped_ = true;
}

executor_counts worker::counts() const { return core_ ? core_->counts() : executor_counts{}; }

void worker::set_concurrency(std::size_t slots) {
    if (slots == 0) {
        throw error(errc::invalid_argument,
                    "set_concurrency: a worker needs at least one slot; to take no tasks use pause()");
    }
    if (core_) return core_->attempts().concurrency(slots);
    options_.concurrency(slots);
}

std::size_t worker::concurrency() const { return core_ ? core_->attempts().concurrency() : options_.concurrency(); }

void worker::pause() {
    if (core_) return core_->attempts().pause(true);
    is_paused_ = true;
}

void worker::resume() {
    if (core_) return core_->attempts().pause(false);
    is_paused_ = false;
}

bool worker::is_paused() const { return core_ ? core_->attempts().is_paused() : is_paused_; }

std::vector<std::string> worker::queues() const {
    std::vector<std::string> names;
    for (const auto& queue : options_.queues().empty() ? contract_queues_ : options_.queues()) names.push_back(queue.name);
    return names;
}

std::vector<std::string> worker::tasks() const {
    std::vector<std::string> names;
    for (const auto& [name, unused] : *handlers_) names.push_back(name);
    return names;
}

void worker::add(std::string name, std::string_view queue, std::unique_ptr<detail::task_handler> handler) {
    if (core_) {
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

asio::any_io_executor worker::cpu() {
    const auto is_plain = [](const auto& named) { return named.second->kind() == detail::slot_job::kind::plain; };
    if (options_.cpu() || std::ranges::none_of(*handlers_, is_plain)) return options_.cpu();
    pool_ = detail::make_cpu_pool(options_.cpu_threads());
    return pool_->get_executor();
}

}  // namespace taskflux
