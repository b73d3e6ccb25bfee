#pragma once

#include <taskflux/core/search.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// Some of the tasks that a search has found, and how far it has looked.
struct search_page {
    std::vector<task_record> tasks;
    std::string cursor;           ///< for the next page; empty: there is none, all has been looked at
    std::uint64_t looked_at = 0;  ///< how many numbers of tasks this page is done with, also such as have no tasks any more
    std::string queue;            ///< where it has stopped: tasks of this queue, submitted before `back_to`, come next
    time_point back_to{};         ///< 0: at the newest, or not known
    std::vector<std::string> unreadable;  ///< queues that this version can't read: of them the page has none
};

}  // namespace taskflux
