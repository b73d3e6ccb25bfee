#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker_observer.hpp>
#include <taskflux/flow/worker_options.hpp>
#include <taskflux/log.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a handler keeps while it waits for a task.
enum class kept_for_wait { slot, thread };

/// Says what happens in a worker: to its log, and to its observer. Throws nothing. Thread-safe.
class worker_monitor {
public:
    worker_monitor(const worker_options& options, std::string node, taskflux::clock& clock)
        : log_(options.log()), observer_(options.observer()), node_(std::move(node)), clock_(clock) {}

    /// A line about the worker itself, or about a task of it.
    void log(log_level level, std::string text, const task_id* task = nullptr) const noexcept;

    /// A handler's own line.
    void forward(const log_line& line, const task_id& task) const noexcept { log_(line, &task); }

    /// The worker is about to serve a queue; says no line.
    void serves(const std::string& queue) const noexcept;

    /// An attempt ends like this; says nothing unless it has failed.
    void attempt_ends(const attempt& of, const settlement& end) const noexcept;

    /// The I/O executor has run nothing for `time`, while these ran.
    void throttled(const attempt& of, duration time) const noexcept;
    void blocked(const std::vector<running_handler>& among, duration time) const noexcept;

    /// Tasks of this name wait in a queue, and nobody has taken the first of them for `waited`.
    void unclaimed(const std::string& queue, const std::string& name, duration waited) const noexcept;

    /// A handler waits for a task while handlers that wait keep all slots or threads, `count` of them; `is_certain`: for ever.
    void starved(const running_handler& who, const task_id& awaited, kept_for_wait what, std::size_t count,
                 bool is_certain) const noexcept;

    /// The worker was destroyed while it ran, or before.
    void abandoned(std::string text) const noexcept;

private:
    const log_sink log_;
    const std::shared_ptr<worker_observer> observer_;
    const std::string node_;
    taskflux::clock& clock_;
};

}  // namespace taskflux::detail
