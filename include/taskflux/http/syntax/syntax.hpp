#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http::syntax {

// What the values of HTTP fields are made of: RFC 9110, section 5.6.

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

inline bool is_token_character(char c) {
    return is_digit(c) || is_letter(c) || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

inline bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

/// What may stand in the value of a field: everything but control characters; a tab may.
inline bool is_field_character(char c) {
    return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t';
}

inline char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// ASCII letters alone, whatever the locale.
inline std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = lower(c);
    return made;
}

inline bool same_word(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](char a, char b) { return lower(a) == lower(b); });
}

inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// The value of a hexadecimal digit; 16: it is none.
inline unsigned hex_value(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    const char small = lower(c);
    return small >= 'a' && small <= 'f' ? static_cast<unsigned>(small - 'a' + 10) : 16;
}

/// Reads a field's value from its beginning on.
class scanner {
public:
    explicit scanner(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    std::size_t position() const { return at_; }

    void skip_blanks() {
        while (!at_end() && is_blank(text_[at_])) ++at_;
    }

    bool take(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    /// Empty: there is none here.
    std::string_view token() { return take_while(is_token_character); }

    template <class Predicate>
    std::string_view take_while(Predicate belongs) {
        const auto begin = at_;
        while (!at_end() && belongs(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    /// A quoted string without its quotes and backslashes. Nothing: it has no end, or control characters.
    std::optional<std::string> quoted() {
        if (!take('"')) return std::nullopt;
        std::string made;
        while (!at_end()) {
            char c = text_[at_++];
            if (c == '"') return made;
            if (c == '\\') {
                if (at_end()) return std::nullopt;
                c = text_[at_++];
            }
            if (!is_field_character(c)) return std::nullopt;
            made += c;
        }
        return std::nullopt;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

/// Takes the next member off a list by `separator`, those in quoted strings aside; trimmed, and empty ones left out. Nothing: that
/// was all.
inline std::optional<std::string_view> next_member(std::string_view& list, char separator = ',') {
    while (!list.empty()) {
        bool is_quoted = false;
        std::size_t end = 0;
        for (; end < list.size() && (is_quoted || list[end] != separator); ++end) {
            if (list[end] == '"') is_quoted = !is_quoted;
            if (is_quoted && list[end] == '\\' && end + 1 < list.size()) ++end;
        }
        const auto member = trimmed(list.substr(0, end));
        list.remove_prefix((std::min)(end + 1, list.size()));
        if (!member.empty()) return member;
    }
    return std::nullopt;
}

}  // namespace taskflux::http::syntax
