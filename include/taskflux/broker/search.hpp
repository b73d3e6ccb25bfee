#pragma once

#include <taskflux/core/search.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// What a broker looks for in one queue, newest first. What it does not read, as it may be stored unreadably, does not restrict:
/// the payload, and the words of an error, of which it knows only whether there is one.
struct search_query {
    std::string queue;
    search_filter filter;
    std::uint64_t from = 0;   ///< the number to begin at; 0: the newest
    std::size_t limit = 100;  ///< up to 1,000
};

/// What a bounded amount of work has found.
struct search_step {
    std::vector<task_record> tasks;  ///< newest first
    std::uint64_t from = 0;          ///< the number begun at
    std::uint64_t next = 0;          ///< the number to go on at; 0: that was all
    std::uint64_t looked_at = 0;     ///< how many numbers are done with, also such as have no tasks any more
    time_point back_to{};            ///< when those at `next` were submitted; 0: at the end, or none is near
};

}  // namespace taskflux
