#pragma once

#include <taskflux/broker/memory/queue.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace taskflux::memory {

/// The fetch to be woken when there are tasks in a queue: of those that look there and have not been woken, the first that has a
/// handler for the next task, or else the first for which there is another one; null for none.
template <class Waiters>
auto* choose_fetch(const Waiters& fetches, const std::string& name, const task_queue& queue) {
    const auto* const next = queue.next_name();
    typename Waiters::value_type chosen = nullptr;
    for (auto* candidate : fetches) {
        const auto& request = *candidate->request;
        const auto* const names = request.names.get();
        if (candidate->is_woken || std::ranges::find(request.queues, name) == request.queues.end()) continue;
        if (!queue.has_work(names)) continue;
        if (!chosen) chosen = candidate;
        if (!names || !next || names->contains(*next)) return candidate;
    }
    return chosen;
}

/// Whether the end of this task can still come about, as long as nobody serves its queue: one that has a deadline expires, and one
/// that waits for its subtasks ends with them. Before the first worker has come, one may be about to.
inline bool can_end_unserved(const task_queue& queue, const entry* task) {
    return !queue.is_deserted() || !task || task->state == task_state::waiting_children || task->limit() != never;
}

}  // namespace taskflux::memory
