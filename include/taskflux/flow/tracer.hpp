#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/trace_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

class running_task;

/// How an attempt has ended.
struct attempt_result {
    std::optional<settlement::kind> how;  ///< nothing: its lease was lost, and another worker has its task
    bool counts = true;                   ///< of a retry: as an attempt
    std::optional<failure> why;           ///< of a failure, and of a retry
};

/// The span of a submission. Its end is that of the object.
class send_span {
public:
    virtual ~send_span() = default;
    send_span(const send_span&) = delete;
    send_span& operator=(const send_span&) = delete;

    virtual void on_sent(const std::string& queue, const std::vector<submitted>& tasks) = 0;
    virtual void on_failed(const failure& why) = 0;

protected:
    send_span() = default;
};

/// The span of an attempt, from the call of its handler on. Its end is that of the object, where `on_end` has not come before: then
/// the attempt was abandoned.
class attempt_span {
public:
    virtual ~attempt_span() = default;
    attempt_span(const attempt_span&) = delete;
    attempt_span& operator=(const attempt_span&) = delete;

    /// For `running_task::trace`, below which subtasks go; nothing: that is as without a tracer.
    virtual std::optional<trace_context> place() const = 0;

    /// Something that lives while the span is the current one of its thread.
    struct attached {
        virtual ~attached() = default;
    };
    /// Around a handler that is a plain function, on its thread. Not for coroutines, which change threads and share them.
    virtual std::unique_ptr<attached> attach() = 0;

    virtual void on_end(const attempt_result& what) = 0;

protected:
    attempt_span() = default;
};

/// Makes spans of a tracing library for submissions and attempts; <taskflux/otel/tracing.hpp> has one. Set it with `client::traced_by`
/// and `worker_options::tracing`. Called on any thread, several at a time; must not block. What it and its spans throw is ignored.
class tracer {
public:
    virtual ~tracer() = default;
    tracer(const tracer&) = delete;
    tracer& operator=(const tracer&) = delete;

    /// Tasks are about to be submitted in one request. May change the headers of `what`, which is theirs. Null: no span.
    virtual std::unique_ptr<send_span> on_send(const std::string& queue, task_spec& what, std::size_t count) = 0;

    /// A handler is about to be called; `task` is valid for this call. `is_first`: nothing of the task was tried before, and
    /// its handler takes it alone. Null: no span.
    virtual std::unique_ptr<attempt_span> on_process(const running_task& task, bool is_first) = 0;

protected:
    tracer() = default;
};

namespace detail {

/// `broker::submit`, in a span where `by` is not null. The tasks have one specification.
asio::awaitable<std::vector<submitted>> submit_traced(broker_ptr broker, std::shared_ptr<tracer> by, std::string queue,
                                                      std::vector<new_task> tasks);

std::unique_ptr<attempt_span> begin_span(tracer& by, const running_task& task, bool is_first) noexcept;
std::unique_ptr<attempt_span::attached> attach_span(attempt_span& what) noexcept;
/// `end`: null where the lease was lost.
void end_span(attempt_span& what, const settlement* end) noexcept;

}  // namespace detail

}  // namespace taskflux
