#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/fwd.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Receives the log lines of a worker, service, scheduler, node or broker, and those that handlers write: a function that takes
/// a `const log_line&` and the task's id, or a null pointer where the line is about no task; or one that takes the text alone.
///
/// Default: warnings and errors go to the standard error stream, so that nothing fails in silence. `nullptr` silences. The
/// function is called on any thread, several at a time; what it throws is ignored.
class log_sink {
public:
    log_sink() : log_sink(standard_error(log_level::warning)) {}
    log_sink(std::nullptr_t) {}

    template <std::invocable<const log_line&, const task_id*> Function>
        requires(!std::same_as<Function, log_sink>)
    log_sink(Function function) : function_(std::move(function)) {}

    template <std::invocable<std::string_view> Function>
        requires(!std::same_as<Function, log_sink> && !std::invocable<Function, const log_line&, const task_id*>)
    log_sink(Function function)
        : function_([function = std::move(function)](const log_line& line, const task_id*) mutable {
              function(std::string_view(line.text));
          }) {}

    /// Writes lines of this level and above to the standard error stream, each with its time, level, text, task and fields.
    static log_sink standard_error(log_level least);

    void operator()(const log_line& line, const task_id* task = nullptr) const noexcept {
        if (!function_) return;
        try {
            function_(line, task);
        } catch (...) {  // whatever becomes of a log, tasks go on
        }
    }

    /// A line about no task, with the current time.
    void operator()(log_level level, std::string text) const noexcept;

    /// The same sink, for lines whose time is what the wall clock of `source` shows, which must outlive them: all that runs on a
    /// broker logs in the broker's time. What a Redis broker says of its connection is in the system's.
    log_sink in_time_of(clock& source) const {
        auto made = *this;
        made.clock_ = &source;
        return made;
    }

private:
    std::function<void(const log_line&, const task_id*)> function_;
    clock* clock_ = nullptr;  // null: the system's
};

namespace detail {

/// `2026-01-31T12:00:00.25Z warning text task="default:~1.x" name="value"`: a line whatever the text holds, with no end.
std::string log_text(const log_line& line, const task_id* task);

}  // namespace detail

}  // namespace taskflux
