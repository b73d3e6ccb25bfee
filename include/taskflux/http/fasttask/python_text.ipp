#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/http/fasttask/python_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace taskflux::detail {

namespace python {

inline void append_hex(std::string& out, std::string_view front, std::uint32_t code, int digits) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += front;
    for (int i = digits - 1; i >= 0; --i) out += hex[(code >> (4 * i)) & 15];
}

/// The character of a UTF-8 sequence.
inline std::uint32_t code_point(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(sequence[i])); };
    switch (sequence.size()) {
        case 1: return byte(0);
        case 2: return (byte(0) & 31) << 6 | (byte(1) & 63);
        case 3: return (byte(0) & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63);
        default: return (byte(0) & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63);
    }
}

/// One character that is not ASCII, escaped as in JSON; returns how many bytes it has.
inline std::size_t append_escaped(std::string& out, std::string_view text) {
    constexpr std::uint32_t first_above = 0x10000, replacement = 0xfffd;
    const auto size = utf8_sequence(text);
    const auto code = size == 0 ? replacement : code_point(text.substr(0, size));
    if (code < first_above) {
        append_hex(out, "\\u", code, 4);
    } else {
        append_hex(out, "\\u", 0xd800 + ((code - first_above) >> 10), 4);
        append_hex(out, "\\u", 0xdc00 + ((code - first_above) & 0x3ff), 4);
    }
    return (std::max)(size, std::size_t(1));
}

inline bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace python

std::string python_json(std::string_view json) {
    std::string out;
    out.reserve(json.size() + json.size() / 8);
    bool is_in_string = false;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (!python::is_ascii(c)) {
            at += python::append_escaped(out, json.substr(at));
            continue;
        }
        ++at;
        if (is_in_string) {
            out += c;
            if (c == '"') is_in_string = false;
            if (c == '\\' && at < json.size() && python::is_ascii(json[at])) out += json[at++];
            continue;
        }
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
        out += c;
        if (c == '"') is_in_string = true;
        if (c == ',' || c == ':') out += ' ';
    }
    return out;
}

std::string python_json_string(std::string_view text) {
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (!python::is_ascii(c)) {
            at += python::append_escaped(out, text.substr(at));
            continue;
        }
        ++at;
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) python::append_hex(out, "\\u", static_cast<unsigned char>(c), 4);
                else out += c;
        }
    }
    return out += '"';
}

std::string python_repr(std::string_view text) {
    const bool in_double = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = in_double ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == quote || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            python::append_hex(out, "\\x", byte, 2);
        } else {
            out += c;
        }
    }
    return out += quote;
}

}  // namespace taskflux::detail
