#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/negotiation.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace syntax {

/// How much something is liked, in thousandths; 0: not acceptable. Nothing: it is no weight.
inline std::optional<unsigned> weight(std::string_view text) {
    constexpr std::size_t longest = 5;  // 0.123
    if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.'))
        return std::nullopt;
    unsigned value = static_cast<unsigned>(text[0] - '0') * 1000, unit = 100;
    for (const char c : text.substr((std::min)(text.size(), std::size_t(2)))) {
        if (!is_digit(c)) return std::nullopt;
        value += static_cast<unsigned>(c - '0') * unit;
        unit /= 10;
    }
    return value > 1000 ? std::nullopt : std::optional(value);
}

/// One member of a list of preferences: `text/html;level=1;q=0.5`.
struct preference {
    std::string value;  ///< in small letters, without parameters
    unsigned liked = 1000;
};

inline std::optional<preference> read_preference(std::string_view member) {
    preference made;
    auto rest = member;
    const auto value = next_member(rest, ';');
    if (!value) return std::nullopt;
    made.value = lower(*value);
    while (const auto next = next_member(rest, ';')) {
        const auto parameter = *next;
        if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        const auto liked = weight(parameter.substr(2));
        if (!liked) return std::nullopt;
        made.liked = *liked;
    }
    return made;
}

template <class Visit>
void for_each_preference(std::string_view list, Visit visit) {
    constexpr int most = 64;
    for (int i = 0; i < most; ++i) {
        const auto member = next_member(list);
        if (!member) return;
        if (const auto one = read_preference(*member)) visit(*one);
    }
}

}  // namespace syntax

std::optional<std::size_t> choose_type(std::optional<std::string_view> accept, std::span<const std::string_view> offered) {
    if (offered.empty()) return std::nullopt;
    std::optional<std::size_t> best;
    unsigned best_liked = 0;
    bool has_any = false;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        const auto type = syntax::lower(offered[i]);
        unsigned liked = 0;
        int closest = 0;  // how exact the range is that counts: the closest one does
        syntax::for_each_preference(accept.value_or(""), [&](const syntax::preference& one) {
            const auto slash = one.value.find('/');
            if (slash == std::string::npos || slash == 0 || slash + 1 == one.value.size()) return;
            has_any = true;
            const bool is_wide = one.value.ends_with("/*");
            const int close = one.value == type                                             ? 3
                              : is_wide && type.starts_with(one.value.substr(0, slash + 1)) ? 2
                              : one.value == "*/*"                                          ? 1
                                                                                            : 0;
            if (close == 0 || close < closest) return;
            liked = close == closest ? (std::max)(liked, one.liked) : one.liked;
            closest = close;
        });
        if (liked > best_liked) {
            best = i;
            best_liked = liked;
        }
    }
    if (!has_any) return 0;
    return best;
}

refusal not_acceptable(std::span<const std::string_view> offered) {
    std::string text = "nothing that the request's Accept names can be sent: accept ";
    for (std::size_t i = 0; i < offered.size(); ++i) {
        if (i != 0) text += i + 1 == offered.size() ? " or " : ", ";
        text += offered[i];
    }
    return {406, text};
}

content_coding choose_coding(std::optional<std::string_view> accept_encoding) {
    if (!accept_encoding) return content_coding::identity;
    std::optional<unsigned> gzip, identity, others;
    syntax::for_each_preference(*accept_encoding, [&](const syntax::preference& one) {
        if (one.value == "gzip" || one.value == "x-gzip") gzip = (std::max)(gzip.value_or(0), one.liked);
        if (one.value == "identity") identity = one.liked;
        if (one.value == "*") others = one.liked;
    });
    const auto gzip_liked = gzip ? *gzip : others.value_or(0);
    const auto identity_liked = identity ? *identity : others.value_or(1);
    if (gzip_liked == 0 && identity_liked == 0) return content_coding::none;
    return gzip_liked != 0 && gzip_liked >= identity_liked ? content_coding::gzip : content_coding::identity;
}

std::optional<refusal> refused_unless_json(std::optional<std::string_view> content_type) {
    const std::string wanted = "send the body as JSON in UTF-8, with Content-Type: application/json";
    if (!content_type) return refusal(415, "the body has no Content-Type; " + wanted);
    const auto type = media_type::parse(*content_type);
    if (type && type->is_json() && type->is_utf8()) return std::nullopt;
    return refusal(415, "the body's Content-Type is " + taskflux::detail::in_quotes(*content_type) + "; " + wanted);
}

}  // namespace taskflux::http
