#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// A queue that a worker serves. The weight says how often it is fetched from first, relative to the others.
struct weighted_queue {
    std::string name;
    unsigned weight = 1;
};

namespace detail {

/// The queues in the order of one fetch: each next one is drawn with the chance that its weight has among
/// those left, so none starves (the scheme of asynq's weighted queues).
template <class Generator>
std::vector<std::size_t> draw_order(const std::vector<weighted_queue>& queues, Generator& random) {
    std::vector<std::size_t> left(queues.size());
    std::size_t total = 0;
    for (std::size_t i = 0; i < queues.size(); ++i) {
        left[i] = i;
        total += queues[i].weight;
    }
    std::vector<std::size_t> order;
    order.reserve(queues.size());
    while (!left.empty()) {
        auto ticket = std::uniform_int_distribution<std::size_t>(1, total)(random);
        std::size_t chosen = 0;
        while (ticket > queues[left[chosen]].weight) ticket -= queues[left[chosen++]].weight;
        total -= queues[left[chosen]].weight;
        order.push_back(left[chosen]);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    return order;
}

}  // namespace detail
}  // namespace taskflux
