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

/// Takes a text from a payload, which is given by its address, that is to be the key; empty where a contract has none. A copy, as
/// submissions of many may outlive the contract, so nothing in it refers to that.
using key_source = std::function<std::string(const void*)>;

template <class T>
inline constexpr bool is_key_number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                                      !std::same_as<T, char32_t>;

/// What a key may be taken from: text, or an integer. No pointer to characters, as it may be null.
template <class T>
concept key_value = (std::convertible_to<T, std::string_view> && !std::is_pointer_v<std::decay_t<T>>) ||
                    is_key_number<std::remove_cvref_t<T>>;

/// A function, or a pointer to a member, that gives something for a payload.
template <class Key, class P>
concept takes_payload = std::invocable<const Key&, const P&>;

/// And that is a payload's key.
template <class Key, class P>
concept key_of_payload = takes_payload<Key, P> && key_value<std::invoke_result_t<const Key&, const P&>>;

template <class P, class Key>
std::string taken_text(Key& of, const P& payload) {
    decltype(auto) value = std::invoke(of, payload);
    if constexpr (is_key_number<std::remove_cvref_t<decltype(value)>>) return std::to_string(value);
    else return std::string(std::string_view(value));
}

/// The key that is taken from a payload; empty: none. `subject`: a function that names the payload for the error, which says what is
/// wrong with the key and not what it is: a payload is nobody's who reads a log. Errors: `invalid_argument`; what `take` throws.
std::string taken_key(const key_source& take, const void* payload, const auto& subject) {
    auto key = take(payload);
    if (key.empty() || allows(limits::key, key)) return key;
    const auto most = std::to_string(limits::key.most);
    const auto wrong = key.size() > limits::key.most ? "has " + std::to_string(key.size()) + " bytes: use at most " + most
                       : is_utf8(key)                ? std::string("has control characters: leave them out, or escape them")
                                                     : std::string("is not UTF-8: use its base64, or an id");
    throw error(errc::invalid_argument, "the key that is taken from " + subject() + ' ' + wrong);
}

template <class Key, class P>
constexpr void require_key() {
    static_assert(takes_payload<Key, P>,
                  "what is given to task::key takes no payload of this task: give a pointer to a member of the payload, or a function "
                  "that takes (const Payload&)");
    static_assert(!takes_payload<Key, P> || key_of_payload<Key, P>,
                  "what is given to task::key gives neither a text nor an integer: give a function that makes a text of it, such as of "
                  "an optional (an empty text: no key), an enum, a bool, a char or a pointer");
}

/// For a copy of a contract that is of a type without a key.
template <class Key>
constexpr void refuse_to_forget() {
    static_assert(!std::is_same_v<Key, Key>,
                  "a task<R(P)> has no key, and this copy would lose it: write inline constexpr auto name = "
                  "taskflux::task<R(P)>{…}.key(…)");
}

}  // namespace taskflux::detail
