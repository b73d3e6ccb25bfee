#pragma once

#include <taskflux/core/cron/fields.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace taskflux::detail {

/// The first time from `from` on that clocks show what the fields allow; of what they show twice, the first time counts, and
/// what they skip counts when they skip it. `Zone` is `zone`, or a test's.
template <class Zone>
std::optional<std::chrono::sys_seconds> next_by_local_time(const cron_fields& fields, std::chrono::sys_seconds from, const Zone& in) {
    // Not `to_local(from)`: what clocks skip in this very second counts.
    for (auto local = in.to_local(from - std::chrono::seconds(1)) + std::chrono::seconds(1);;) {
        const auto next = fields.next(local);
        if (!next) return std::nullopt;
        const auto when = in.first_at(*next);
        if (when >= from) return when;
        // It comes twice, and this is the second time. So does all else that clocks showed until they were set back.
        const auto before = in.at(when);
        local = (std::max)(*next + std::chrono::seconds(1), std::chrono::local_seconds(before.end.time_since_epoch() + before.offset));
    }
}

/// The first time from `from` on that clocks show what the fields allow, each time that they do, and not what they skip.
template <class Zone>
std::optional<std::chrono::sys_seconds> next_by_real_time(const cron_fields& fields, std::chrono::sys_seconds from, const Zone& in) {
    for (auto now = in.at(from);; now = in.at(from)) {
        const auto next = fields.next(std::chrono::local_seconds(from.time_since_epoch() + now.offset));
        if (!next) return std::nullopt;
        const std::chrono::sys_seconds when(next->time_since_epoch() - now.offset);
        if (when < now.end) return when;
        from = now.end;
    }
}

}  // namespace taskflux::detail
