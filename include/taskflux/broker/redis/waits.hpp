#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/awaited_ends.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Asks for the ends of these tasks, and passes the answers on. Gives when, by the local clock, time alone may end one of the
/// queue's tasks. `began`: since when somebody waits.
inline awaitable<time_point> ask_for_ends(engine_ptr on, std::string name, std::vector<task_key> keys, time_point began) {
    auto& ends = on->ends();
    auto next_change = never;
    while (!keys.empty()) {
        const auto sent = on->base().now();
        auto asking = on->at(name)->ends_of(keys, on->channel());
        auto asked = co_await detail::caught(std::move(asking));
        if (asked.failure()) {
            ends.fail(name, keys, asked.failure());
            co_return never;
        }
        const auto got = asked.take();
        on->at(name)->note_service(got.is_served, sent - began);
        auto key = keys.begin();
        for (const auto& one : got.answers) {
            if (one.is_found) ends.answer(name, *key++, one.outcome);
            else ends.answer_gone(name, *key++);
        }
        keys.erase(keys.begin(), key);  // the others have not fitted into the answer
        next_change = got.next_change < 0 ? never : engine::local(sent, got.next_change, got.now);
    }
    co_return next_change;
}

/// Asks for the ends that callers of this process wait for, in one queue, while there are any: at once for a caller that has
/// just come, for one of all when time alone may have ended some (which makes the server look), and for all of them now and
/// then, as messages may get lost: every 5 to 7 s, and no more than 2,000 a second, unless some have been lost.
inline awaitable<void> keep_asking(engine_ptr on, std::string name, std::shared_ptr<detail::event> wake) {
    constexpr auto most = batcher_limits::max_items;
    constexpr auto pace = std::chrono::milliseconds(100);  // between two requests of a round
    auto& ends = on->ends();
    const auto poll = [&] { return later(on->base().now(), on->safety_poll()); };
    const auto began = on->base().now();
    auto round_at = poll();
    auto change_at = never;
    std::optional<task_key> asked;  // the last one of a round under way
    bool is_hurried = false;
    while (!ends.end_asker(name)) {
        const auto now = on->base().now();
        auto keys = ends.take_questions(name, most);
        if (ends.take_hurry(name)) {
            is_hurried = true;
            asked.reset();
            round_at = now;
        }
        if (keys.empty() && (is_hurried || now >= round_at)) {
            keys = ends.next(name, asked.value_or(task_key()), most);
            const bool is_over = keys.size() < most;
            asked = is_over ? std::nullopt : std::optional(keys.back());
            round_at = is_over ? poll() : later(now, pace);
            is_hurried = is_hurried && !is_over;
        }
        if (keys.empty() && now >= change_at) keys = ends.next(name, task_key(), 1);
        if (keys.empty()) {
            co_await on->sleep(wake, (std::min)(round_at, change_at));
        } else {
            change_at = co_await ask_for_ends(on, name, std::move(keys), began);
        }
    }
}

/// `broker::wait`, without waiting.
inline awaitable<std::optional<task_outcome>> look_for_end(engine_ptr on, task_id id) {
    if (auto told = on->ends().take(id)) co_return told;
    std::vector<task_key> keys(1, id.key);
    auto known = co_await on->at(id.queue)->ends_of(std::move(keys), std::string());
    if (!known.answers.front().is_found) throw detail::no_such_task(id);
    co_return std::move(known.answers.front().outcome);
}

/// `broker::wait`.
inline awaitable<std::optional<task_outcome>> wait_for_end(engine_ptr on, task_id id, duration wait) {
    on->at(id.queue);
    const auto deadline = later(on->base().now(), wait);
    awaited_ends::ticket mine(on->ends(), id);
    if (auto asker = on->ends().begin_asker(id.queue)) {
        detail::spawn_ignoring_errors(on->get_executor(), keep_asking(on, id.queue, std::move(asker)));
    }
    std::optional<time_point> lost_at;  // when a task that is gone has ended without a word
    bool will_hear = false, is_last = false;
    for (;;) {
        on->check_open();
        auto known = mine.look();
        if (known.outcome) co_return std::move(*known.outcome);
        if (known.failure) std::rethrow_exception(known.failure);
        will_hear = will_hear || known.is_told || known.is_open;
        auto until = is_last ? never : deadline;
        const auto now = on->base().now();
        if (known.is_gone) {
            // A task without retention has gone with its end, and the message about that comes on another connection.
            constexpr auto patience = std::chrono::seconds(2);
            if (!lost_at) lost_at = will_hear ? later(now, patience) : now;
            if (now >= *lost_at) throw detail::no_such_task(id);
            until = *lost_at;
        } else if (is_last && known.is_open) {
            co_return std::nullopt;
        } else if (!is_last && now >= deadline) {
            is_last = true;
            mine.ask_at_last();
            until = never;
        }
        const auto wake = mine.wake();
        if (until == never) co_await wake->wait();  // without a timer, as there may be very many
        else co_await on->sleep(wake, until);
    }
}

}  // namespace taskflux::redis
