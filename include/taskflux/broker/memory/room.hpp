#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/family.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace taskflux::memory {

/// How many more tasks a queue takes.
struct room {
    std::size_t max_pending = 0;             ///< unfinished tasks, by the broker's options; 0: no bound
    std::optional<std::size_t> max_waiting;  ///< tasks that don't run, by the queue's limit

    /// Whether so many fit in any case.
    bool takes(const family_store& store, std::size_t many) const {
        return (max_pending == 0 || store.pending() + many <= max_pending) && (!max_waiting || waiting_in(store) + many <= *max_waiting);
    }

    /// Throws `queue_full` where these don't fit; those that are there already need no room.
    void check(family_store& store, const std::string& queue, const std::vector<new_task>& tasks, time_point now) const {
        const auto fresh = count_new(store, tasks, now);
        if (fresh == 0) return;
        if (max_waiting && waiting_in(store) + fresh > *max_waiting) {
            throw detail::backlog_full(queue, fresh, waiting_in(store), *max_waiting);
        }
        if (max_pending == 0 || store.pending() + fresh <= max_pending) return;
        throw error(errc::queue_full, "the queue has no room for " + std::to_string(fresh) + " more tasks: it has " +
                                          std::to_string(store.pending()) + " of at most " + std::to_string(max_pending) +
                                          " unfinished ones; submit them later, or raise memory_options::max_pending");
    }

private:
    static std::size_t waiting_in(const family_store& store) {
        return store.count(task_state::held) + store.count(task_state::scheduled) + store.count(task_state::waiting);
    }

    /// Of those with one own id or unique key only the first is new.
    static std::size_t count_new(family_store& store, const std::vector<new_task>& tasks, time_point now) {
        std::set<std::string> own_ids, unique_keys;
        std::size_t fresh = 0;
        for (const auto& one : tasks) {
            if (store.find_same(one, now)) continue;
            if (own_ids.contains(one.own_id) || unique_keys.contains(one.unique_key)) continue;  // neither has an empty one
            if (!one.own_id.empty()) own_ids.insert(one.own_id);
            if (!one.unique_key.empty()) unique_keys.insert(one.unique_key);
            ++fresh;
        }
        return fresh;
    }
};

}  // namespace taskflux::memory
