#pragma once

#include <taskflux/core/codec/kind.hpp>

#include <array>
#include <cstddef>
#include <source_location>
#include <string_view>

namespace taskflux {
namespace detail {

template <class T>
consteval auto spelled_type() {
    // GCC: "… [with T = app::circle]"; Clang: "… [T = app::circle]".
    std::string_view text = std::source_location::current().function_name();
    text.remove_prefix(text.find("T = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    // Drop the scopes, but not those inside template arguments.
    std::size_t start = 0;
    int inside = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '<')
            ++inside;
        else if (text[i] == '>')
            --inside;
        else if (text[i] == ':' && inside == 0)
            start = i + 1;
    }
    return text.substr(start);
}

template <class T>
consteval std::string_view default_name() {
    switch (kind_of<T>) {
        case kind::null: return "null";
        case kind::bytes: return "bytes";
        case kind::any: return "any";
        case kind::boolean: return "boolean";
        case kind::integer: return "integer";
        case kind::number: return "number";
        case kind::text: return "string";
        case kind::duration: return "duration";
        case kind::time: return "time";
        case kind::nullable: return "optional";
        case kind::variant: return "variant";
        case kind::map: return "object";
        case kind::set:
        case kind::sequence:
        case kind::tuple: return "array";
        case kind::unsupported:
        case kind::custom:
        case kind::enumeration:
        case kind::object: break;
    }
    return spelled_type<T>();
}

}  // namespace detail

/// What a type is called in a variant's `"type"` and in a schema: a class's or enum's name without its
/// namespace, or "boolean", "integer", "number", "string", "null", "array", "object", …
/// Specialise it to keep the wire stable when a class is renamed.
template <class T>
inline constexpr std::string_view payload_name = detail::default_name<T>();

namespace detail {

template <std::size_t Size>
consteval bool has_duplicate(std::array<std::string_view, Size> names) {
    for (std::size_t i = 0; i < Size; ++i)
        for (std::size_t j = i + 1; j < Size; ++j)
            if (names[i] == names[j]) return true;
    return false;
}

}  // namespace detail

}  // namespace taskflux
