#pragma once

#include <taskflux/flow/worker/weighted_queue.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Brings queues, by their places in `queues`, into the order of one fetch: each next one is drawn with the chance that its
/// weight has among those left, so none starves (the scheme of asynq's weighted queues). By Efraimidis and Spirakis: the least
/// of exponentially distributed numbers, each with a queue's weight for its rate, comes first.
template <class Generator>
void draw_order(const std::vector<weighted_queue>& queues, std::vector<std::size_t>& places, Generator& random) {
    std::vector<std::pair<double, std::size_t>> drawn;
    drawn.reserve(places.size());
    for (const auto i : places) {
        std::exponential_distribution<double> number(queues[i].weight);
        drawn.emplace_back(number(random), i);
    }
    std::ranges::sort(drawn);
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = drawn[i].second;
}

}  // namespace taskflux::detail
