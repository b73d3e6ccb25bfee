#pragma once

#include <taskflux/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::http {

/// Whether two names of headers, or two other words of HTTP, are the same: letters of ASCII count in both cases.
bool same_word(std::string_view a, std::string_view b);

/// Headers of a request or a response, in their order. Names count in any case. All texts stand in one string, so that many
/// headers are two allocations. Views of names and values end with the next change.
class headers {
public:
    /// Appends a header. Errors: `invalid_argument` for a name that is no token of HTTP, and for a value with control characters,
    /// by which a text from outside could begin a header of its own.
    headers& add(std::string_view name, std::string_view value);

    /// Like `add`, in the place of all of this name.
    headers& set(std::string_view name, std::string_view value);

    /// Removes all of this name.
    void remove(std::string_view name);

    /// The value of the first of this name; nothing where there is none.
    std::optional<std::string_view> find(std::string_view name) const;

    /// The value of the first of this name; empty where there is none.
    std::string_view operator[](std::string_view name) const { return find(name).value_or(std::string_view()); }

    bool contains(std::string_view name) const { return find(name).has_value(); }

    /// How many there are of this name.
    std::size_t count(std::string_view name) const;

    /// Whether a header of this name, read as a list by commas, names `token`; parameters after `;` don't count.
    bool has_token(std::string_view name, std::string_view token) const;

    std::size_t size() const { return entries_.size(); }

    /// `at`: below `size()`.
    std::string_view name(std::size_t at) const { return view(entries_[at].name); }
    std::string_view value(std::size_t at) const { return view(entries_[at].value); }

private:
    struct part {
        std::uint32_t begin;
        std::uint32_t size;
    };
    struct entry {
        part name;
        part value;
    };

    std::string_view view(part which) const { return std::string_view(text_).substr(which.begin, which.size); }
    part append(std::string_view text);

    std::string text_;
    std::vector<entry> entries_;
};

}  // namespace taskflux::http
