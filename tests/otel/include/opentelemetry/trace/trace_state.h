#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/nostd/string_view.h>

#include <memory>
#include <string>

namespace opentelemetry::trace {

class TraceState {
public:
    static nostd::shared_ptr<TraceState> GetDefault() { return FromHeader(""); }
    static nostd::shared_ptr<TraceState> FromHeader(nostd::string_view header) noexcept {
        const auto made = std::make_shared<TraceState>();
        made->header_ = std::string(header);
        return made;
    }

    std::string ToHeader() const { return header_; }

private:
    std::string header_;
};

}  // namespace opentelemetry::trace
