#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <exception>
#include <string>
#include <utility>

namespace taskflux {

/// Thrown by a handler: try again after `delay`, without counting this attempt. For "not now": a rate limit, a locked
/// resource; other tasks of the queue go on (`throttled` holds all of them back). A task whose next attempt would come never, or not before its overall deadline, fails at once.
class retry_after : public std::exception {
public:
    explicit retry_after(duration delay) : delay_(delay) {
        if (delay < duration::zero()) throw error(errc::invalid_argument, "the delay of retry_after must not be negative: use zero or a longer time");
    }

    duration delay() const noexcept { return delay_; }
    const char* what() const noexcept override { return "to be tried again later"; }

private:
    duration delay_;
};

namespace detail {

/// How long a queue may be throttled at once.
struct throttle_bounds {
    static constexpr duration::rep least_ms = 1, most_ms = 24 * 3600000;
};

}  // namespace detail

/// Thrown by a handler: who it has asked wants to be left alone for `delay`, 1 ms to 24 h (a provider that answers 429). The
/// attempt is none: it does not count, no retry is used up, and the task goes back to the head of its lane with its journal. No
/// worker is handed a task of its queue before then; those that run go on, and so do those that a worker has fetched ahead or
/// gathers for a batch. A later one extends that time, and never shortens
/// it; `queue_control::end_throttle` ends it. Errors: `invalid_argument`.
class throttled : public std::exception {
public:
    explicit throttled(duration delay) : delay_(delay) {
        using bounds = detail::throttle_bounds;
        if (delay.count() >= bounds::least_ms && delay.count() <= bounds::most_ms) return;
        throw error(errc::invalid_argument, "throttled: " + std::to_string(delay.count()) + " ms is out of range: use 1 ms to 24 h, "
                                            "and pause the queue where it is to start nothing for longer");
    }

    duration delay() const noexcept { return delay_; }
    const char* what() const noexcept override { return "the queue is to start nothing for a while"; }

private:
    duration delay_;
};

/// Thrown by a handler: the task fails for good, whatever its retry policy says.
class discard : public std::exception {
public:
    explicit discard(std::string reason) : reason_(std::move(reason)) {}

    const char* what() const noexcept override { return reason_.c_str(); }

private:
    std::string reason_;
};

}  // namespace taskflux
