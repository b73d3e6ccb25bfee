#pragma once

#include <taskflux/flow/worker_observer.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace taskflux::detail {

class attempt;
class attempt_owner;

/// A handler that is a plain function, and has begun to wait for tasks: it blocks its thread for their results, for instance by a
/// future. It is known from the calls that it makes on its thread; `has_returned` tells what it has not waited for.
struct plain_call {
    plain_call(running_handler h, const std::shared_ptr<attempt_owner>& c) : who(std::move(h)), crew(c) {}

    const running_handler who;
    const std::weak_ptr<attempt_owner> crew;  // which a wait that nobody waits for outlives
    std::atomic<bool> has_returned = false;
};

/// While the plain function of a handler runs on this thread.
class plain_scope {
public:
    explicit plain_scope(attempt& who);
    plain_scope(const plain_scope&) = delete;
    plain_scope& operator=(const plain_scope&) = delete;
    ~plain_scope();

    /// The one whose function runs on this thread, as it makes a call that waits for a task; null where there is none.
    static std::shared_ptr<const plain_call> current();

private:
    attempt& who_;
    plain_scope* const outer_;
    std::shared_ptr<plain_call> made_;
    std::shared_ptr<const void> hold_;  // with `made_`: of its slot and thread
};

}  // namespace taskflux::detail
