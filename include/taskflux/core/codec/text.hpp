#pragma once

#include <taskflux/core/codec/output.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// The length of the UTF-8 sequence at the front of `text`, 0 when it is not one. Unicode 15, table 3-7.
inline std::size_t utf8_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto within = [&](std::size_t i, unsigned low, unsigned high) {
        return byte(i) >= low && byte(i) <= high;
    };
    const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xBF); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return text.empty() ? 0 : 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;   // no overlong form
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogate
        return within(1, low, high) && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;   // no overlong form
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // nothing past U+10FFFF
        return within(1, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

/// How many bytes at the front need neither an escape nor a look at UTF-8.
inline std::size_t plain_prefix(std::string_view text) {
    // Eight bytes at a time: "Bit Twiddling Hacks", S. E. Anderson, hasless() and haszero().
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        const std::uint64_t special = (word & highs) | ((word - ones * 0x20) & ~word & highs) |
                                      has_zero(word ^ (ones * '"')) | has_zero(word ^ (ones * '\\'));
        if (special) break;
    }
    for (; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    }
    return i;
}

/// Appends one character that JSON wants escaped.
inline void append_escaped(output& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '"': out.append("\\\""); return;
        case '\\': out.append("\\\\"); return;
        case '\b': out.append("\\b"); return;
        case '\f': out.append("\\f"); return;
        case '\n': out.append("\\n"); return;
        case '\r': out.append("\\r"); return;
        case '\t': out.append("\\t"); return;
    }
    const auto code = static_cast<unsigned char>(c);
    out.append("\\u00");
    out.push_back(hex[code >> 4]);
    out.push_back(hex[code & 15]);
}

/// Appends `text` as a JSON string. Comes back with the position of the first byte that is not UTF-8, if any.
inline std::optional<std::size_t> append_string(output& out, std::string_view text) {
    out.push_back('"');
    for (std::size_t done = 0; done < text.size();) {
        const std::size_t plain = plain_prefix(text.substr(done));
        out.append(text.substr(done, plain));
        done += plain;
        if (done == text.size()) break;
        if (static_cast<unsigned char>(text[done]) < 0x80) {
            append_escaped(out, text[done++]);
            continue;
        }
        const std::size_t sequence = utf8_sequence(text.substr(done));
        if (sequence == 0) return done;
        out.append(text.substr(done, sequence));
        done += sequence;
    }
    out.push_back('"');
    return std::nullopt;
}

/// Appends a finite number in the shortest form that comes back exactly.
template <class Float>
void append_number(output& out, Float value) {
    constexpr std::size_t longest = 24;
    char* text = out.room(longest);
    const auto size = static_cast<std::size_t>(std::to_chars(text, text + longest, value).ptr - text);
    out.advance(size);
    // "-0" alone would come back as the integer 0, and a json::value's 3.0 as an integer.
    if (std::none_of(text, text + size, [](char c) { return c == '.' || c == 'e'; })) out.append(".0");
}

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, section 4, with padding.
inline void append_base64(output& out, std::string_view bytes) {
    out.room((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t at) {
            return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
        };
        const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        out.push_back(base64_alphabet[group >> 18]);
        out.push_back(base64_alphabet[group >> 12 & 63]);
        out.push_back(i + 1 < bytes.size() ? base64_alphabet[group >> 6 & 63] : '=');
        out.push_back(i + 2 < bytes.size() ? base64_alphabet[group & 63] : '=');
    }
}

/// Nothing when `text` is not base64 with padding.
inline std::optional<std::string> from_base64(std::string_view text) {
    static constexpr auto values = [] {
        std::array<unsigned char, 256> table{};
        table.fill(64);
        for (unsigned char i = 0; i < 64; ++i) table[static_cast<unsigned char>(base64_alphabet[i])] = i;
        return table;
    }();
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    text.remove_suffix(padding);
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    unsigned group = 0;
    int bits = 0;
    for (char c : text) {
        const unsigned value = values[static_cast<unsigned char>(c)];
        if (value == 64) return std::nullopt;
        group = (group << 6 | value) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(group >> bits & 0xFF));
        }
    }
    // Bits that no byte uses must be zero: one text for one value.
    if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
    return bytes;
}

}  // namespace taskflux::detail
