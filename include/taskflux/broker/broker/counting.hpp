#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/statistics.hpp>

#include <optional>

namespace taskflux::detail {

/// What an attempt that was settled counts as; nothing where it was given back.
inline std::optional<counted> counted_as(const settlement& end) {
    if (!end.counts) return std::nullopt;
    switch (end.how) {
        case settlement::kind::complete: return counted::attempt_succeeded;
        case settlement::kind::fail: return end.mark.has_timed_out ? counted::attempt_timed_out : counted::attempt_failed;
        case settlement::kind::retry: return end.mark.has_timed_out ? counted::attempt_timed_out : counted::attempt_retried;
        case settlement::kind::cancel: return counted::attempt_cancelled;
        case settlement::kind::release:
        case settlement::kind::suspend: break;
    }
    return std::nullopt;
}

/// Whether it says why an attempt failed.
inline bool is_error(const settlement& end) {
    return (end.how == settlement::kind::fail || end.how == settlement::kind::retry) && !end.data.empty();
}

}  // namespace taskflux::detail
