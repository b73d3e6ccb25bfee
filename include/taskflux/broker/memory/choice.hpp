#pragma once

#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/broker/memory/queues.hpp>
#include <taskflux/broker/memory/waiting.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <vector>

namespace taskflux::memory {

/// The fetch to be woken when there are tasks in a queue: of those that look there and have not been woken, the first that has a
/// handler for the next task, or else the first for which there is another one; null for none.
template <class Waiters>
auto* choose_fetch(const Waiters& fetches, const task_queue& queue) {
    const auto* const next = queue.store().ready().front_spec();
    typename Waiters::value_type chosen = nullptr;
    for (auto* candidate : fetches) {
        const auto* const names = candidate->request->names.get();
        if (candidate->is_woken || !candidate->serves->place_of(queue.listed.name)) continue;
        if (!queue.has_work(names)) continue;
        if (!chosen) chosen = candidate;
        if (!names || !next || names->contains(next->name)) return candidate;
    }
    return chosen;
}

/// Wakes that fetch, and no other: it wakes the next when there is more.
template <class Waiters>
void wake_fetch(const Waiters& fetches, const task_queue& queue) {
    auto* const chosen = choose_fetch(fetches, queue);
    if (!chosen) return;
    chosen->is_woken = true;
    chosen->wake.set();
}

/// Whether the end of this task can still come about, as long as nobody serves its queue: one that has a deadline expires, and one
/// that waits for its subtasks ends with them. Before the first worker has come, one may be about to.
inline bool can_end_unserved(const task_queue& queue, const entry* task) {
    return !queue.attended().deserted() || !task || task->state == task_state::waiting_children || task->limit() != never;
}

/// When a wait for a result is to look next whether somebody serves its queue.
inline time_point next_look(const task_queue& queue, time_point now) {
    const auto& gone = queue.attended().deserted();
    return later(now, gone ? (std::min)(gone->patience(), detail::unserved_after) : detail::unserved_after);
}

/// Ends a wait for a result that nobody can produce any more, when there is no hope for another worker either. Where nobody has
/// served the queue yet, one may be about to. What is to be said of that is added to `unserved`.
inline void look_for_workers(waiting& who, queues& all, time_point now, std::vector<detail::unserved_queue>& unserved) {
    who.look_at = never;
    if (who.is_over || !who.awaited) return;
    auto& queue = all.look(who.awaited->queue);
    if (queue.is_served()) return;
    if (!can_end_unserved(queue, queue.find(who.awaited->key))) {
        const auto& gone = queue.attended().deserted();
        const auto hope_ends = later((std::max)(who.since, gone->since), gone->patience());
        if (hope_ends > now) {
            who.look_at = hope_ends;
        } else {
            who.deserted = gone;
            who.finish();
        }
    }
    if (queue.attended().notes_unserved()) unserved.emplace_back(who.awaited->queue, now - who.since);
}

}  // namespace taskflux::memory
