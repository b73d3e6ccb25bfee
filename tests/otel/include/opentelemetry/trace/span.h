#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/span_metadata.h>
#include <opentelemetry/trace/span_startoptions.h>

namespace opentelemetry::trace {

class Span {
public:
    Span() = default;
    virtual ~Span() = default;
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

    virtual void SetAttribute(nostd::string_view key, const common::AttributeValue& value) noexcept = 0;
    virtual void SetStatus(StatusCode code, nostd::string_view description = "") noexcept = 0;
    virtual void End(const EndSpanOptions& options = {}) noexcept = 0;
    virtual SpanContext GetContext() const noexcept = 0;
};

}  // namespace opentelemetry::trace
