#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/flow/job.hpp>
#include <taskflux/flow/workflow/spawning.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The outcomes of some of the subtasks that a task has spawned, in order.
template <class R>
asio::awaitable<std::vector<job_outcome<R>>> results_of(broker_ptr broker, spawned which, std::uint64_t first,
                                                        std::uint64_t count) {
    const auto parent = parse_task_id(which.parent);
    const auto end = first < which.count ? first + (std::min)(count, which.count - first) : first;
    journal_query query;
    for (auto i = first; i < end; ++i) query.keys.push_back(child_key(which.name + '.' + std::to_string(i)));
    std::vector<job_outcome<R>> made(query.keys.size());
    if (made.empty()) co_return made;
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < made.size(); ++i) {
        places.emplace(query.keys[i], i);
        made[i].state = task_state::waiting;
    }
    const auto page = co_await broker->journal(parent, std::move(query));
    for (const auto& entry : page.entries) {
        const auto subject = [&] { return "the result of subtask " + entry.key.substr(1) + " of task " + which.parent; };
        if (entry.outcome) made[places.at(entry.key)] = typed<R>(*entry.outcome, subject);
    }
    co_return made;
}

}  // namespace taskflux::detail
