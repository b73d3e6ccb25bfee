#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/queue.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace taskflux::memory {

using queue_map = std::map<std::string, std::unique_ptr<task_queue>, std::less<>>;

/// The queues of a broker by their names. Not thread-safe.
class queues {
public:
    /// Bounds as in `task_queue`.
    queues(std::size_t max_pending, std::size_t max_ended) : max_pending_(max_pending), max_ended_(max_ended) {}

    /// The queue of that name, or an empty one when there is none. Errors: `invalid_argument`.
    task_queue& look(const std::string& name) {
        if (const auto found = all_.find(name); found != all_.end()) return *found->second;
        detail::check_queue_name(name);
        return nowhere_;
    }

    /// The queue of that name, a new one when there is none. Errors: `invalid_argument`.
    task_queue& make(const std::string& name) {
        if (const auto found = all_.find(name); found != all_.end()) return *found->second;
        detail::check_queue_name(name);
        auto made = std::make_unique<task_queue>(new_seed(), max_pending_, max_ended_);
        made->listed.name = name;
        return *all_.emplace(name, std::move(made)).first->second;
    }

    queue_map& all() { return all_; }

private:
    static std::uint64_t new_seed() {
        std::random_device device;
        return (std::uint64_t(device()) << 32) | device();
    }

    std::size_t max_pending_;
    std::size_t max_ended_;
    queue_map all_;
    task_queue nowhere_{0, 0, 0};
};

}  // namespace taskflux::memory
