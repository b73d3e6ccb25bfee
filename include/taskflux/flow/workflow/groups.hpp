#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/exec/when_all.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

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

/// Which of several calls has won, as the journal keeps it, with the names that the others have taken, where coroutines among
/// them made calls: another run awaits the winner alone, and must give those names to nobody.
struct winner {
    std::size_t index = 0;
    std::vector<unsigned> left_out = {};

    std::string text() const {
        auto made = std::to_string(index);
        for (const auto number : left_out) made += ' ' + std::to_string(number);
        return made;
    }

    static winner parse(std::string_view text) {
        winner made;
        made.index = number_in(text);
        for (auto space = text.find(' '); space != std::string_view::npos; space = text.find(' ', space + 1)) {
            made.left_out.push_back(number_in<unsigned>(text.substr(space + 1)));
        }
        return made;
    }
};

/// Awaits a call, and notes the names that are taken in its coroutines.
template <class T>
asio::awaitable<T> noted(notebook& book, asio::awaitable<T> call, std::shared_ptr<name_list> to) {
    const auto* const chain = co_await own_chain();
    const noted_names here(book, chain, std::move(to));
    co_return co_await std::move(call);
}

/// The names that each of several calls has taken.
using names_by_call = std::vector<std::shared_ptr<name_list>>;

template <class... Ts, std::size_t... Is>
asio::awaitable<std::variant<stored<Ts>...>> any_noted(notebook& book, const names_by_call& taken, std::index_sequence<Is...>,
                                                       asio::awaitable<Ts>... calls) {
    return when_any(noted(book, std::move(calls), taken[Is])...);
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

/// That one of several calls, all of which must succeed, has failed by itself: while this lives, the others are cancelled for that.
class common_failure {
public:
    explicit common_failure(notebook& book) : book_(book) {}
    common_failure(const common_failure&) = delete;
    common_failure& operator=(const common_failure&) = delete;
    ~common_failure() {
        if (has_begun_) book_.end_failing();
    }

    void begin() {
        if (!std::exchange(has_begun_, true)) book_.begin_failing();
    }

private:
    notebook& book_;
    bool has_begun_ = false;  // on the calls' strand
};

/// Awaits one of several calls that must all succeed.
template <class T>
asio::awaitable<T> needed(asio::awaitable<T> call, std::shared_ptr<common_failure> failing) {
    std::exception_ptr failure;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(call);
            co_return;
        } else {
            co_return co_await std::move(call);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool was_cancelled = state.cancelled() != asio::cancellation_type::none;
    if (!was_cancelled) failing->begin();
    std::rethrow_exception(failure);
}

/// `when_any`, whose winner is journalled: of several calls that have succeeded, another run takes the same one.
template <class... Ts>
asio::awaitable<std::variant<stored<Ts>...>> first_of(notebook& book, std::string name, asio::awaitable<Ts>... calls) {
    if (book.is_in_step()) co_await book.refuse_in_step();
    std::shared_ptr<name_list> outer;
    if (book.notes_names()) {
        co_await book.note_name(name);
        outer = co_await book.names_here();
    }
    const group together(book);
    const place at(std::move(name), call_kind::any);
    std::optional<std::string> known;
    if (book.may_have_entries()) known = co_await book.find(at);
    if (known) {
        auto before = winner::parse(*known);
        book.leave_out(before.left_out, outer.get());
        co_return co_await only(before.index, std::index_sequence_for<Ts...>(), std::move(calls)...);
    }
    const auto start = book.position();
    names_by_call taken;
    for (std::size_t i = 0; i < sizeof...(Ts); ++i) taken.emplace_back(std::make_shared<name_list>())->outer = outer;
    auto first = co_await any_noted(book, taken, std::index_sequence_for<Ts...>(), std::move(calls)...);
    winner won;
    won.index = first.index();
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (i == won.index) continue;
        for (const auto number : taken[i]->numbers) {
            if (number > start) won.left_out.push_back(number);  // else it was taken before, by what made the call
        }
    }
    auto text = won.text();
    co_await book.set(trace_of(at.kind).key(at.name), std::move(text));
    co_return first;
}

template <class... Ts>
asio::awaitable<std::tuple<stored<Ts>...>> all_of(notebook& book, asio::awaitable<Ts>... calls) {
    if (book.is_in_step()) co_await book.refuse_in_step();
    std::shared_ptr<name_list> outer;
    if (book.notes_names()) outer = co_await book.names_here();
    const group together(book);
    const auto failing = std::make_shared<common_failure>(book);
    if (outer) co_return co_await when_all(noted(book, needed(std::move(calls), failing), outer)...);
    co_return co_await when_all(needed(std::move(calls), failing)...);
}

}  // namespace taskflux::detail
