#pragma once

#include <taskflux/broker/memory/agenda.hpp>
#include <taskflux/broker/memory/queue.hpp>
#include <taskflux/broker/memory/queues.hpp>

#include <string>

namespace taskflux::memory {

/// Brings about what the ends of tasks mean for their parents and children, in whatever queues these are, and what
/// follows from that. `on_change(queue)` for each queue that was changed, to note it in `of`.
template <class OnChange>
void carry_consequences(queue_map& queues, agenda& of, time_point now, OnChange on_change) {
    const auto in = [&](const std::string& name, auto action) {
        const auto found = queues.find(name);
        if (found == queues.end()) return;
        auto& queue = *found->second;
        queue.advance_some(now);
        action(queue);
        on_change(queue);
    };
    while (!of.unsettled().empty()) {
        auto& first = **of.unsettled().begin();
        const auto consequences = first.take_consequences();
        of.note(first);
        for (const auto& child : consequences.ended) {
            in(child.parent.id.queue, [&](task_queue& queue) { queue.end_child(child, now); });
        }
        for (const auto& [parent, place] : consequences.orphans) {
            in(place.queue, [&, &id = parent, &own_id = place.own_id](task_queue& queue) {
                const auto key = queue.find_own(own_id);
                if (key && queue.is_child_of(*key, id)) queue.cancel(*key, now);
            });
        }
        for (const auto& place : consequences.starts) {
            in(place.queue, [&](task_queue& queue) {
                if (const auto key = queue.find_own(place.own_id)) queue.start(*key, now);
            });
        }
    }
}

}  // namespace taskflux::memory
