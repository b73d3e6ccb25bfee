#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/attempts.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::redis {

/// Attempts as they are stored.
struct stored_attempts {
    attempt_list list;
    std::uint32_t newest = 0;  ///< the token of the last one, also where its outcome is not known here
};

/// What is damaged is left out.
inline stored_attempts read_attempts(std::string_view text) {
    stored_attempts found;
    auto& made = found.list;
    if (text.empty()) return found;
    try {
        byte_reader from(text);
        const auto many = from.number<std::uint32_t>();
        made.left_out = from.number<std::uint32_t>();
        for (std::uint32_t n = 0; n < many; ++n) {
            byte_reader entry(from.text());
            past_attempt one;
            one.attempt = entry.number<std::uint32_t>();
            one.token = entry.number<std::uint32_t>();
            const auto outcome = entry.number<std::uint8_t>();
            found.newest = one.token;
            if (outcome > static_cast<std::uint8_t>(attempt_outcome::suspended)) {  // a newer version knows it
                ++made.left_out;
                continue;
            }
            one.outcome = static_cast<attempt_outcome>(outcome);
            one.started_at = to_time(entry.real());
            one.ended_at = to_time(entry.real());
            const auto holder = entry.number<std::uint16_t>();
            one.error_size = entry.number<std::uint32_t>();
            one.consumer = entry.take(holder);
            one.error = entry.rest();
            made.attempts.push_back(std::move(one));
        }
    } catch (const error&) {  // those before it are read
    }
    return found;
}

/// `broker::attempts`.
inline awaitable<attempt_list> attempts(engine_ptr on, task_id id) {
    arguments with;
    with.add(id.key.sequence).add(id.key.nonce);
    const auto got = co_await on->call(id.queue, scripts::history, {}, std::move(with));
    auto from = got.read();
    if (from.done()) throw detail::no_such_task(id);
    const auto status = read_status(from.text());
    auto made = read_attempts(from.text());
    past_attempt last;
    last.token = status.deliveries;
    last.consumer = status.holder;
    last.started_at = status.started_at;
    last.ended_at = status.when;
    auto told = detail::attempt_of(status.state, std::move(last), status.failed_attempts, std::string(status.error));
    detail::add_last(made.list, made.newest, std::move(told));
    co_return std::move(made.list);
}

/// `broker::log`.
inline awaitable<log_page> log(engine_ptr on, task_id id, log_query query) {
    const auto asked = detail::first_line(query);
    arguments with;
    with.add(id.key.sequence).add(id.key.nonce).add(asked).add((std::min)(query.limit, detail::most_kept::log_lines));
    const auto got = co_await on->call(id.queue, scripts::log, {}, std::move(with));
    auto from = got.read();
    if (from.done()) throw detail::no_such_task(id);
    auto number = static_cast<std::uint64_t>(from.integer());
    const auto last_kept = static_cast<std::uint64_t>(from.integer());
    const bool has_ended = from.integer() != 0;
    log_page made;
    if (!query.cursor.empty()) made.missed = static_cast<std::size_t>(number - (std::min)(asked, number));
    for (; !from.done(); ++number) {
        auto line = read_line(from.text());
        if (!line) continue;
        if (!line->from) line->from.emplace();
        line->from->number = number;
        made.lines.push_back(std::move(*line));
    }
    made.has_ended = has_ended && number > last_kept;
    made.cursor = std::to_string(number);
    co_return made;
}

}  // namespace taskflux::redis
