#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/trace/span.h>

#include <utility>

namespace opentelemetry::trace {

/// The current span of this thread; the library keeps it in context/runtime_context.h.
inline nostd::shared_ptr<Span>& current_span() {
    static thread_local nostd::shared_ptr<Span> current;
    return current;
}

class Scope {
public:
    explicit Scope(const nostd::shared_ptr<Span>& span) noexcept : before_(std::exchange(current_span(), span)) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { current_span() = before_; }

private:
    nostd::shared_ptr<Span> before_;
};

}  // namespace opentelemetry::trace
