#pragma once

#include <taskflux/core/time.hpp>

#include <cstdint>
#include <string>

namespace taskflux::memory {

/// What a broker's agenda knows of one of its queues.
struct listing {
    std::string name;
    time_point due = never;
    bool is_ready = false;
    bool is_on_wall = false;
    bool is_unsettled = false;
    std::uint64_t gone = 0;  ///< consumers that have left or lost their leases
};

}  // namespace taskflux::memory
