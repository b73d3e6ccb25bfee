#pragma once

#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/broker/why.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::redis {

inline task_reason read_reason(reader& from, const std::string& queue) {
    task_reason made;
    const auto fields = from.list();
    const auto what = from.integer();
    if (what < 0 || what > std::int64_t(why_reason::damaged)) {
        throw error(errc::protocol, "the script why answered the unknown reason " + std::to_string(what));
    }
    made.what = static_cast<why_reason>(what);
    made.since = to_time(static_cast<double>(from.integer()));
    made.until = to_time(static_cast<double>(from.integer()));
    made.count = static_cast<std::uint64_t>(from.integer());
    made.most = static_cast<std::uint64_t>(from.integer());
    made.is_at_least = from.integer() != 0;
    made.text = from.text();
    constexpr std::size_t before_names = 7;
    if (made.what == why_reason::successor) {  // its number and nonce
        task_key key;
        key.sequence = made.count;
        key.nonce = static_cast<std::uint32_t>(made.most);
        made.count = made.most = 0;
        if (key.sequence > 0) made.names.push_back(to_string(task_id{queue, key}));
    }
    for (auto n = before_names; n < fields; ++n) made.names.emplace_back(from.text());
    if (made.what == why_reason::signal && !made.names.empty()) made.names[0] = signal_name(made.names[0]);
    return made;
}

/// `broker::why`.
inline awaitable<std::optional<task_situation>> why(engine_ptr on, task_id id) {
    arguments with;
    with.add(id.key.sequence).add(id.key.nonce);
    const auto got = co_await on->call(id.queue, scripts::why, {}, std::move(with));
    auto from = got.read();
    if (from.done()) co_return std::nullopt;
    task_situation made;
    made.id = to_string(id);
    made.state = static_cast<task_state>(from.integer());
    made.name = from.text();
    while (!from.done()) made.reasons.push_back(read_reason(from, id.queue));
    co_return made;
}

}  // namespace taskflux::redis
