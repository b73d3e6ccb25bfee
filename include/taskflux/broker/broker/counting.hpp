#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/statistics.hpp>

#include <optional>

namespace taskflux::detail {

/// How an attempt was settled that the broker made something else of than the settlement says.
using changed_end = std::optional<task_state>;  // the state of its task; nothing: it is as the settlement says

/// What an attempt that was settled counts as; nothing where it was given back.
inline std::optional<counted> counted_as(const settlement& end, const changed_end& became) {
    if (!end.counts) return std::nullopt;
    const bool is_failure = end.how == settlement::kind::fail || end.how == settlement::kind::retry;
    if (is_failure && became == task_state::cancelled) return counted::attempt_cancelled;
    if (is_failure && became == task_state::failed && !end.mark.has_timed_out) return counted::attempt_failed;
    switch (end.how) {
        case settlement::kind::complete: return counted::attempt_succeeded;
        case settlement::kind::fail: return end.mark.has_timed_out ? counted::attempt_timed_out : counted::attempt_failed;
        case settlement::kind::retry: return end.mark.has_timed_out ? counted::attempt_timed_out : counted::attempt_retried;
        case settlement::kind::cancel: return counted::attempt_cancelled;
        case settlement::kind::release:
        case settlement::kind::throttle:
        case settlement::kind::suspend: break;
    }
    return std::nullopt;
}

/// Whether the task's wait ended with this attempt. What is given back untouched is as if it had not been fetched.
inline bool has_waited(const settlement& end) {
    return end.mark.waited && end.how != settlement::kind::release && end.how != settlement::kind::throttle;
}

/// Whether it says why an attempt failed, and belongs to an error group: a task that was to be cancelled does not.
inline bool is_error(const settlement& end, const changed_end& became) {
    const bool is_failure = end.how == settlement::kind::fail || end.how == settlement::kind::retry;
    return is_failure && end.mark.spec && !end.data.empty() && became != task_state::cancelled;
}

/// Whether no attempt follows on a failure.
inline bool is_last_error(const settlement& end, const changed_end& became) {
    return end.how == settlement::kind::fail || became == task_state::failed;
}

}  // namespace taskflux::detail
