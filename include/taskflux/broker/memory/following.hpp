#pragma once

#include <taskflux/broker/broker.hpp>

#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// A subtask that has ended, to be told to its parent.
struct ended_child {
    parent_link parent;
    std::string own_id;
    task_outcome outcome;
};

/// What has come about in a queue and concerns tasks that may be in other queues.
struct consequences {
    std::vector<ended_child> ended;
    std::vector<std::pair<task_key, child_place>> orphans;  ///< to be cancelled: their parents have ended
    std::vector<child_place> starts;   ///< continuations

    bool empty() const { return ended.empty() && orphans.empty() && starts.empty(); }
};

}  // namespace taskflux::memory
