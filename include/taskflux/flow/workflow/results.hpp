#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/exec/when_all.hpp>
#include <taskflux/flow/job.hpp>
#include <taskflux/flow/workflow/notebook.hpp>
#include <taskflux/flow/workflow/spawning.hpp>
#include <taskflux/flow/workflow/steps.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux::detail {

/// The outcomes of some of the subtasks that a task has spawned, in order.
template <class R>
asio::awaitable<std::vector<job_outcome<R>>> results_of(broker_ptr broker, spawned which, std::uint64_t first,
                                                        std::uint64_t count) {
    const auto parent = parse_task_id(which.parent);
    const auto end = first < which.count ? first + (std::min)(count, which.count - first) : first;
    journal_query query;
    for (auto i = first; i < end; ++i) query.keys.push_back(child_key(which.name + '.' + std::to_string(i)));
    std::vector<job_outcome<R>> made(query.keys.size());
    if (made.empty()) co_return made;
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < made.size(); ++i) {
        places.emplace(query.keys[i], i);
        made[i].state = task_state::waiting;
    }
    const auto page = co_await broker->journal(parent, std::move(query));
    for (const auto& entry : page.entries) {
        if (entry.outcome) made[places.at(entry.key)] = typed<R>(*entry.outcome);
    }
    co_return made;
}

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

template <std::size_t Index, class Any, class T>
asio::awaitable<Any> as_any(asio::awaitable<T> call) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(call);
        co_return Any(std::in_place_index<Index>);
    } else {
        co_return Any(std::in_place_index<Index>, co_await std::move(call));
    }
}

/// Awaits one of the calls, and drops the others.
template <class... Ts, std::size_t... Is>
asio::awaitable<std::variant<stored<Ts>...>> only(std::size_t index, std::index_sequence<Is...>, asio::awaitable<Ts>... calls) {
    using any_value = std::variant<stored<Ts>...>;
    asio::awaitable<any_value> all[] = {as_any<Is, any_value>(std::move(calls))...};
    co_return co_await std::move(all[index < sizeof...(Ts) ? index : 0]);
}

/// Lives while several calls of a handler are awaited side by side.
class group {
public:
    explicit group(notebook& book) : book_(book) { book_.enter_group(); }
    group(const group&) = delete;
    group& operator=(const group&) = delete;
    ~group() { book_.leave_group(); }

private:
    notebook& book_;
};

/// `when_any` with its winner in the journal: of several calls that have succeeded, another run takes the same one.
template <class... Ts>
asio::awaitable<std::variant<stored<Ts>...>> first_of(notebook& book, std::string name, asio::awaitable<Ts>... calls) {
    const group together(book);
    const auto key = step_key("~any/" + name);
    std::optional<std::size_t> known;
    if (book.may_have_entries()) known = co_await book.find_number(key);
    if (known) co_return co_await only(*known, std::index_sequence_for<Ts...>(), std::move(calls)...);
    auto winner = co_await when_any(std::move(calls)...);
    co_await book.set(key, std::to_string(winner.index()));
    co_return winner;
}

template <class... Ts>
asio::awaitable<std::tuple<stored<Ts>...>> all_of(notebook& book, asio::awaitable<Ts>... calls) {
    const group together(book);
    co_return co_await when_all(std::move(calls)...);
}

}  // namespace taskflux::detail
