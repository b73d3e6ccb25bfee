#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/tracer.h>

#include <utility>

namespace opentelemetry::trace {

class TracerProvider {
public:
    virtual ~TracerProvider() = default;
    virtual nostd::shared_ptr<Tracer> GetTracer(nostd::string_view name, nostd::string_view version = "",
                                                nostd::string_view schema_url = "") noexcept = 0;
};

class Provider {
public:
    static nostd::shared_ptr<TracerProvider> GetTracerProvider() noexcept { return provider(); }
    static void SetTracerProvider(nostd::shared_ptr<TracerProvider> to) noexcept { provider() = std::move(to); }

private:
    static nostd::shared_ptr<TracerProvider>& provider() {
        static nostd::shared_ptr<TracerProvider> global;
        return global;
    }
};

}  // namespace opentelemetry::trace
