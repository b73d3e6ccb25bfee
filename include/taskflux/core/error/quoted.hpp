#pragma once

#include <taskflux/core/codec/text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// How much of a text from outside an error shows, in bytes, if nothing else is said.
inline constexpr std::size_t longest_quote = 64;

/// Appends the characters of `text` that fit into `longest` bytes, as UTF-8 on one line: control characters, line ends and
/// bytes that are not UTF-8 as "\n", "\x00" and so on; those of `escaped` after a backslash. Nothing behind the scheme of a URL:
/// it may be a password. False: that was not all.
inline bool append_printable(std::string& out, std::string_view text, std::size_t longest, std::string_view escaped = {}) {
    constexpr std::string_view hex = "0123456789abcdef", scheme_end = "://";
    const auto scheme = text.find(scheme_end);
    if (scheme != std::string_view::npos) longest = (std::min)(longest, scheme + scheme_end.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto valid = utf8_sequence(text.substr(at));
        const auto one = text.substr(at, (std::max)(valid, std::size_t(1)));
        at += one.size();
        if (at > longest) return false;
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(one[i]); };
        const bool is_control = byte(0) < 0x20 || byte(0) == 0x7f || (valid == 2 && byte(0) == 0xc2 && byte(1) < 0xa0);
        const bool ends_line = one == "\u2028" || one == "\u2029";
        if (valid != 0 && !is_control && !ends_line) {
            if (escaped.find(one) != std::string_view::npos) out += '\\';
            out += one;
        } else if (one == "\n" || one == "\r" || one == "\t") {
            out += one == "\n" ? "\\n" : one == "\r" ? "\\r" : "\\t";
        } else {
            for (std::size_t i = 0; i != one.size(); ++i) out += {'\\', 'x', hex[byte(i) >> 4], hex[byte(i) & 15]};
        }
    }
    return true;
}

/// A text from outside for an error: on one line, and in UTF-8, whatever it holds.
inline std::string printable(std::string_view text, std::size_t longest = longest_quote) {
    std::string out;
    if (!append_printable(out, text, longest)) out += "…";
    return out;
}

/// The same in quotes: `"abc"`, or `"abcdef"…` where it is longer.
inline std::string in_quotes(std::string_view text, std::size_t longest = longest_quote) {
    std::string out = "\"";
    const bool is_whole = append_printable(out, text, longest, "\"\\");
    return out += is_whole ? "\"" : "\"…";
}

}  // namespace taskflux::detail
