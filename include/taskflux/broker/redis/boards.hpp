#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/exchange.hpp>
#include <taskflux/broker/redis/engine.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

inline std::vector<std::string> board_key() { return {std::string(own_key::board)}; }

/// On the server a board is a key of the queue of its name.
inline awaitable<answer> call_board(std::shared_ptr<queue> board, const script& what, arguments with) {
    auto& calls = board->calls();
    co_return co_await calls.run(what, board_key(), std::move(with), true);
}

/// Changes one row of a board. An empty lease: takes it off.
inline awaitable<void> write_row(engine_ptr on, std::shared_ptr<queue> board, std::string id, std::string text,
                                 std::string lease) {
    arguments with;
    with.add(std::move(id)).add(std::move(lease)).add(std::move(text));
    const auto got = co_await call_board(std::move(board), scripts::announce, std::move(with));
    on->clock().set(time_point(duration(got.read().integer())));
}

/// `exchange::announce`.
inline awaitable<void> announce(engine_ptr on, std::string board, std::string id, std::string text, duration lease) {
    auto rows = on->board(board);
    detail::check_name(detail::limits::board_row, id);
    co_await on->until_it_hears();
    co_await write_row(on, std::move(rows), std::move(id), std::move(text), std::to_string(lease.count()));
}

/// `exchange::withdraw`.
inline awaitable<void> withdraw(engine_ptr on, std::string board, std::string id) {
    auto rows = on->board(board);
    co_await write_row(on, std::move(rows), std::move(id), {}, {});
}

/// `exchange::announced`.
inline awaitable<std::vector<announcement>> announced(engine_ptr on, std::string board) {
    const auto got = co_await call_board(on->board(board), scripts::announced, {});
    auto from = got.read();
    on->clock().set(time_point(duration(from.integer())));
    std::vector<announcement> all((got.size() - 1) / 2);
    for (auto& one : all) {
        one.id = from.text();
        one.text = from.text();
    }
    std::ranges::sort(all, {}, &announcement::id);
    co_return all;
}

}  // namespace taskflux::redis
