#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/common/attribute_value.h>
#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/default_span.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <functional>

namespace opentelemetry::trace {

/// What the library hands to an SDK as iterables: visits each pair.
using attribute_visitor = std::function<void(nostd::string_view, const common::AttributeValue&)>;
using each_attribute = std::function<void(const attribute_visitor&)>;
using each_link = std::function<void(const std::function<void(const SpanContext&)>&)>;

class Tracer {
public:
    virtual ~Tracer() = default;

    template <class Attributes, class Links>
    nostd::shared_ptr<Span> StartSpan(nostd::string_view name, const Attributes& attributes, const Links& links,
                                      const StartSpanOptions& options = {}) noexcept {
        const auto each = [&](const attribute_visitor& visit) {
            for (const auto& [key, value] : attributes) visit(key, value);
        };
        const auto each_linked = [&](const std::function<void(const SpanContext&)>& visit) {
            for (const auto& [context, with] : links) visit(context);
        };
        return start(name, each, each_linked, options);
    }

    static nostd::shared_ptr<Span> GetCurrentSpan() noexcept {
        const auto& current = current_span();
        return current ? current : nostd::shared_ptr<Span>(new DefaultSpan(SpanContext::GetInvalid()));
    }

protected:
    virtual nostd::shared_ptr<Span> start(nostd::string_view name, const each_attribute& attributes, const each_link& links,
                                          const StartSpanOptions& options) = 0;
};

}  // namespace opentelemetry::trace
