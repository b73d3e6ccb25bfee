#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/http/basic.hpp>
#include <taskflux/http/syntax/plain_text.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

credentials credentials::parse(std::optional<std::string_view> authorization) {
    constexpr std::size_t longest = 8192;
    credentials made;
    if (!authorization) return made;
    made.is_ = kind::malformed;
    const auto text = syntax::trimmed(*authorization);
    if (text.size() > longest) return made;
    const auto end = (std::min)(text.find(' '), text.size());
    const auto scheme = text.substr(0, end);
    const auto rest = syntax::trimmed(text.substr(end));
    if (syntax::same_word(scheme, "Basic")) {
        const auto bytes = taskflux::detail::from_base64(rest);
        if (!bytes || !syntax::is_plain_text(*bytes)) return made;
        const auto colon = bytes->find(':');
        if (colon == std::string::npos) return made;
        made.is_ = kind::basic;
        made.name_ = bytes->substr(0, colon);
        made.secret_ = bytes->substr(colon + 1);
        return made;
    }
    if (syntax::same_word(scheme, "Bearer")) {
        // b64token: RFC 6750, section 2.1.
        const auto is_allowed = [](char c) {
            return syntax::is_letter(c) || syntax::is_digit(c) ||
                   (c != '\0' && std::string_view("-._~+/").find(c) != std::string_view::npos);
        };
        auto body = rest;
        while (body.ends_with('=')) body.remove_suffix(1);
        if (body.empty() || !std::ranges::all_of(body, is_allowed)) return made;
        made.is_ = kind::bearer;
        made.secret_ = rest;
        return made;
    }
    made.is_ = kind::other;
    made.secret_ = text;
    return made;
}

}  // namespace taskflux::http
