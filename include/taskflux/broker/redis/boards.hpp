#pragma once

#include <taskflux/broker/exchange.hpp>
#include <taskflux/broker/redis/engine.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

inline std::vector<std::string> board_key() { return {"D"}; }

/// `exchange::announce`; with an empty lease `exchange::withdraw`.
inline awaitable<void> announce(engine_ptr on, std::string board, std::string id, std::string text, std::string lease) {
    arguments with;
    with.add(std::move(id)).add(std::move(lease)).add(std::move(text));
    const auto got = co_await on->call(std::move(board), scripts::announce, board_key(), std::move(with));
    on->clock().set(time_point(duration(got.read().integer())));
}

/// `exchange::announced`.
inline awaitable<std::vector<announcement>> announced(engine_ptr on, std::string board) {
    const auto got = co_await on->call(std::move(board), scripts::announced, board_key(), {});
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
