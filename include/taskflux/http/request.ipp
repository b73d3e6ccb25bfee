#pragma once

#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/request.hpp>

#include <algorithm>
#include <string>

namespace taskflux {

namespace detail {

/// The value of a hexadecimal digit; 16 where it is none.
inline unsigned hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return 16;
}

/// The target of a request in the form for proxies, `http://host/path`, without scheme and host.
inline std::string_view origin_form(std::string_view target) {
    if (target.empty() || target.front() == '/') return target;
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) return target;
    const auto name = target.substr(0, scheme);
    if (!http::same_word(name, "http") && !http::same_word(name, "https")) return target;
    const auto path = target.find_first_of("/?", scheme + 3);
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

[[noreturn]] inline void fail_target(std::string_view part, const std::string& why) {
    throw http::problem(400, "the path or query of the request can't be read: " + in_quotes(part) + " " + why).code("bad_target");
}

inline std::string decoded_part(std::string_view part, bool plus) {
    auto text = http::percent_decoded(part, plus);
    if (!text) fail_target(part, "has a % without two hexadecimal digits behind it, or is not UTF-8; encode % as %25");
    return std::move(*text);
}

}  // namespace detail

namespace http {

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+' && plus) {
            out += ' ';
        } else if (text[at] != '%') {
            out += text[at];
        } else {
            if (text.size() - at < 3) return std::nullopt;
            const auto high = detail::hex_value(text[at + 1]), low = detail::hex_value(text[at + 2]);
            if (high > 15 || low > 15) return std::nullopt;
            out += static_cast<char>(high << 4 | low);
            at += 2;
        }
    }
    if (!detail::is_utf8(out)) return std::nullopt;
    return out;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF", marks = "-._~";
    std::string out;
    for (const char c : text) {
        const auto letter = detail::lower_letter(c);
        if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return out;
}

std::optional<std::string_view> request::parameter(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::string_view request::path() const {
    const auto whole = detail::origin_form(target);
    return whole.substr(0, whole.find('?'));
}

void request::split_target() {
    segments.clear();
    query.clear();
    const auto whole = detail::origin_form(target);
    const auto asked = whole.find('?');
    auto rest = whole.substr(0, asked);
    if (rest == "*" && method == "OPTIONS") return;
    if (rest.empty() && asked == 0) rest = "/";  // http://host?query
    if (rest.empty() || rest.front() != '/') detail::fail_target(target, "does not begin with /");
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto end = (std::min)(rest.find('/'), rest.size());
        const auto part = rest.substr(0, end);
        if (part == "." || part == "..") detail::fail_target(target, "has a segment . or ..; send the path that it stands for");
        segments.push_back(detail::decoded_part(part, false));
        rest.remove_prefix(end);
    }
    if (asked == std::string_view::npos) return;
    auto pairs = whole.substr(asked + 1);
    while (!pairs.empty()) {
        const auto end = (std::min)(pairs.find('&'), pairs.size());
        const auto one = pairs.substr(0, end);
        pairs.remove_prefix((std::min)(end + 1, pairs.size()));
        if (one.empty()) continue;
        const auto equals = (std::min)(one.find('='), one.size());
        auto name = detail::decoded_part(one.substr(0, equals), true);
        auto value = detail::decoded_part(one.substr((std::min)(equals + 1, one.size())), true);
        query.emplace_back(std::move(name), std::move(value));
    }
}

}  // namespace http
}  // namespace taskflux
