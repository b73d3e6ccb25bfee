#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker/weighted_queue.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

inline std::vector<std::string> names_of(const std::vector<weighted_queue>& queues) {
    std::vector<std::string> names;
    for (const auto& queue : queues) names.push_back(queue.name);
    return names;
}

/// The names of the tasks that have handlers.
inline std::shared_ptr<const name_set> names_of(const handler_map& handlers) {
    auto names = std::make_shared<name_set>();
    for (const auto& [name, unused] : handlers) names->insert(name);
    return names;
}

}  // namespace taskflux::detail
