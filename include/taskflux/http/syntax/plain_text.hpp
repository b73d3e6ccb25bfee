#pragma once

#include <taskflux/core/codec/text.hpp>

#include <string_view>

namespace taskflux::http::syntax {

/// UTF-8 without control characters.
inline bool is_plain_text(std::string_view text) {
    while (!text.empty()) {
        const auto size = taskflux::detail::utf8_sequence(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (size == 0 || first < 0x20 || first == 0x7f) return false;
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace taskflux::http::syntax
