#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <cstddef>
#include <cstring>
#include <string>

namespace opentelemetry::nostd {

/// As the library's own: made of strings and literals, not of std::string_view.
class string_view {
public:
    string_view() noexcept = default;
    string_view(const char* text) noexcept : data_(text), size_(std::strlen(text)) {}
    string_view(const std::string& text) noexcept : data_(text.c_str()), size_(text.size()) {}

    explicit operator std::string() const { return std::string(data_, size_); }

private:
    const char* data_ = "";
    std::size_t size_ = 0;
};

}  // namespace opentelemetry::nostd
