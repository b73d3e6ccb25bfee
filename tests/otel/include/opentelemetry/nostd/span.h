#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <cstddef>

namespace opentelemetry::nostd {

template <class T, std::size_t Size>
class span {
public:
    span(T* data, std::size_t) noexcept : data_(data) {}

    T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return Size; }

private:
    T* data_;
};

}  // namespace opentelemetry::nostd
