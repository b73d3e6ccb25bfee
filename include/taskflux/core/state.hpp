#pragma once

#include <boost/describe/enum.hpp>

#include <array>
#include <cstddef>

namespace taskflux {

/// Where a task is in its life; `is_terminal` where it has ended. Append only: these numbers are stored on servers, and
/// scripts get them from here; at most 16.
enum class task_state {
    held,              ///< submitted, and waits to be started by hand
    scheduled,         ///< waits until it is due (a delay, or a retry's back-off)
    waiting,           ///< ready for any worker
    running,           ///< leased to a worker
    waiting_children,  ///< its handler has returned, its subtasks have not all ended
    succeeded,
    failed,     ///< a dead letter: kept for inspection, can be requeued
    cancelled,
    expired,    ///< not started by its deadline
};
BOOST_DESCRIBE_ENUM(task_state, held, scheduled, waiting, running, waiting_children, succeeded, failed,
                    cancelled, expired)

/// How many states there are, with the numbers from 0 on.
inline constexpr std::size_t task_state_count = 9;

/// What can happen to a task.
enum class task_event {
    start,     ///< a held task is released
    promote,   ///< a scheduled task falls due, or is made due by hand
    fetch,     ///< a worker takes it
    complete,  ///< the attempt returned a result
    suspend,   ///< the attempt returned with open children
    fail,      ///< the attempt failed for good; or the children's policy says so
    retry,     ///< the attempt failed and another is due later
    release,   ///< the worker gives it back untouched
    recover,   ///< the worker's lease ran out, and another delivery is allowed
    crash,     ///< the worker's lease ran out once too often
    cancel,    ///< cancelled; for a running task, when its handler has ended
    expire,    ///< not started by its deadline
    time_out,  ///< tried before, and its overall deadline passed
    requeue,   ///< a task that ended without success is tried afresh
    replace,   ///< a later submission with its unique key takes its place before it has started
};
BOOST_DESCRIBE_ENUM(task_event, start, promote, fetch, complete, suspend, fail, retry, release, recover, crash,
                    cancel, expire, time_out, requeue, replace)

/// One legal step of a task's life.
struct transition {
    task_state from;
    task_event event;
    task_state to;
};

/// Every legal step; whatever is not here is refused by both brokers.
inline constexpr auto transitions = [] {
    using enum task_state;
    using enum task_event;
    return std::array<transition, 36>{{
        {held, start, waiting},
        {held, start, scheduled},
        {held, cancel, cancelled},
        {held, expire, expired},
        {scheduled, promote, waiting},
        {scheduled, cancel, cancelled},
        {scheduled, expire, expired},
        {scheduled, time_out, failed},
        {waiting, fetch, running},
        {waiting, cancel, cancelled},
        {waiting, expire, expired},
        {waiting, time_out, failed},
        {running, complete, succeeded},
        {running, suspend, waiting_children},
        {running, fail, failed},
        {running, retry, scheduled},
        {running, retry, waiting},
        {running, release, waiting},
        {running, recover, waiting},
        {running, crash, failed},
        {running, cancel, cancelled},
        {running, time_out, failed},
        {waiting_children, complete, succeeded},
        {waiting_children, fail, failed},
        {waiting_children, cancel, cancelled},
        {waiting_children, time_out, failed},
        {failed, requeue, waiting},
        {cancelled, requeue, waiting},
        {expired, requeue, waiting},
        {held, replace, held},
        {held, replace, scheduled},
        {held, replace, waiting},
        {scheduled, replace, scheduled},
        {scheduled, replace, waiting},
        {waiting, replace, scheduled},
        {waiting, replace, waiting},
    }};
}();

/// Whether `event` may take a task from `from` to `to`.
constexpr bool is_legal(task_state from, task_event event, task_state to) {
    for (const auto& step : transitions) {
        if (step.from == from && step.event == event && step.to == to) return true;
    }
    return false;
}

/// Whether `event` may happen to a task in `from` at all.
constexpr bool is_legal(task_state from, task_event event) {
    for (const auto& step : transitions) {
        if (step.from == from && step.event == event) return true;
    }
    return false;
}

/// Whether a task in this state has ended.
constexpr bool is_terminal(task_state state) {
    switch (state) {
        case task_state::succeeded:
        case task_state::failed:
        case task_state::cancelled:
        case task_state::expired: return true;
        case task_state::held:
        case task_state::scheduled:
        case task_state::waiting:
        case task_state::running:
        case task_state::waiting_children: return false;
    }
    return false;
}

/// Whether no attempt has been made of a task in this state, or the next one is still to come.
constexpr bool is_before_attempt(task_state state) {
    return state == task_state::held || state == task_state::scheduled || state == task_state::waiting;
}

/// Whether a task in this state has made an attempt that has not failed: it runs, or has returned.
constexpr bool has_unfailed_attempt(task_state state) {
    return state == task_state::running || state == task_state::waiting_children || state == task_state::succeeded;
}

}  // namespace taskflux
