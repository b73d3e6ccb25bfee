#pragma once

#include <taskflux/broker/memory/queue.hpp>
#include <taskflux/core/time.hpp>

#include <cstdint>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// Which of a broker's queues have something to do, so that no fetch need look into all of them. It is told of each queue
/// that may have changed. Not thread-safe.
class agenda {
public:
    struct by_name {
        bool operator()(const task_queue* left, const task_queue* right) const { return left->listed.name < right->listed.name; }
    };
    using some_queues = std::set<task_queue*, by_name>;

    /// A queue may have changed. O(log n) of queues.
    void note(task_queue& queue) {
        auto& known = queue.listed;
        if (const auto due = queue.next(); due != known.due) {
            due_.erase({known.due, &queue});
            if (due != never) due_.emplace(due, &queue);
            known.due = due;
        }
        put(ready_, known.is_ready, queue, queue.has_work(nullptr));
        put(on_wall_, known.is_on_wall, queue, queue.follows_wall());
        put(unsettled_, known.is_unsettled, queue, queue.has_consequences());
        if (std::exchange(known.gone, queue.gone()) != queue.gone()) ++departures_;
    }

    /// When something falls due in any queue, at the earliest.
    time_point soonest() const { return due_.empty() ? never : due_.begin()->first; }

    /// The queues where something is due.
    std::vector<task_queue*> due(time_point now) const {
        std::vector<task_queue*> found;
        for (auto at = due_.begin(); at != due_.end() && at->first <= now; ++at) found.push_back(at->second);
        return found;
    }

    /// The queues with tasks that may start.
    const some_queues& ready() const { return ready_; }

    /// Those with tasks that wait for a time of the wall clock.
    const some_queues& on_wall() const { return on_wall_; }

    /// Those where something has come about that concerns others.
    const some_queues& unsettled() const { return unsettled_; }

    /// How often any consumer has gone from a queue: as long as it is the same, who had joined has still.
    std::uint64_t departures() const { return departures_; }

private:
    static void put(some_queues& where, bool& is_there, task_queue& queue, bool should_be) {
        if (std::exchange(is_there, should_be) == should_be) return;
        if (should_be) where.insert(&queue);
        else where.erase(&queue);
    }

    struct by_time {
        using timed = std::pair<time_point, task_queue*>;
        bool operator()(const timed& left, const timed& right) const {
            return std::tie(left.first, left.second->listed.name) < std::tie(right.first, right.second->listed.name);
        }
    };

    std::set<std::pair<time_point, task_queue*>, by_time> due_;
    some_queues ready_, on_wall_, unsettled_;
    std::uint64_t departures_ = 1;
};

}  // namespace taskflux::memory
