#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <string>
#include <vector>

namespace taskflux {

/// An attempt that has failed.
struct attempt_failure {
    task_id task;
    std::string name;      ///< of the task
    unsigned attempt = 1;  ///< the first is 1
    failure why;
};

/// A coroutine handler that a worker runs.
struct running_handler {
    task_id task;
    std::string name;  ///< of the task
};

/// Learns what a worker serves and what goes wrong in it, for metrics and alarms: override what is of interest, and set it with
/// `worker_options::observer`. Each trouble is a log line too. The functions are called on the worker's threads, several at a
/// time; they must not block, and what they throw is ignored.
class worker_observer {
public:
    virtual ~worker_observer() = default;

    /// The worker is about to serve a queue. Once for each.
    virtual void on_queue(const std::string& /*queue*/) {}

    /// An attempt has failed; the task is tried again after `delay`.
    virtual void on_retry(const attempt_failure& /*of*/, duration /*delay*/) {}

    /// An attempt has failed, and no other follows: the task is a dead letter, as long as its `failed_retention` says.
    virtual void on_failed(const attempt_failure& /*of*/) {}

    /// A handler has thrown `throttled`, or failed an item of its batch so: `queue` starts nothing for `time` from now on.
    virtual void on_throttled(const std::string& /*queue*/, duration /*time*/) {}

    /// The worker's I/O executor has run nothing for `time`: one of the handlers `among`, or other code, blocks its thread.
    /// Called once each time. A handler that takes long should be a plain function, which runs on the CPU pool.
    virtual void on_blocked(const std::vector<running_handler>& /*among*/, duration /*time*/) {}

    /// The first task of this name has waited in a queue of the worker's for a third of its lease or longer, and this worker has
    /// no handler for it: there is no worker that has one, or all of them are busy. Called once for each name of a queue.
    virtual void on_unclaimed(const std::string& /*queue*/, const std::string& /*name*/) {}

    /// The handler `who` waits for a task (`client::run`, `job::result`) that has not begun, while handlers that wait so hold all
    /// slots of the worker. `is_deadlock`: no other worker serves the task's queue; the wait ends with `errc::no_worker`. Else
    /// called once for each name. A handler should await tasks by `context::call`, which lends the slot. `who` may be a plain
    /// function that blocks its thread (a future), also where such functions block all threads: that is never a deadlock here.
    virtual void on_starved(const running_handler& /*who*/, const task_id& /*awaited*/, bool /*is_deadlock*/) {}

    /// The worker was destroyed while `run` was under way: its handlers are cancelled, and their tasks given back. Or before the
    /// coroutine of `run` had begun, which then ends at once.
    virtual void on_abandoned() {}

protected:
    worker_observer() = default;
    worker_observer(const worker_observer&) = default;
    worker_observer& operator=(const worker_observer&) = default;
};

}  // namespace taskflux
