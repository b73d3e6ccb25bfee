#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/trace_context.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// A task that a handler works on: its data, its progress and log. Valid until the handler returns. Thread-safe.
class running_task {
public:
    /// Made by the worker.
    running_task(const delivery& what, const task_id& id, const detail::slot_job& job, taskflux::clock& clock, time_point ends,
                 detail::context_sink& sink)
        : what_(what), id_(id), job_(job), clock_(clock), ends_(ends), sink_(sink) {}

    const task_id& id() const { return id_; }

    /// The id that the task was submitted with, or empty.
    const std::string& own_id() const { return what_.own_id; }

    const std::string& name() const { return what_.spec->name; }

    /// For the library: how errors name it.
    std::string subject() const { return "task " + name() + " in queue " + id_.queue; }

    /// 1 for the first attempt. Deliveries that were lost with a crashed worker don't count.
    unsigned attempt() const { return what_.attempt; }

    /// The fencing token: it grows with every delivery, so that a store can refuse what an older attempt writes.
    std::uint32_t lease_token() const { return what_.token; }

    const header_map& headers() const { return what_.spec->headers; }

    /// The header's value, or empty.
    std::string_view header(std::string_view name) const {
        const auto found = headers().find(name);
        return found == headers().end() ? std::string_view() : std::string_view(found->second);
    }

    /// The place of this attempt in the trace that the task was submitted in: below the header `traceparent`, with a span of its
    /// own, another one for each attempt; with a tracer, that of its span. Subtasks go below it by themselves; pass it to what else the handler calls
    /// (`submit_options::trace`). Nothing where there is neither, or the header is not valid (W3C Trace Context, level 2).
    std::optional<trace_context> trace() const;

    /// The span of this attempt; null: its worker has no tracer (`worker_options::tracing`).
    attempt_span* span() const { return sink_.span(); }

    /// The broker's time: what its wall clock shows; tests move it.
    time_point now() const { return clock_.wall(); }

    /// Time until the attempt's timeout or the task's deadline, whichever comes first; `duration::max()` when
    /// there is neither.
    duration remaining() const {
        return ends_ == never ? (duration::max)() : (std::max)(ends_ - clock_.now(), duration::zero());
    }

    /// Whether the attempt should end now: the task was cancelled, its time is over, its lease was lost, or
    /// the worker shuts down.
    bool cancelled() const { return job_.stopping() || (ends_ != never && clock_.now() >= ends_); }

    /// Reports the task's progress: any value with a codec; `job::progress` reads the latest. Sent in the
    /// background; of values that are reported quickly one after the other, only the last may be sent. Errors: `too_large`
    /// for more than 1 MiB of JSON.
    template <class T>
    void progress(const T& value) const {
        report_progress(encode(value));
    }

    /// Adds a line to the task's log (the newest 100 lines, up to 256 KiB, are kept with the task) and to the worker's log.
    /// Bytes that are not UTF-8 are replaced; a text is cut at 16 KiB.
    void log(log_level level, std::string_view text, header_map fields = header_map()) const {
        log_line line;
        line.at = clock_.wall();
        line.level = level;
        line.text = detail::as_utf8(text);
        line.fields = std::move(fields);
        for (auto& [name, value] : line.fields) value = detail::as_utf8(value);
        sink_.on_log(std::move(line));
    }

protected:
    const delivery& what_;
    const task_id& id_;
    const detail::slot_job& job_;
    taskflux::clock& clock_;
    time_point ends_;
    detail::context_sink& sink_;

private:
    void report_progress(std::string encoded) const;
};

}  // namespace taskflux
