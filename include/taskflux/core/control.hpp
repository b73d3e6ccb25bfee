#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <exception>
#include <string>
#include <utility>

namespace taskflux {

/// Thrown by a handler: try again after `delay`, without counting this attempt. For "not now": a rate limit, a locked
/// resource. A task whose next attempt would come never, or not before its overall deadline, fails at once.
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

/// Thrown by a handler: the task fails for good, whatever its retry policy says.
class discard : public std::exception {
public:
    explicit discard(std::string reason) : reason_(std::move(reason)) {}

    const char* what() const noexcept override { return reason_.c_str(); }

private:
    std::string reason_;
};

}  // namespace taskflux
