#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/cookies.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

namespace syntax {

/// cookie-octet: RFC 6265, section 4.1.1.
inline bool is_cookie_character(char c) {
    const auto code = static_cast<unsigned char>(c);
    return code > 0x20 && code < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

}  // namespace syntax

std::vector<std::string_view> cookies_named(std::string_view cookie, std::string_view name) {
    constexpr std::size_t most = 16;
    std::vector<std::string_view> found;
    while (!cookie.empty() && found.size() < most) {
        const auto end = (std::min)(cookie.find(';'), cookie.size());
        const auto pair = syntax::trimmed(cookie.substr(0, end));
        cookie.remove_prefix((std::min)(end + 1, cookie.size()));
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos || syntax::trimmed(pair.substr(0, equals)) != name) continue;
        auto value = syntax::trimmed(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        if (std::ranges::all_of(value, syntax::is_cookie_character)) found.push_back(value);
    }
    return found;
}

set_cookie::set_cookie(std::string name, std::string value) : name_(std::move(name)), value_(std::move(value)) {
    if (!syntax::is_token(name_)) {
        throw error(errc::invalid_argument,
                    "not the name of a cookie: " + taskflux::detail::in_quotes(name_) + "; it is a token of RFC 9110");
    }
    if (std::ranges::all_of(value_, syntax::is_cookie_character)) return;
    throw error(errc::invalid_argument,
                "the value of the cookie " + name_ + " has characters that a cookie can't have; encode it, as in base64url");
}

set_cookie& set_cookie::path(std::string path) {
    const auto is_allowed = [](char c) { return syntax::is_field_character(c) && c != ';' && c != '\t'; };
    if (!path.starts_with('/') || !std::ranges::all_of(path, is_allowed)) {
        throw error(errc::invalid_argument,
                    "not the path of a cookie: " + taskflux::detail::in_quotes(path) + "; it begins with / and has no semicolons");
    }
    path_ = std::move(path);
    return *this;
}

std::string set_cookie::text() const {
    std::string made = name_ + '=' + value_ + "; Path=" + path_;
    if (max_age_) made += "; Max-Age=" + std::to_string(max_age_->count());
    // Browsers refuse SameSite=None without it.
    if (secure_ || site_ == same_site::none) made += "; Secure";
    if (http_only_) made += "; HttpOnly";
    switch (site_) {
        case same_site::strict: return made += "; SameSite=Strict";
        case same_site::lax: return made += "; SameSite=Lax";
        case same_site::none: return made += "; SameSite=None";
    }
    return made;
}

}  // namespace taskflux::http
