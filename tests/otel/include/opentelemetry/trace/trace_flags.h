#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/span.h>

#include <cstdint>

namespace opentelemetry::trace {

class TraceFlags {
public:
    TraceFlags() noexcept = default;
    explicit TraceFlags(std::uint8_t flags) noexcept : flags_(flags) {}

    void ToLowerBase16(nostd::span<char, 2> out) const noexcept {
        out.data()[0] = "0123456789abcdef"[flags_ >> 4];
        out.data()[1] = "0123456789abcdef"[flags_ & 15];
    }

private:
    std::uint8_t flags_ = 0;
};

}  // namespace opentelemetry::trace
