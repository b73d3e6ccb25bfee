#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/context/context.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/span_metadata.h>

#include <variant>

namespace opentelemetry::trace {

struct StartSpanOptions {
    std::variant<SpanContext, context::Context> parent = SpanContext::GetInvalid();
    SpanKind kind = SpanKind::kInternal;
};
struct EndSpanOptions {};

}  // namespace opentelemetry::trace
