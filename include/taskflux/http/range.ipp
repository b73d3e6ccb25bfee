#pragma once

#include <taskflux/http/range.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::http {

namespace syntax {

/// A number of digits alone; one that is too large is the largest. Nothing: it is none.
inline std::optional<std::uint64_t> range_number(std::string_view text) {
    constexpr auto largest = (std::numeric_limits<std::uint64_t>::max)();
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (largest - digit) / 10) return largest;
        value = value * 10 + digit;
    }
    return value;
}

/// Joins `added` with those that it overlaps or touches, in the place of the first of them.
inline void add_range(std::vector<byte_range>& ranges, byte_range added) {
    auto place = ranges.size();
    for (std::size_t i = 0; i < ranges.size();) {
        const auto other = ranges[i];
        // No overflow: all end below a size.
        if (added.first > other.last + 1 || other.first > added.last + 1) {
            ++i;
            continue;
        }
        added = {(std::min)(added.first, other.first), (std::max)(added.last, other.last)};
        ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(i));
        place = (std::min)(place, i);
        i = 0;  // what has grown may touch those before
    }
    ranges.insert(ranges.begin() + static_cast<std::ptrdiff_t>((std::min)(place, ranges.size())), added);
}

}  // namespace syntax

range_choice choose_ranges(std::string_view range, std::uint64_t size, std::size_t most) {
    using kind = range_choice::kind;
    range = syntax::trimmed(range);
    const auto equals = range.find('=');
    if (equals == std::string_view::npos || !syntax::same_word(range.substr(0, equals), "bytes")) return range_choice(kind::whole);
    auto list = range.substr(equals + 1);
    std::vector<byte_range> ranges;
    std::size_t count = 0;
    bool wants_all_of_nothing = false;
    while (const auto one = syntax::next_member(list)) {
        const auto dash = one->find('-');
        if (dash == std::string_view::npos || ++count > most) return range_choice(kind::whole);
        const auto first = syntax::range_number(one->substr(0, dash)), last = syntax::range_number(one->substr(dash + 1));
        const bool is_suffix = dash == 0, is_open = dash + 1 == one->size();
        if ((!is_suffix && !first) || (!is_open && !last) || (is_suffix && is_open)) return range_choice(kind::whole);
        if (is_suffix) {
            if (*last == 0) continue;
            if (size == 0) wants_all_of_nothing = true;  // satisfiable, but no Content-Range can say it
            if (size != 0) syntax::add_range(ranges, {size - (std::min)(*last, size), size - 1});
            continue;
        }
        if (!is_open && *last < *first) return range_choice(kind::whole);
        if (*first < size) syntax::add_range(ranges, {*first, is_open ? size - 1 : (std::min)(*last, size - 1)});
    }
    if (count == 0 || wants_all_of_nothing) return range_choice(kind::whole);
    if (ranges.empty()) return range_choice(kind::unsatisfiable);
    return range_choice(kind::partial, std::move(ranges));
}

std::string content_range(const byte_range& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.last) + '/' + std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) {
    return "bytes */" + std::to_string(size);
}

std::string range_head(std::string_view boundary, std::string_view type, const byte_range& range, std::uint64_t size) {
    std::string made = "\r\n--";
    made.append(boundary).append("\r\n");
    if (!type.empty()) made.append("Content-Type: ").append(type).append("\r\n");
    return made.append("Content-Range: ").append(content_range(range, size)).append("\r\n\r\n");
}

std::string range_end(std::string_view boundary) {
    return "\r\n--" + std::string(boundary) + "--\r\n";
}

}  // namespace taskflux::http
