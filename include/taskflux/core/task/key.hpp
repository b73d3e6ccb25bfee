#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// Takes the key from a payload, which is given by its address; empty where a contract has none. A copy, as submissions of many may
/// outlive the contract.
using key_source = std::function<std::string(const void*)>;

template <class T>
inline constexpr bool is_key_number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                                      !std::same_as<T, char32_t>;

/// What a key may be taken from: text, or an integer.
template <class T>
concept key_value = std::convertible_to<T, std::string_view> || is_key_number<std::remove_cvref_t<T>>;

/// A function, or a pointer to a member, that gives a payload's key.
template <class Key, class P>
concept key_of_payload = std::invocable<const Key&, const P&> && key_value<std::invoke_result_t<const Key&, const P&>>;

/// `task`: for the error.
template <class P, class Key>
std::string taken_key(const Key& of, const P& payload, std::string_view task) {
    std::string made;
    decltype(auto) value = std::invoke(of, payload);
    if constexpr (is_key_number<std::remove_cvref_t<decltype(value)>>) made = std::to_string(value);
    else made = std::string_view(value);
    if (made.empty() || allows(limits::key, made)) return made;
    try {
        check_name(limits::key, made);
    } catch (const error& e) {
        throw error(errc::invalid_argument, "the key of task " + std::string(task) + ", taken from its payload: " + e.what());
    }
    return made;
}

}  // namespace taskflux::detail
