#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/trace/span_id.h>
#include <opentelemetry/trace/trace_flags.h>
#include <opentelemetry/trace/trace_id.h>
#include <opentelemetry/trace/trace_state.h>

#include <utility>

namespace opentelemetry::trace {

class SpanContext {
public:
    SpanContext(bool, bool is_remote) noexcept : is_remote_(is_remote), state_(TraceState::GetDefault()) {}
    SpanContext(TraceId trace, SpanId span, TraceFlags flags, bool is_remote,
                nostd::shared_ptr<TraceState> state = TraceState::GetDefault()) noexcept
        : trace_(trace), span_(span), flags_(flags), is_remote_(is_remote), state_(std::move(state)) {}

    static SpanContext GetInvalid() noexcept { return SpanContext(false, false); }

    bool IsValid() const noexcept { return trace_.IsValid() && span_.IsValid(); }
    bool IsRemote() const noexcept { return is_remote_; }
    const TraceId& trace_id() const noexcept { return trace_; }
    const SpanId& span_id() const noexcept { return span_; }
    const TraceFlags& trace_flags() const noexcept { return flags_; }
    const nostd::shared_ptr<TraceState> trace_state() const noexcept { return state_; }

private:
    TraceId trace_;
    SpanId span_;
    TraceFlags flags_;
    bool is_remote_;
    nostd::shared_ptr<TraceState> state_;
};

}  // namespace opentelemetry::trace
