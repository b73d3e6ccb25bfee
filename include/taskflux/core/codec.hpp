#pragma once

#include <taskflux/core/codec/check.hpp>
#include <taskflux/core/codec/customise.hpp>
#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/codec/limits.hpp>
#include <taskflux/core/codec/parse.hpp>
#include <taskflux/core/codec/read.hpp>
#include <taskflux/core/codec/write.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace taskflux {

template <class T>
void codec<T>::encode(const T& value, std::string& out, const decode_limits& limits) {
    detail::writer writer(out, limits);
    writer.write(value, detail::path());
    writer.finish();
}

template <class T>
T codec<T>::decode(std::string_view text, const decode_limits& limits) {
    const detail::document document(text, limits);
    T value{};
    detail::reader::read(document.root(), value, detail::path());
    return value;
}

template <>
struct codec<raw> : detail::json_codec {
    static void encode(const raw& value, std::string& out, const decode_limits& limits = {}) {
        if (value.bytes.size() > limits.max_size())
            throw encode_error(errc::too_large, {},
                               "the limit of " + std::to_string(limits.max_size()) + " bytes is passed here");
        out.append(value.bytes);
    }

    static raw decode(std::string_view text, const decode_limits& limits = {}) {
        detail::check_decode_size(text, limits);
        return {std::string(text)};
    }
};

template <>
struct codec<void> : detail::json_codec {
    static void decode(std::string_view text, const decode_limits& limits = {}) {
        std::monostate nothing;
        const detail::document document(text, limits);
        detail::reader::read(document.root(), nothing, detail::path());
    }
};

/// Appends `value` to `out`, which is as before when this throws.
/// Throws `encode_error`: a NaN or infinity, a string that is not UTF-8, an enum's value without a name, a
/// year outside 0 … 9999 (`errc::bad_payload`), or more than `limits` allow (`errc::too_large`).
template <class T>
void encode(const T& value, std::string& out, const decode_limits& limits = {}) {
    detail::require_payload<T>();
    if constexpr (is_payload<T>) {
        const std::size_t before = out.size();
        try {
            if constexpr (detail::kind_of<T> != detail::kind::custom) {
                codec<T>::encode(value, out, limits);
            } else {
                codec<T>::encode(value, out);
                if (out.size() - before > limits.max_size())
                    throw encode_error(
                        errc::too_large, {},
                        "the limit of " + std::to_string(limits.max_size()) + " bytes is passed here");
            }
        } catch (...) {
            out.resize(before);
            throw;
        }
    }
}

/// The text of `value`; see the other form for what it throws.
template <class T>
std::string encode(const T& value, const decode_limits& limits = {}) {
    std::string out;
    taskflux::encode(value, out, limits);
    return out;
}

/// Reads a `T`. `decode<void>` accepts null.
/// Throws `decode_error`, which names the place: not JSON (RFC 8259, strictly), another shape or range than
/// `T`'s
/// (`errc::bad_payload`), or over `limits` (`errc::too_large`). O(size of the text).
template <class T>
T decode(std::string_view text, const decode_limits& limits = {}) {
    detail::require_payload<T>();
    if constexpr (!is_payload<T>) {
        return detail::refused<T>();
    } else if constexpr (detail::kind_of<T> != detail::kind::custom) {
        return codec<T>::decode(text, limits);
    } else {
        detail::check_decode_size(text, limits);
        return codec<T>::decode(text);
    }
}

}  // namespace taskflux
