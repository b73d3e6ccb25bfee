#pragma once

#include <taskflux/http/conditional.hpp>
#include <taskflux/http/date.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace syntax {

/// The entity tag at the front of `text`, which loses it.
inline std::optional<entity_tag> take_tag(std::string_view& text) {
    const bool is_weak = text.starts_with("W/");
    auto rest = text.substr(is_weak ? 2 : 0);
    if (!rest.starts_with('"')) return std::nullopt;
    const auto end = rest.find('"', 1);  // no backslash escapes one
    if (end == std::string_view::npos) return std::nullopt;
    const auto opaque = rest.substr(1, end - 1);
    const auto is_allowed = [](char c) { return is_field_character(c) && !is_blank(c); };
    if (!std::ranges::all_of(opaque, is_allowed)) return std::nullopt;
    text = rest.substr(end + 1);
    return entity_tag(std::string(opaque), is_weak);
}

enum class listed { yes, no, unreadable };

/// Whether a tag of the list, or its `*`, is that of what is there.
template <class Same>
listed is_listed(std::string_view list, const std::optional<validators>& current, Same same) {
    list = trimmed(list);
    if (list == "*") return current ? listed::yes : listed::no;
    if (list.empty()) return listed::unreadable;
    auto found = listed::no;
    while (!list.empty()) {
        if (list.front() != ',') {
            const auto tag = take_tag(list);
            if (!tag) return listed::unreadable;
            if (current && same(*tag, current->tag)) found = listed::yes;
            list = trimmed(list);
            if (!list.empty() && list.front() != ',') return listed::unreadable;
        }
        if (!list.empty()) list = trimmed(list.substr(1));
    }
    return found;
}

}  // namespace syntax

std::optional<entity_tag> entity_tag::parse(std::string_view text) {
    text = syntax::trimmed(text);
    auto made = syntax::take_tag(text);
    if (!text.empty()) return std::nullopt;
    return made;
}

condition evaluate(const conditional_fields& fields, bool reads, const std::optional<validators>& current,
                   std::chrono::sys_seconds now) {
    const auto modified_after = [&](std::string_view text) -> std::optional<bool> {
        const auto since = parse_date(syntax::trimmed(text), now);
        if (!since || !current || !current->last_modified) return std::nullopt;
        return *current->last_modified > *since;
    };
    const auto strongly = [](const entity_tag& one, const entity_tag& other) { return matches_strongly(one, other); };
    const auto weakly = [](const entity_tag& one, const entity_tag& other) { return matches_weakly(one, other); };
    if (fields.if_match) {
        if (syntax::is_listed(*fields.if_match, current, strongly) != syntax::listed::yes) return condition::fails;
    } else if (fields.if_unmodified_since && modified_after(*fields.if_unmodified_since).value_or(false)) {
        return condition::fails;
    }
    if (fields.if_none_match) {
        if (syntax::is_listed(*fields.if_none_match, current, weakly) != syntax::listed::yes) return condition::holds;
        return reads ? condition::not_modified : condition::fails;
    }
    const bool is_old = fields.if_modified_since && reads && !modified_after(*fields.if_modified_since).value_or(true);
    return is_old ? condition::not_modified : condition::holds;
}

bool if_range_holds(std::string_view if_range, const validators& current, std::chrono::sys_seconds now) {
    if_range = syntax::trimmed(if_range);
    if (if_range.starts_with('"') || if_range.starts_with("W/")) {
        const auto tag = entity_tag::parse(if_range);
        return tag && matches_strongly(*tag, current.tag);
    }
    // A date is strong only where nothing can have changed since within its second: RFC 9110, section 8.8.2.2.
    const auto date = parse_date(if_range, now);
    return date && current.last_modified == date && *date < now;
}

}  // namespace taskflux::http
