#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// How long what has a name may be, and of which bytes: one table for all calls and all brokers. What is stored with its length
// in a few bytes fits because of it.
namespace taskflux::detail {

/// Which bytes a name may have.
enum class name_rule {
    word,   ///< A-Z a-z 0-9 _ - . /
    id,     ///< no control characters, and nothing like the ids that queues give
    line,   ///< UTF-8 without control characters
    text,   ///< UTF-8
    bytes,  ///< any
};

struct name_limit {
    std::string_view what;  ///< for the error
    std::size_t most;       ///< bytes
    name_rule rule;
};

namespace limits {

inline constexpr name_limit queue{"queue name", 128, name_rule::word};
/// A contract's is a word, see `checked_name`.
inline constexpr name_limit task{"task name", 128, name_rule::line};
/// A service's is made of a prefix and its name.
inline constexpr name_limit board{"board name", 200, name_rule::word};
inline constexpr name_limit board_row{"id of a row on a board", 256, name_rule::bytes};
inline constexpr name_limit schedule{"schedule id", 512, name_rule::bytes};
/// A subtask's is made of its parent's id and the name of the call; users give shorter ones, see `checked_own_id`.
inline constexpr name_limit own_id{"own id", 1024, name_rule::id};
inline constexpr name_limit unique_key{"unique key", 1024, name_rule::bytes};
/// What the limits of each key count by.
inline constexpr name_limit key{"key", 256, name_rule::line};
inline constexpr name_limit worker{"worker name", 200, name_rule::line};
/// Made of a worker's name and a random word.
inline constexpr name_limit consumer{"consumer name", 255, name_rule::line};
/// Of steps, subtasks and signals.
inline constexpr name_limit call{"call name", 200, name_rule::text};
/// Made of a letter, a call's name or the own id of a subtask, and a number.
inline constexpr name_limit journal_key{"key in a journal", 2048, name_rule::bytes};
/// Of a service.
inline constexpr name_limit instance{"instance id", 128, name_rule::word};
inline constexpr name_limit host{"host name", 255, name_rule::line};
/// Of who sets a limit.
inline constexpr name_limit reason{"reason", 1024, name_rule::text};
inline constexpr name_limit header{"header name", 256, name_rule::text};
inline constexpr name_limit header_value{"header value", 65536, name_rule::text};

}  // namespace limits

inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto sequence = utf8_sequence(text);
        if (sequence == 0) return false;
        text.remove_prefix(sequence);
    }
    return true;
}

inline bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

inline bool follows(name_rule rule, std::string_view name) {
    switch (rule) {
        case name_rule::word: return std::ranges::all_of(name, is_name_character);
        case name_rule::id: return !name.starts_with('~') && !has_control_characters(name) && !looks_like_printed_id(name);
        case name_rule::line: return is_utf8(name) && !has_control_characters(name);
        case name_rule::text: return is_utf8(name);
        case name_rule::bytes: return true;
    }
    return false;
}

/// A name as a part of an own id, where control characters have escapes (`%0a`).
inline std::string in_own_id(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : name) {
        if (c != '%' && !has_control_characters(std::string_view(&c, 1))) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

inline bool allows(const name_limit& limit, std::string_view name) {
    return !name.empty() && name.size() <= limit.most && follows(limit.rule, name);
}

/// Throws `errc::invalid_argument` for a name that the table does not allow. `may_be_empty`: where that means none.
inline void check_name(const name_limit& limit, std::string_view name, bool may_be_empty = false) {
    if (name.empty() && may_be_empty) return;
    if (allows(limit, name)) return;
    std::string rule;
    switch (limit.rule) {
        case name_rule::word: rule = " of A-Z a-z 0-9 _ - . /"; break;
        case name_rule::id: rule = " without control characters, not beginning with '~' and not like queue:~1.a"; break;
        case name_rule::line: rule = " of UTF-8 without control characters"; break;
        case name_rule::text: rule = " of UTF-8"; break;
        case name_rule::bytes: break;
    }
    const std::string article = std::string_view("aeio").find(limit.what.front()) == std::string_view::npos ? "a " : "an ";
    const auto size = name.size() > limit.most ? " of " + std::to_string(name.size()) + " bytes" : std::string();
    throw error(errc::invalid_argument, "not " + article + std::string(limit.what) + ": " + in_quotes(name) + size +
                                            "; use 1 to " + std::to_string(limit.most) + " bytes" + rule);
}

inline void check_header(std::string_view name, std::string_view value) {
    check_name(limits::header, name);
    check_name(limits::header_value, value, true);
}

}  // namespace taskflux::detail
