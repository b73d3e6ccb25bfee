#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/headers.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace taskflux {

namespace detail {

inline char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// RFC 9110, 5.6.2.
inline bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto fits = [&](char c) {
        return (c >= '0' && c <= '9') || (lower_letter(c) >= 'a' && lower_letter(c) <= 'z') || marks.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, fits);
}

inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

}  // namespace detail

namespace http {

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, detail::lower_letter, detail::lower_letter);
}

headers& headers::add(std::string_view name, std::string_view value) {
    if (!detail::is_token(name)) {
        throw error(errc::invalid_argument, "not a name of a header: " + detail::in_quotes(name) +
                                                "; use letters, digits and ! # $ % & ' * + - . ^ _ ` | ~");
    }
    const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
    if (std::ranges::any_of(value, is_control)) {
        throw error(errc::invalid_argument, "the value of the header " + std::string(name) +
                                                " has control characters, which would break the message: " + detail::in_quotes(value));
    }
    constexpr std::size_t most = (std::numeric_limits<std::uint32_t>::max)();
    if (text_.size() + name.size() + value.size() > most) {
        throw error(errc::too_large, "the headers have more than " + std::to_string(most) + " bytes");
    }
    const auto names = append(name);
    const auto says = append(value);
    entries_.push_back({names, says});
    return *this;
}

headers& headers::set(std::string_view name, std::string_view value) {
    const std::string kept_name(name), kept_value(value);  // they may be views of what is removed
    remove(kept_name);
    return add(kept_name, kept_value);
}

void headers::remove(std::string_view name) {
    std::erase_if(entries_, [&](const entry& one) { return same_word(view(one.name), name); });
}

std::optional<std::string_view> headers::find(std::string_view name) const {
    for (const auto& one : entries_) {
        if (same_word(view(one.name), name)) return view(one.value);
    }
    return std::nullopt;
}

std::size_t headers::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(entries_, [&](const entry& one) { return same_word(view(one.name), name); }));
}

bool headers::has_token(std::string_view name, std::string_view token) const {
    for (const auto& one : entries_) {
        if (!same_word(view(one.name), name)) continue;
        auto rest = view(one.value);
        while (!rest.empty()) {
            const auto comma = (std::min)(rest.find(','), rest.size());
            const auto item = rest.substr(0, comma);
            if (same_word(detail::trimmed(item.substr(0, item.find(';'))), token)) return true;
            rest.remove_prefix((std::min)(comma + 1, rest.size()));
        }
    }
    return false;
}

headers::part headers::append(std::string_view text) {
    const part made{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
    text_.append(text);
    return made;
}

}  // namespace http
}  // namespace taskflux
