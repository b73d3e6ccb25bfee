#pragma once

#include <taskflux/core/cron.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <algorithm>

namespace taskflux::detail {

/// A schedule that this node fires. A stale one does not fire before it has been read again.
struct known_schedule {
    schedule_entry entry;
    cron when;
    zone in;
    bool is_stale = false;

    /// When its next tick fires.
    time_point tick_due() const {
        const auto& next = entry.what.state.next;
        return !next || entry.what.state.paused ? never : due_at(entry.what.definition, *next);
    }

    /// When its next tick or a `run_now` is due.
    time_point due() const {
        if (is_stale) return never;
        return (std::min)(tick_due(), entry.what.state.run_at.value_or(never));
    }
};

}  // namespace taskflux::detail
