#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

/// An entity tag: `"abc"`, or `W/"abc"`, a weak one. A value.
class entity_tag {
public:
    /// `opaque` is the text between the quotes, without quotes, blanks and control characters.
    explicit entity_tag(std::string opaque, bool is_weak = false) : opaque_(std::move(opaque)), is_weak_(is_weak) {}

    /// Nothing: it is not one.
    static std::optional<entity_tag> parse(std::string_view text);

    std::string text() const { return (is_weak_ ? "W/\"" : "\"") + opaque_ + '"'; }

    bool is_weak() const { return is_weak_; }

    /// Byte for byte the same representation, for ranges and If-Match: no weak one is.
    friend bool matches_strongly(const entity_tag& one, const entity_tag& other) {
        return !one.is_weak_ && !other.is_weak_ && one.opaque_ == other.opaque_;
    }
    /// As good as the same, for If-None-Match.
    friend bool matches_weakly(const entity_tag& one, const entity_tag& other) { return one.opaque_ == other.opaque_; }

private:
    std::string opaque_;
    bool is_weak_;
};

/// What tells one state of a resource from another. A resource that does not exist has none.
struct validators {
    entity_tag tag;
    std::optional<std::chrono::sys_seconds> last_modified;
};

/// The conditional fields of a request, as they were received: several fields of one name joined by commas.
struct conditional_fields {
    std::optional<std::string_view> if_match, if_none_match, if_modified_since, if_unmodified_since;
};

enum class condition {
    holds,         ///< answer as if there were none
    not_modified,  ///< 304
    fails          ///< 412
};

/// Whether the conditions of a request hold (RFC 9110, section 13.2.2). `reads`: it is GET or HEAD. `current`: nothing where the
/// resource does not exist. Dates that can't be read, and dates where there is a tag to compare, do not count; an If-Match that
/// can't be read fails, an If-None-Match holds.
condition evaluate(const conditional_fields& fields, bool reads, const std::optional<validators>& current,
                   std::chrono::sys_seconds now);

/// Whether a Range counts beside this If-Range, of a resource that exists. Else the whole is sent.
bool if_range_holds(std::string_view if_range, const validators& current, std::chrono::sys_seconds now);

}  // namespace taskflux::http
