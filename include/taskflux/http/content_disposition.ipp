#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/http/content_disposition.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

namespace syntax {

inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto size = taskflux::detail::utf8_sequence(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

/// The value of the two hexadecimal digits behind the percent sign at `at`; nothing: there are none.
inline std::optional<char> percent_byte(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
    const auto high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    if (high > 15 || low > 15) return std::nullopt;
    return static_cast<char>(high << 4 | low);
}

/// As browsers write names of forms: their quotes and line ends are the only characters that they encode.
inline std::string without_form_escapes(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = percent_byte(text, i);
        if (byte && (*byte == '"' || *byte == '\r' || *byte == '\n')) {
            made += *byte;
            i += 2;
        } else {
            made += text[i];
        }
    }
    return made;
}

/// The quoted string at the front of `text`, which loses it. Nothing: it has no end.
inline std::optional<std::string> take_form_string(std::string_view& text) {
    std::string made;
    for (std::size_t i = 1; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            text.remove_prefix(i + 1);
            return without_form_escapes(made);
        }
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        // A quote that ends the value is no escaped one: "C:\".
        const bool ends_here = next == '"' && text.find('"', i + 2) == std::string_view::npos;
        if (c == '\\' && (next == '\\' || (next == '"' && !ends_here))) {
            made += next;
            ++i;
        } else {
            made += c;
        }
    }
    return std::nullopt;
}

/// RFC 8187: UTF-8''na%C3%AFve.txt
inline std::optional<std::string> extended_value(std::string_view text) {
    const auto first = text.find('\''), second = text.find('\'', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    const auto charset = text.substr(0, first);
    const bool is_latin = same_word(charset, "ISO-8859-1");
    if (!is_latin && !same_word(charset, "UTF-8")) return std::nullopt;
    std::string made;
    for (auto i = second + 1; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const auto byte = percent_byte(text, i);
            if (!byte) return std::nullopt;
            c = *byte;
            i += 2;
        } else if (!is_token_character(c)) {
            return std::nullopt;
        }
        const auto code = static_cast<unsigned char>(c);
        if (is_latin && code >= 0x80) {
            made += static_cast<char>(0xC0 | code >> 6);
            made += static_cast<char>(0x80 | (code & 0x3F));
        } else {
            made += c;
        }
    }
    return made;
}

}  // namespace syntax

std::optional<content_disposition> parse_content_disposition(std::string_view text) {
    text = syntax::trimmed(text);
    const auto take_token = [&] {
        const auto end = std::ranges::find_if_not(text, syntax::is_token_character);
        const auto token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(token.size());
        return token;
    };
    content_disposition made;
    made.type = syntax::lower(take_token());
    if (made.type.empty()) return std::nullopt;
    std::optional<std::string> extended;
    for (text = syntax::trimmed(text); !text.empty(); text = syntax::trimmed(text)) {
        if (text.front() != ';') return std::nullopt;
        text = syntax::trimmed(text.substr(1));
        if (text.empty() || text.front() == ';') continue;
        const auto key = syntax::lower(take_token());
        text = syntax::trimmed(text);
        if (key.empty() || text.empty() || text.front() != '=') return std::nullopt;
        text = syntax::trimmed(text.substr(1));
        std::optional<std::string> value;
        if (!text.empty() && text.front() == '"') {
            value = syntax::take_form_string(text);
        } else {
            // Not only tokens: some libraries write names without quotes.
            const auto end = (std::min)(text.find(';'), text.size());
            value = std::string(syntax::trimmed(text.substr(0, end)));
            text.remove_prefix(end);
        }
        if (!value) return std::nullopt;
        if (key == "filename*") {
            extended = syntax::extended_value(*value);
            if (!extended) return std::nullopt;
        }
        if (key == "name" && !made.name) made.name = std::move(value);
        if (key == "filename" && !made.file_name) made.file_name = std::move(value);
    }
    if (extended) made.file_name = std::move(extended);
    if ((made.name && !syntax::is_utf8(*made.name)) || (made.file_name && !syntax::is_utf8(*made.file_name))) return std::nullopt;
    return made;
}

std::string attachment(std::string_view file_name) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string plain, encoded;
    bool is_plain = true;
    for (std::size_t at = 0; at < file_name.size();) {
        const auto size = (std::max)(taskflux::detail::utf8_sequence(file_name.substr(at)), std::size_t(1));
        const auto one = file_name.substr(at, size);
        at += size;
        const auto first = static_cast<unsigned char>(one.front());
        const bool is_ascii = first < 0x80;
        const char shown = is_ascii && syntax::is_field_character(one.front()) && first != '\t' ? one.front() : '_';
        if (shown == '"' || shown == '\\') plain += '\\';
        plain += shown;
        is_plain = is_plain && is_ascii;
        for (const char c : is_ascii ? std::string_view(&shown, 1) : one) {
            const auto code = static_cast<unsigned char>(c);
            const bool is_kept = syntax::is_token_character(c) && c != '*' && c != '\'' && c != '%';
            if (is_kept) {
                encoded += c;
            } else {
                encoded += {'%', hex[code >> 4], hex[code & 15]};
            }
        }
    }
    std::string made = "attachment; filename=\"" + plain + '"';
    if (!is_plain) made += "; filename*=UTF-8''" + encoded;
    return made;
}

}  // namespace taskflux::http
