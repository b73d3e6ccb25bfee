#pragma once

#include <taskflux/broker/memory/entry.hpp>

#include <algorithm>
#include <map>

namespace taskflux::memory {

/// The tasks that have ended, in the order in which their retention does: one list per length of
/// retention, each in the order of ending, so that adding and finding the next are O(1).
class ended_tasks {
public:
    void add(entry& item, duration retention) { lists_[retention].push_back(item); }

    /// A task whose retention is over at `now`, or null.
    entry* overdue(time_point now) {
        std::erase_if(lists_, [](const auto& list) { return list.second.empty(); });
        for (const auto& [retention, list] : lists_) {
            if (!list.empty() && later(list.front()->when, retention) <= now) return list.front();
        }
        return nullptr;
    }

    /// The task that ended first, or null.
    entry* oldest() const {
        entry* found = nullptr;
        for (const auto& [retention, list] : lists_) {
            if (!list.empty() && (!found || list.front()->when < found->when)) found = list.front();
        }
        return found;
    }

    /// When the next retention ends, or `never`.
    time_point next() const {
        time_point soonest = never;
        for (const auto& [retention, list] : lists_) {
            if (!list.empty()) soonest = (std::min)(soonest, later(list.front()->when, retention));
        }
        return soonest;
    }

private:
    std::map<duration, entry_list> lists_;
};

}  // namespace taskflux::memory
