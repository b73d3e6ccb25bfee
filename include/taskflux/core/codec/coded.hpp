#pragma once

#include <taskflux/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux {

namespace detail {

/// How a text is stored that went through codecs (`taskflux::coded`): as JSON, so that whatever shows it can, with the names of the
/// codecs in the order in which they were applied: `{"$coded":"zstd aes-256-gcm:k2","data":"<base64>"}`.
struct coded_form {
    static constexpr std::string_view begin = R"({"$coded":")", middle = R"(","data":")", end = R"("})";

    /// Of a codec's name with its argument ("aes-256-gcm:k2").
    static constexpr bool is_name_character(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_./:").find(c) != std::string_view::npos;
    }
};

struct coded_parts {
    std::string_view codecs;  ///< names with a space in between; empty: a plain text, which looks as if it were coded, or is none to trust
    std::string_view data;    ///< base64
};

/// Nothing for a text that is stored as it is.
inline std::optional<coded_parts> coded_parts_of(std::string_view stored) {
    using form = coded_form;
    if (!stored.starts_with(form::begin) || !stored.ends_with(form::end)) return std::nullopt;
    stored.remove_prefix(form::begin.size());
    const auto middle = stored.find(form::middle);
    if (middle == std::string_view::npos || middle + form::middle.size() + form::end.size() > stored.size()) return std::nullopt;
    coded_parts made;
    made.codecs = stored.substr(0, middle);
    if (!std::ranges::all_of(made.codecs, [](char c) { return c == ' ' || form::is_name_character(c); })) return std::nullopt;
    made.data = stored.substr(middle + form::middle.size());
    made.data.remove_suffix(form::end.size());
    return made;
}

}  // namespace detail

/// The names of the codecs that a stored text went through, in their order and with a space in between ("zstd aes-256-gcm:k2");
/// nothing for one that is stored as it is. For what shows records: it needs no codec and no key.
inline std::optional<std::string_view> codecs_of(std::string_view stored) {
    const auto parts = detail::coded_parts_of(stored);
    if (!parts) return std::nullopt;
    return parts->codecs;
}

namespace detail {

/// Throws `bad_payload` for a text that nobody has decoded: its sender's broker has codecs that the reader's has not. No failure of
/// the payload: another worker may read it. `subject`: what it is, for the error.
template <class Subject>
void refuse_coded(const Subject& subject, std::string_view text) {
    if (!text.starts_with(coded_form::begin)) return;
    const auto parts = coded_parts_of(text);
    if (!parts) return;
    if (parts->codecs.empty()) {
        throw error(errc::bad_payload, subject() + " is stored as a text that went through no codec: its reader's broker takes only "
                                                   "what is encrypted (coded_options::take_plain allows plain texts)");
    }
    throw error(errc::bad_payload, subject() + " is coded (" + std::string(parts->codecs) + "), and its reader has no such codec: make "
                                               "its broker with taskflux::coded, as the sender's was");
}

}  // namespace detail

}  // namespace taskflux
