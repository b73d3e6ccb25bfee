#pragma once

#include <taskflux/core/error/quoted.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// How many characters have to be added, removed, replaced or swapped with the next one (optimal string alignment).
inline std::size_t letters_between(std::string_view one, std::string_view other) {
    std::vector<std::size_t> before, last, row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t(0));
    for (std::size_t i = 1; i <= one.size(); ++i) {
        before = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const auto replaced = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
            row[j] = (std::min)({replaced, last[j] + 1, row[j - 1] + 1});
            const bool is_swap = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
            if (is_swap) row[j] = (std::min)(row[j], before[j - 2] + 1);
        }
    }
    return row.back();
}

/// The name that `text` was probably meant to be; empty when none is near.
inline std::string_view nearest(std::string_view text, const std::vector<std::string>& allowed) {
    std::string_view found;
    constexpr std::size_t longest = 200, most = 1000;  // every letter of it is compared with every one of theirs
    if (text.size() > longest || allowed.size() > most) return found;
    auto best = (std::max)(text.size() / 3, std::size_t(1)) + 1;
    for (const auto& one : allowed) {
        const auto distance = letters_between(text, one);
        if (distance < best) best = distance, found = one;
    }
    return found;
}

/// `"a", "b"`; of very many the first ones.
inline std::string quoted_list(const std::vector<std::string>& names) {
    constexpr std::size_t most = 50;
    std::string text;
    for (std::size_t i = 0; i != (std::min)(names.size(), most); ++i) text.append(i == 0 ? "" : ", ").append(in_quotes(names[i]));
    if (names.size() > most) text.append(" and ").append(std::to_string(names.size() - most)).append(" more");
    return text.empty() ? "none" : text;
}

/// The end of an error about a name that is not allowed: which one was probably meant, and all that are allowed.
inline std::string allowed_instead(std::string_view text, const std::vector<std::string>& allowed) {
    const auto meant = nearest(text, allowed);
    std::string end = meant.empty() ? "" : "; did you mean " + in_quotes(meant) + '?';
    return end.append(end.empty() ? "; allowed: " : " Allowed: ").append(quoted_list(allowed));
}

}  // namespace taskflux::detail
