#include "text.hpp"

#include <array>
#include <cstdio>

namespace {

/// A code point at the front of a text, and how many bytes it takes; 0 bytes: it is not UTF-8.
struct code_point {
    std::size_t length = 0;
    std::uint32_t value = 0;
};

code_point front(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {1, lead};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    std::uint32_t value = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = value >= 0xD800 && value < 0xE000;
    if (value < least[length] || value > 0x10FFFF || is_surrogate) return {};
    return {length, value};
}

bool is_harmless(std::uint32_t c) {
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    const bool turns_text = c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return !is_control && !turns_text;
}

void append_hex(std::string& out, const char* mark, char byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += mark;
    out += digits[static_cast<unsigned char>(byte) >> 4];
    out += digits[static_cast<unsigned char>(byte) & 0xFU];
}

/// Keeps the code points that `keep` accepts; writes the bytes of all others in hexadecimal.
template <class Keep>
std::string escaped(std::string_view bytes, const char* mark, Keep keep) {
    std::string out;
    while (!bytes.empty()) {
        const auto next = front(bytes);
        const bool is_kept = next.length > 0 && keep(next.value);
        const auto taken = next.length > 0 ? next.length : 1;
        if (is_kept) out += bytes.substr(0, taken);
        for (std::size_t i = 0; !is_kept && i < taken; ++i) append_hex(out, mark, bytes[i]);
        bytes.remove_prefix(taken);
    }
    return out;
}

}  // namespace

std::string encode_name(std::string_view bytes) {
    return escaped(bytes, "%", [](std::uint32_t c) { return c != '%'; });
}

std::string decode_name(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string printable(std::string_view bytes) { return escaped(bytes, "\\x", is_harmless); }

std::string grouped(std::uint64_t number) {
    auto text = std::to_string(number);
    for (auto at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) return std::to_string(bytes) + " B";
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < units.size(); ++unit) value /= 1000;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return text.data();
}
