#pragma once

#include <taskflux/core/trace_context.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace taskflux {

namespace detail {

/// The value of two small hexadecimal digits; capital ones are not valid in these headers.
inline std::optional<unsigned> hex_byte(std::string_view two) {
    unsigned value = 0;
    for (const char c : two) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
        value = value << 4 | static_cast<unsigned>(is_digit ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/// Whether all digits are valid, and not all of them 0.
inline bool read_hex(std::string_view text, std::span<unsigned char> into) {
    for (std::size_t i = 0; i < into.size(); ++i) {
        const auto byte = hex_byte(text.substr(2 * i, 2));
        if (!byte) return false;
        into[i] = static_cast<unsigned char>(*byte);
    }
    return std::ranges::any_of(into, [](unsigned char byte) { return byte != 0; });
}

inline void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const auto byte : bytes) out += {digits[byte >> 4], digits[byte & 15]};
}

/// A member of a tracestate: key=value.
inline bool is_state_member(std::string_view member) {
    constexpr std::size_t longest = 256;
    const auto equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const auto key = member.substr(0, equals);
    const auto value = member.substr(equals + 1);
    const auto begins_key = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const auto is_in_key = [&](char c) { return begins_key(c) || std::string_view("_-*/@").find(c) != std::string_view::npos; };
    const auto is_in_value = [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; };
    return !key.empty() && key.size() <= longest && begins_key(key.front()) && std::ranges::all_of(key, is_in_key) &&
           !value.empty() && value.size() <= longest && value.back() != ' ' && std::ranges::all_of(value, is_in_value);
}

/// Without white space around its members and without empty ones; empty where it is not valid.
inline std::string read_tracestate(std::string_view text) {
    constexpr std::size_t most_members = 32;
    constexpr std::string_view blank = " \t";
    std::string made;
    std::set<std::string_view> keys;
    while (!text.empty()) {
        const auto comma = text.find(',');
        auto member = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        const auto first = member.find_first_not_of(blank);
        if (first == std::string_view::npos) continue;
        member = member.substr(first, member.find_last_not_of(blank) + 1 - first);
        const bool is_new = is_state_member(member) && keys.insert(member.substr(0, member.find('='))).second;
        if (!is_new || keys.size() > most_members) return {};
        if (!made.empty()) made += ',';
        made += member;
    }
    return made;
}

}  // namespace detail

std::optional<trace_context> trace_context::parse(std::string_view traceparent, std::string_view tracestate) {
    constexpr std::size_t size = 55, trace_at = 3, span_at = 36, flags_at = 53;
    if (traceparent.size() < size) return std::nullopt;
    if (traceparent[trace_at - 1] != '-' || traceparent[span_at - 1] != '-' || traceparent[flags_at - 1] != '-') return std::nullopt;
    const auto known = detail::hex_byte(traceparent.substr(0, 2));
    if (!known || *known == 0xff) return std::nullopt;
    if (traceparent.size() > size && (*known == 0 || traceparent[size] != '-')) return std::nullopt;
    trace_context made;
    const auto flags = detail::hex_byte(traceparent.substr(flags_at, 2));
    if (!flags || !detail::read_hex(traceparent.substr(trace_at), made.trace_) ||
        !detail::read_hex(traceparent.substr(span_at), made.span_)) {
        return std::nullopt;
    }
    made.flags_ = static_cast<std::uint8_t>(*flags & (sampled_flag | random_flag));
    made.state_ = detail::read_tracestate(tracestate);
    return made;
}

trace_context trace_context::start(bool sampled) {
    std::random_device random;
    trace_context made;
    const auto fill = [&](std::span<unsigned char> bytes) {
        while (std::ranges::all_of(bytes, [](unsigned char byte) { return byte == 0; })) {
            for (auto& byte : bytes) byte = static_cast<unsigned char>(random() & 0xff);
        }
    };
    fill(made.trace_);
    fill(made.span_);
    made.flags_ = static_cast<std::uint8_t>(random_flag | (sampled ? sampled_flag : 0));
    return made;
}

std::string trace_context::traceparent() const {
    std::string text = "00-";
    detail::append_hex(text, trace_);
    text += '-';
    detail::append_hex(text, span_);
    text += '-';
    const unsigned char flags[] = {flags_};
    detail::append_hex(text, flags);
    return text;
}

}  // namespace taskflux
