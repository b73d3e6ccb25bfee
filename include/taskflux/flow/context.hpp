#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/exec/job.hpp>
#include <taskflux/flow/failure.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// Where a context's news goes. Called from any thread.
class context_sink {
public:
    virtual void on_progress(std::string encoded) = 0;
    virtual void on_log(log_line line) = 0;

protected:
    ~context_sink() = default;
};

}  // namespace detail

/// What a handler knows about the attempt it makes, and its way to tell about it. Valid until the handler
/// returns. Thread-safe.
///
/// Cancellation reaches a coroutine through its own cancellation slot, as anywhere in Asio; a plain function
/// asks `cancelled()`.
class context {
public:
    /// Made by the worker.
    context(const delivery& what, const task_id& id, const detail::job& job, taskflux::clock& clock, time_point ends,
            detail::context_sink& sink)
        : what_(what), id_(id), job_(job), clock_(clock), ends_(ends), sink_(sink) {}
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    const task_id& id() const { return id_; }

    /// The id that the task was submitted with, or empty.
    const std::string& own_id() const { return what_.own_id; }

    const std::string& name() const { return what_.spec->name; }

    /// 1 for the first attempt. Deliveries that were lost with a crashed worker don't count.
    unsigned attempt() const { return what_.attempt; }

    /// Grows with every delivery: a store that is written under this token can refuse an older attempt.
    std::uint32_t lease_token() const { return what_.token; }

    const header_map& headers() const { return what_.spec->headers; }

    /// The header's value, or empty.
    std::string_view header(std::string_view name) const {
        const auto found = headers().find(name);
        return found == headers().end() ? std::string_view() : std::string_view(found->second);
    }

    /// The broker's time; tests move it.
    time_point now() const { return clock_.now(); }

    /// Time until the attempt's timeout or the task's deadline, whichever comes first; `duration::max()` when
    /// there is neither.
    duration remaining() const {
        return ends_ == never ? (duration::max)() : (std::max)(ends_ - clock_.now(), duration::zero());
    }

    /// Whether the attempt should end now: the task was cancelled, its time is over, its lease was lost, or
    /// the worker shuts down.
    bool cancelled() const { return job_.stopping() || (ends_ != never && clock_.now() >= ends_); }

    /// Reports how far the task is: any value with a codec; `job::progress` reads the latest. Sent in the
    /// background, values that follow each other quickly as one.
    template <class T>
    void progress(const T& value) {
        sink_.on_progress(encode(value));
    }

    /// Adds a line to the task's log (the newest hundred are kept with the task) and to the worker's log. What
    /// is not UTF-8 is replaced, what is over 16 KiB cut.
    void log(log_level level, std::string_view text, header_map fields = header_map()) {
        log_line line;
        line.at = clock_.now();
        line.level = level;
        line.text = detail::as_utf8(text);
        line.fields = std::move(fields);
        for (auto& [name, value] : line.fields) value = detail::as_utf8(value);
        sink_.on_log(std::move(line));
    }

private:
    const delivery& what_;
    const task_id& id_;
    const detail::job& job_;
    taskflux::clock& clock_;
    time_point ends_;
    detail::context_sink& sink_;
};

}  // namespace taskflux
