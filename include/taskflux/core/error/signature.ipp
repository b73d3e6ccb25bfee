#pragma once

#include <taskflux/core/error/signature.hpp>

#include <algorithm>

namespace taskflux::detail {

namespace signature {

// Of ASCII, whatever the locale.
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
inline bool is_of_word(char c) { return is_digit(c) || is_letter(c) || c == '_' || c == '-'; }
inline bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
inline bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

/// A word: all of it is an id where it is long and has digits, or is hexadecimal; otherwise its numbers are taken out.
inline void add_word(std::string& out, std::string_view word) {
    constexpr std::size_t long_word = 6, long_hex = 8;
    const bool has_digit = std::ranges::any_of(word, is_digit);
    const bool is_hexadecimal = word.size() >= long_hex && std::ranges::all_of(word, [](char c) { return is_hex(c) || c == '-'; });
    if ((has_digit && word.size() >= long_word) || (is_hexadecimal && std::ranges::any_of(word, is_hex))) {
        out += '#';
        return;
    }
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (!is_digit(word[i])) out += word[i];
        else if (i == 0 || !is_digit(word[i - 1])) out += '#';
    }
}

/// Whether a quote can begin a quoted part: not that of "can't".
inline bool may_open(std::string_view text, std::size_t at) { return at == 0 || !is_of_word(text[at - 1]); }

/// Where a part that is quoted from `at` on ends: at the next such quote that no letter follows. `npos`: it is none.
inline std::size_t end_of_quoted(std::string_view text, std::size_t at) {
    if (!may_open(text, at)) return std::string_view::npos;
    for (auto end = text.find(text[at], at + 1); end != std::string_view::npos; end = text.find(text[at], end + 1)) {
        if (end + 1 == text.size() || !is_of_word(text[end + 1])) return end;
    }
    return std::string_view::npos;
}

/// How many bytes of whole characters of UTF-8 fit into so many.
inline std::size_t whole_characters(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text.size();
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return most;
}

}  // namespace signature

void cut_utf8(std::string& text, std::size_t most) { text.resize(signature::whole_characters(text, most)); }

std::string signature_of(std::string_view message) {
    constexpr std::size_t most_read = 2048;  // of a message: what is said first
    const bool is_cut = message.size() > most_read;
    message = message.substr(0, signature::whole_characters(message, most_read));
    std::string made;
    for (std::size_t at = 0; at < message.size() && made.size() <= most_signature;) {
        const char c = message[at];
        if (signature::is_quote(c)) {
            const auto end = signature::end_of_quoted(message, at);
            if (end != std::string_view::npos) {
                made += '*';
                at = end + 1;
                continue;
            }
            if (is_cut && signature::may_open(message, at)) {  // what is quoted goes on behind what is read
                made += '*';
                break;
            }
        }
        if (signature::is_of_word(c)) {
            const auto* const begin = message.data() + at;
            const auto* const end = std::find_if_not(begin, message.data() + message.size(), signature::is_of_word);
            const std::string_view word(begin, static_cast<std::size_t>(end - begin));
            signature::add_word(made, word);
            at += word.size();
            continue;
        }
        if (!signature::is_blank(c)) made += c;
        else if (!made.empty() && made.back() != ' ') made += ' ';
        ++at;
    }
    cut_utf8(made, most_signature);
    while (!made.empty() && made.back() == ' ') made.pop_back();
    return made;
}

}  // namespace taskflux::detail
