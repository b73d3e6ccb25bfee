#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <type_traits>
#include <variant>

namespace taskflux::detail {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T>
inline constexpr bool is_awaitable<asio::awaitable<T>> = true;

template <class T>
struct awaited {
    using type = T;
};
template <class T>
struct awaited<asio::awaitable<T>> {
    using type = T;
};

/// Stands for a result of type void where an object is needed.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace taskflux::detail
