#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/codec/limits.hpp>

#include <boost/json/error.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

inline void check_decode_size(std::string_view text, const decode_limits& limits) {
    if (text.size() > limits.max_size())
        throw decode_error(
            errc::too_large, {},
            std::to_string(text.size()) + " bytes, the limit is " + std::to_string(limits.max_size()));
}

/// Strict JSON (RFC 8259, UTF-8 and surrogates checked, correctly rounded numbers) into `storage`.
inline boost::json::value parse_json(std::string_view text, const decode_limits& limits,
                                     boost::json::storage_ptr storage) {
    check_decode_size(text, limits);
    std::array<unsigned char, 1024> scratch;
    boost::json::parse_options options;
    options.max_depth = limits.max_depth();
    options.numbers = boost::json::number_precision::precise;
    boost::json::parser parser({}, options, scratch.data(), scratch.size());
    parser.reset(std::move(storage));
    boost::system::error_code ec;
    const std::size_t consumed = parser.write(text.data(), text.size(), ec);
    if (!ec) return parser.release();
    if (ec == boost::json::error::too_deep)
        throw decode_error(errc::too_large, {},
                           "nested deeper than " + std::to_string(limits.max_depth()) + " levels at byte " +
                               std::to_string(consumed));
    throw decode_error(errc::bad_payload, {},
                       "not valid JSON: " + ec.message() + " at byte " + std::to_string(consumed));
}

/// A parsed text, whose memory comes from the stack while it is small.
class document {
public:
    document(std::string_view text, const decode_limits& limits)
        : resource_(buffer_.data(), buffer_.size()), root_(parse_json(text, limits, &resource_)) {}
    document(const document&) = delete;
    document& operator=(const document&) = delete;

    const boost::json::value& root() const { return root_; }

private:
    std::array<unsigned char, 4096> buffer_;
    boost::json::monotonic_resource resource_;
    boost::json::value root_;
};

}  // namespace taskflux::detail
