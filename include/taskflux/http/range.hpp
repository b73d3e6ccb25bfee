#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// Bytes `first` to `last`, both included.
struct byte_range {
    std::uint64_t first = 0, last = 0;

    std::uint64_t size() const { return last - first + 1; }

    friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What a Range asks for of so many bytes.
class range_choice {
public:
    enum class kind {
        whole,         ///< 200: there is no range that counts
        partial,       ///< 206 with `ranges()`: one as it is, several as multipart/byteranges
        unsatisfiable  ///< 416 with `Content-Range: bytes */size`
    };

    explicit range_choice(kind is, std::vector<byte_range> ranges = {}) : is_(is), ranges_(std::move(ranges)) {}

    kind is() const { return is_; }

    /// In the order in which they were asked for; none overlaps or touches another, so that together they are never more than
    /// the whole.
    const std::vector<byte_range>& ranges() const { return ranges_; }

private:
    kind is_;
    std::vector<byte_range> ranges_;
};

/// Reads a Range (RFC 9110, section 14.2), for a GET whose If-Range holds, of what has `size` bytes. What is no valid range, of
/// another unit, or asks for more than `most` ranges does not count.
range_choice choose_ranges(std::string_view range, std::uint64_t size, std::size_t most = 16);

/// The value of a Content-Range: `bytes 0-9/100`.
std::string content_range(const byte_range& range, std::uint64_t size);
/// That of an answer 416: `bytes */100`.
std::string unsatisfied_range(std::uint64_t size);

/// What stands before a range's bytes in a body of `multipart/byteranges; boundary=...`. `type`: empty for none.
std::string range_head(std::string_view boundary, std::string_view type, const byte_range& range, std::uint64_t size);
/// What stands behind the bytes of the last one.
std::string range_end(std::string_view boundary);

}  // namespace taskflux::http
