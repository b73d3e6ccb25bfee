#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/exec/when_all.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux::detail {

template <std::size_t Index, class Any, class T>
asio::awaitable<Any> as_any(asio::awaitable<T> call) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(call);
        co_return Any(std::in_place_index<Index>);
    } else {
        co_return Any(std::in_place_index<Index>, co_await std::move(call));
    }
}

/// Awaits one of the calls, and lets the others go.
template <class... Ts, std::size_t... Is>
asio::awaitable<std::variant<stored<Ts>...>> only(std::size_t index, std::index_sequence<Is...>, asio::awaitable<Ts>... calls) {
    using any_value = std::variant<stored<Ts>...>;
    asio::awaitable<any_value> all[] = {as_any<Is, any_value>(std::move(calls))...};
    co_return co_await std::move(all[index < sizeof...(Ts) ? index : 0]);
}

/// While several calls of a handler are awaited.
class group {
public:
    explicit group(notebook& book) : book_(book) { book_.enter_group(); }
    group(const group&) = delete;
    group& operator=(const group&) = delete;
    ~group() { book_.leave_group(); }

private:
    notebook& book_;
};

/// A call of a group that may still go on.
class leaf {
public:
    explicit leaf(notebook& book) : book_(&book) { book.add_leaf(); }
    leaf(leaf&& other) noexcept : book_(std::exchange(other.book_, nullptr)) {}
    leaf& operator=(leaf&&) = delete;
    ~leaf() { end(); }

    void end() {
        if (auto* const book = std::exchange(book_, nullptr)) book->remove_leaf();
    }

private:
    notebook* book_;
};

/// When it has ended, the others may do nothing but wait.
template <class T>
asio::awaitable<T> branch(leaf here, notebook& book, asio::awaitable<T> call) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(call);
        here.end();
        co_await book.rest();
    } else {
        auto value = co_await std::move(call);
        here.end();
        co_await book.rest();
        co_return value;
    }
}

/// `when_any`, whose winner is journalled: of several calls that have succeeded, another run takes the same one.
template <class... Ts>
asio::awaitable<std::variant<stored<Ts>...>> first_of(notebook& book, std::string name, asio::awaitable<Ts>... calls) {
    const group together(book);
    const place at(std::move(name), call_kind::any);
    std::optional<std::string> known;
    if (book.may_have_entries()) known = co_await book.find(at);
    if (known) co_return co_await only(number_in(*known), std::index_sequence_for<Ts...>(), std::move(calls)...);
    auto winner = co_await when_any(branch(leaf(book), book, std::move(calls))...);
    co_await book.set(trace_of(at.kind).key(at.name), std::to_string(winner.index()));
    co_return winner;
}

template <class... Ts>
asio::awaitable<std::tuple<stored<Ts>...>> all_of(notebook& book, asio::awaitable<Ts>... calls) {
    const group together(book);
    co_return co_await when_all(branch(leaf(book), book, std::move(calls))...);
}

}  // namespace taskflux::detail
