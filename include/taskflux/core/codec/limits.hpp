#pragma once

#include <cstddef>

namespace taskflux {

/// How large a payload may be, both ways: what a peer would refuse to decode is refused on encode.
class decode_limits {
public:
    constexpr decode_limits() {}

    /// Nested objects and arrays. Default 32; 0 allows scalars only.
    constexpr decode_limits& max_depth(std::size_t levels) {
        max_depth_ = levels;
        return *this;
    }

    /// Bytes of text. Default 16 MiB.
    constexpr decode_limits& max_size(std::size_t bytes) {
        max_size_ = bytes;
        return *this;
    }

    constexpr std::size_t max_depth() const { return max_depth_; }
    constexpr std::size_t max_size() const { return max_size_; }

private:
    std::size_t max_depth_ = 32;
    std::size_t max_size_ = 16 * 1024 * 1024;
};

}  // namespace taskflux
