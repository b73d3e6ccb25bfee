#pragma once

#include <taskflux/flow/workflow/notebook.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

asio::awaitable<std::string> notebook::keep(std::string key, std::string value) {
    auto what = new_write();
    what.items.push_back(item_of(std::move(key), value, journal_write::mode::add));
    const auto answer = co_await write(std::move(what));
    const auto& before = answer.before.front();
    co_return before ? before->text : value;
}

asio::awaitable<void> notebook::set(std::string key, std::string value) {
    auto what = new_write();
    what.items.push_back(item_of(std::move(key), std::move(value), journal_write::mode::set));
    co_await write(std::move(what));
}

asio::awaitable<std::optional<std::string>> notebook::find(std::string key) {
    journal_query query;
    query.keys.push_back(std::move(key));
    auto page = co_await broker()->journal(id_, std::move(query));
    if (page.entries.empty()) co_return std::nullopt;
    co_return std::move(page.entries.front().text);
}

asio::awaitable<std::optional<std::size_t>> notebook::find_number(std::string key) {
    const auto known = co_await find(std::move(key));
    if (!known) co_return std::nullopt;
    std::size_t number = 0;
    std::from_chars(known->data(), known->data() + known->size(), number);
    co_return number;
}

}  // namespace taskflux::detail
