#pragma once

#include <taskflux/core/codec/customise.hpp>

#include <boost/describe/bases.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/fwd.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux::detail {

/// How a type is written. Every walk (read, write, schema, check) dispatches on it.
enum class kind {
    unsupported,
    null,
    custom,
    bytes,
    any,
    boolean,
    integer,
    number,
    text,
    enumeration,
    duration,
    time,
    nullable,
    variant,
    map,
    set,
    sequence,
    tuple,
    object
};

template <kind Kind>
struct as {};

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Ts>
inline constexpr bool is_a<Template<Ts...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t Size>
inline constexpr bool is_std_array<std::array<T, Size>> = true;

template <class T>
inline constexpr bool is_default_unique_ptr = false;
template <class T>
inline constexpr bool is_default_unique_ptr<std::unique_ptr<T>> = !std::is_array_v<T>;

template <class T>
inline constexpr bool is_shared_ptr = false;
template <class T>
inline constexpr bool is_shared_ptr<std::shared_ptr<T>> = std::is_object_v<T> && !std::is_array_v<T>;

template <class T>
concept character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept map_like = requires(T& map, typename T::key_type key, typename T::mapped_type value) {
    map.clear();
    map.insert_or_assign(std::move(key), std::move(value));
};

template <class T>
concept maps_keys = requires { typename T::mapped_type; };

template <class T>
concept set_like = !maps_keys<T> && requires(T& set, typename T::key_type key) {
    set.clear();
    set.insert(std::move(key));
};

template <class T>
concept sequence_like = requires(T& sequence, typename T::value_type value) {
    sequence.clear();
    sequence.push_back(std::move(value));
    sequence.begin();
};

template <class T>
inline constexpr bool is_sys_time = false;
template <class Duration>
inline constexpr bool is_sys_time<std::chrono::sys_time<Duration>> =
    std::integral<typename Duration::rep> &&
    // Whole seconds, or a fraction that nine decimals hold exactly.
    (Duration::period::den == 1 ||
     (Duration::period::num == 1 && 1'000'000'000 % Duration::period::den == 0));

template <class T>
consteval kind find_kind() {
    if constexpr (std::is_void_v<T>)
        return kind::null;
    else if constexpr (!std::is_object_v<T> || std::is_array_v<T> || std::is_const_v<T> ||
                       std::is_volatile_v<T>)
        return kind::unsupported;
    else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>)
        return kind::null;
    else if constexpr (std::same_as<T, raw>)
        return kind::bytes;
    else if constexpr (!std::derived_from<codec<T>, json_codec>)
        return kind::custom;
    else if constexpr (std::same_as<T, boost::json::value>)
        return kind::any;
    else if constexpr (std::same_as<T, bool>)
        return kind::boolean;
    else if constexpr (std::integral<T> && !character<T>)
        return kind::integer;
    else if constexpr (std::same_as<T, float> || std::same_as<T, double>)
        return kind::number;
    else if constexpr (std::same_as<T, std::string>)
        return kind::text;
    else if constexpr (boost::describe::has_describe_enumerators<T>::value)
        return kind::enumeration;
    else if constexpr (is_a<T, std::chrono::duration>)
        return kind::duration;
    else if constexpr (is_sys_time<T>)
        return kind::time;
    else if constexpr (is_a<T, std::optional> || is_default_unique_ptr<T> || is_shared_ptr<T>)
        return kind::nullable;
    else if constexpr (is_a<T, std::variant>)
        return kind::variant;
    else if constexpr (map_like<T>)
        return kind::map;
    else if constexpr (set_like<T>)
        return kind::set;
    else if constexpr (sequence_like<T>)
        return kind::sequence;
    else if constexpr (is_std_array<T> || is_a<T, std::pair> || is_a<T, std::tuple>)
        return kind::tuple;
    else if constexpr (boost::describe::has_describe_members<T>::value && !std::is_union_v<T>)
        return kind::object;
    else
        return kind::unsupported;
}

template <class T>
inline constexpr kind kind_of = find_kind<T>();

/// The type that a nullable holds.
template <class T>
using pointee = std::remove_cvref_t<decltype(*std::declval<T&>())>;

template <class T>
using members_of =
    boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

/// Calls `visit(descriptor)` for every described member, those of base classes first.
template <class T, class Visit>
constexpr void for_each_member(Visit&& visit) {
    [&]<template <class...> class List, class... Members>(std::type_identity<List<Members...>>) {
        (visit(Members{}), ...);
    }(std::type_identity<members_of<T>>{});
}

template <class Member>
inline constexpr std::string_view member_name = Member::name;

/// Calls `visit(name, value)` for every described enumerator until it returns true.
template <class Enum, class Visit>
constexpr bool any_enumerator(Visit&& visit) {
    return
        [&]<template <class...> class List, class... Enumerators>(std::type_identity<List<Enumerators...>>) {
            return (visit(std::string_view(Enumerators::name), Enumerators::value) || ...);
        }(std::type_identity<boost::describe::describe_enumerators<Enum>>{});
}

/// `"red", "green"`: the names that an enum allows.
template <class Enum>
std::string enumerator_names() {
    std::string text;
    any_enumerator<Enum>([&](std::string_view name, Enum) {
        text.append(text.empty() ? "\"" : ", \"").append(name).append("\"");
        return false;
    });
    return text;
}

}  // namespace taskflux::detail
