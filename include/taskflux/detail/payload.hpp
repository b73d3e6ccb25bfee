#pragma once

#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/detail/temporaries.hpp>

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// Whether a payload `P` (void: none) can be made of these arguments: it is one of them, or they are its
/// fields. No arguments are a payload forgotten, not one of defaults.
template <class P, class... Args>
inline constexpr bool makes_payload = sizeof...(Args) > 0 && std::is_constructible_v<P, Args...>;
template <class... Args>
inline constexpr bool makes_payload<void, Args...> = sizeof...(Args) == 0;

template <class... Args>
inline constexpr bool starts_with_options = false;
template <class First, class... Rest>
inline constexpr bool starts_with_options<First, Rest...> = std::same_as<std::remove_cvref_t<First>, submit_options>;

/// `contract`: for the error. `look` is called with the payload before it is encoded, if there is one.
template <class P, class... Args>
std::string encode_payload_seen(const auto& contract, const auto& look, Args&&... args) {
    const auto subject = [&] { return "the payload of " + contract.subject(); };
    static_assert(makes_payload<P, Args...>,
                  "these arguments are neither a payload of the task's type nor its fields: compare the contract "
                  "(a payload of defaults is written P{})");
    static_assert(!(dies_twice<Args> || ...),
                  "GCC 12 destroys this temporary twice in a co_await expression: name it first (auto payload = …; "
                  "co_await client.submit(task, payload)), or pass the payload's fields");
    if constexpr (std::is_void_v<P>) {
        return "null";
    } else if constexpr (sizeof...(Args) == 1 && (std::is_same_v<std::remove_cvref_t<Args>, P> && ...)) {
        look((args, ...));
        return encode_of(subject, (args, ...));
    } else if constexpr (makes_payload<P, Args...>) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // fields that are left out have their defaults
        const P made(std::forward<Args>(args)...);
#pragma GCC diagnostic pop
        look(made);
        return encode_of(subject, made);
    } else {
        return {};
    }
}

template <class P, class... Args>
std::string encode_payload(const auto& contract, Args&&... args) {
    return encode_payload_seen<P>(contract, [](const auto&) {}, std::forward<Args>(args)...);
}

}  // namespace taskflux::detail
