#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/trace/span.h>

#include <utility>

namespace opentelemetry::trace {

class DefaultSpan : public Span {
public:
    explicit DefaultSpan(SpanContext context) noexcept : context_(std::move(context)) {}

    void SetAttribute(nostd::string_view, const common::AttributeValue&) noexcept override {}
    void SetStatus(StatusCode, nostd::string_view) noexcept override {}
    void End(const EndSpanOptions&) noexcept override {}
    SpanContext GetContext() const noexcept override { return context_; }

private:
    SpanContext context_;
};

}  // namespace opentelemetry::trace
