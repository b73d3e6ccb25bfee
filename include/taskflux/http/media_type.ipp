#pragma once

#include <taskflux/http/media_type.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

std::optional<media_type> media_type::parse(std::string_view text) {
    constexpr std::size_t most_parameters = 16;
    syntax::scanner in(syntax::trimmed(text));
    media_type made;
    made.type_ = syntax::lower(in.token());
    if (made.type_.empty() || !in.take('/')) return std::nullopt;
    made.subtype_ = syntax::lower(in.token());
    if (made.subtype_.empty()) return std::nullopt;
    for (in.skip_blanks(); !in.at_end(); in.skip_blanks()) {
        if (!in.take(';')) return std::nullopt;
        in.skip_blanks();
        if (in.at_end() || in.peek() == ';') continue;  // an empty parameter
        std::string name = syntax::lower(in.token());
        if (name.empty() || !in.take('=') || made.parameters_.size() == most_parameters) return std::nullopt;
        std::string value;
        if (in.peek() == '"') {
            auto quoted = in.quoted();
            if (!quoted) return std::nullopt;
            value = std::move(*quoted);
        } else {
            value = in.token();
            if (value.empty()) return std::nullopt;
        }
        made.parameters_.emplace_back(std::move(name), std::move(value));
    }
    return made;
}

bool media_type::is_utf8() const {
    const auto* const charset = parameter("charset");
    return !charset || syntax::same_word(*charset, "utf-8") || syntax::same_word(*charset, "utf8") ||
           syntax::same_word(*charset, "us-ascii");
}

}  // namespace taskflux::http
