#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/cancellation_condition.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux {

namespace detail {

/// A result that is an object also where there is none, and can be default constructed.
template <class T>
using boxed = std::variant<std::monostate, stored<T>>;

template <class T>
asio::awaitable<boxed<T>> box(asio::awaitable<T> from) {
    boxed<T> made;
    if constexpr (std::is_void_v<T>) {
        co_await std::move(from);
        made.template emplace<1>();
    } else {
        made.template emplace<1>(co_await std::move(from));
    }
    co_return made;
}

template <class Condition, class... Ts>
auto run_together(const asio::any_io_executor& executor, Condition condition, asio::awaitable<Ts>... calls) {
    return asio::experimental::make_parallel_group(
               asio::co_spawn(executor, box<Ts>(std::move(calls)), asio::deferred)...)
        .async_wait(condition, asio::deferred);
}

/// Of what `run_together` gives: the order in which the calls ended, then error and value of each.
template <class Ends, std::size_t... Is>
std::array<std::exception_ptr, sizeof...(Is)> errors_of(Ends& all, std::index_sequence<Is...>) {
    return {std::get<1 + 2 * Is>(all)...};
}

template <class... Ts, class Ends, std::size_t... Is>
std::tuple<stored<Ts>...> values_of(Ends& all, std::index_sequence<Is...>) {
    return std::tuple<stored<Ts>...>(std::get<1>(std::move(std::get<2 + 2 * Is>(all)))...);
}

template <class... Ts, class Ends, std::size_t... Is>
std::variant<stored<Ts>...> value_at(std::size_t which, Ends& all, std::index_sequence<Is...>) {
    using any_value = std::variant<stored<Ts>...>;
    using taker = any_value (*)(Ends&);
    constexpr taker takers[] = {[](Ends& from) {
        return any_value(std::in_place_index<Is>, std::get<1>(std::move(std::get<2 + 2 * Is>(from))));
    }...};
    return takers[which](all);
}

}  // namespace detail

/// Awaits all calls side by side, on the caller's executor, and returns their results, `std::monostate` for void. The first
/// one that fails cancels the others, and its error is thrown when all have ended. Cancellation reaches all calls.
template <class... Ts>
asio::awaitable<std::tuple<detail::stored<Ts>...>> when_all(asio::awaitable<Ts>... calls) {
    constexpr auto indices = std::index_sequence_for<Ts...>();
    const auto executor = co_await asio::this_coro::executor;
    auto together = detail::run_together(executor, asio::experimental::wait_for_one_error(), std::move(calls)...);
    auto ends = co_await std::move(together);
    const auto errors = detail::errors_of(ends, indices);
    for (const auto which : std::get<0>(ends)) {
        if (errors[which]) std::rethrow_exception(errors[which]);
    }
    co_return detail::values_of<Ts...>(ends, indices);
}

/// Awaits calls side by side until one has succeeded, and cancels the others; returns its result, whose index says which call
/// it was. When all fail, the error of the last one is thrown. Cancellation reaches all calls.
template <class... Ts>
asio::awaitable<std::variant<detail::stored<Ts>...>> when_any(asio::awaitable<Ts>... calls) {
    constexpr auto indices = std::index_sequence_for<Ts...>();
    const auto executor = co_await asio::this_coro::executor;
    auto together = detail::run_together(executor, asio::experimental::wait_for_one_success(), std::move(calls)...);
    auto ends = co_await std::move(together);
    const auto errors = detail::errors_of(ends, indices);
    const auto& order = std::get<0>(ends);
    for (const auto which : order) {
        if (!errors[which]) co_return detail::value_at<Ts...>(which, ends, indices);
    }
    std::rethrow_exception(errors[order.back()]);
}

}  // namespace taskflux
