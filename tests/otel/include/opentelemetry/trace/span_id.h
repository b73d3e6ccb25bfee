#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/span.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace opentelemetry::trace {

class SpanId {
public:
    static constexpr int kSize = 8;

    SpanId() noexcept = default;
    explicit SpanId(nostd::span<const std::uint8_t, kSize> id) noexcept { std::memcpy(id_.data(), id.data(), id_.size()); }

    void ToLowerBase16(nostd::span<char, 2 * kSize> out) const noexcept {
        for (std::size_t i = 0; i < id_.size(); ++i) {
            out.data()[2 * i] = "0123456789abcdef"[id_[i] >> 4];
            out.data()[2 * i + 1] = "0123456789abcdef"[id_[i] & 15];
        }
    }
    bool IsValid() const noexcept { return id_ != decltype(id_)(); }

private:
    std::array<std::uint8_t, kSize> id_{};
};

}  // namespace opentelemetry::trace
