#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

template <class Function>
using step_result = typename awaited<std::invoke_result_t<Function&>>::type;

/// Runs `function` unless the journal has its result.
template <class Function>
asio::awaitable<step_result<Function>> run_step(notebook& book, std::string name, Function function) {
    using R = step_result<Function>;
    if (book.may_have_entries()) {
        const auto known = co_await book.find(step_key(name));
        if (known) {
            if constexpr (std::is_void_v<R>) co_return;
            else co_return decode<R>(*known);
        }
    }
    std::string text = "null";
    if constexpr (std::is_void_v<R>) {
        if constexpr (is_awaitable<std::invoke_result_t<Function&>>) co_await function();
        else function();
        co_await book.keep(step_key(name), std::move(text));
    } else {
        std::optional<R> value;
        if constexpr (is_awaitable<std::invoke_result_t<Function&>>) value.emplace(co_await function());
        else value.emplace(function());
        text = encode(*value);
        co_await book.keep(step_key(name), std::move(text));
        co_return std::move(*value);
    }
}

/// Waits until the time that the first attempt at this call was given as `when`.
asio::awaitable<void> suspend_until(notebook& book, std::string name, time_point when);

/// The next signal of this name as JSON, or nothing when none has come within `limit` of the first attempt's wait. `place`:
/// the wait's own name.
asio::awaitable<std::optional<std::string>> next_signal(notebook& book, std::string place, std::string name, duration limit);

template <class T>
asio::awaitable<std::optional<T>> take_signal(notebook& book, std::string place, std::string name, duration limit) {
    const auto value = co_await next_signal(book, std::move(place), std::move(name), limit);
    if (!value) co_return std::nullopt;
    co_return decode<T>(*value);
}

template <class T>
asio::awaitable<T> take_signal(notebook& book, std::string place, std::string name) {
    const auto value = co_await next_signal(book, std::move(place), std::move(name), (duration::max)());
    co_return decode<T>(*value);
}

}  // namespace taskflux::detail
