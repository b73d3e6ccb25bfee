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

/// What the asker of a queue knows, beside `awaited_ends`.
struct asking_state {
    time_point served_at;      ///< when a consumer was last known to have a lease; before the first answer, the asker's begin
    time_point change_at = never;  ///< when time alone may end one of the queue's tasks
};

/// Asks for the ends of these tasks, and passes the answers on. Where the server can't be asked, all that have asked fail.
inline awaitable<void> ask_for_ends(engine_ptr on, std::string name, std::vector<task_key> keys, asking_state& known) {
    auto& ends = on->ends();
    while (!keys.empty()) {
        const auto sent = on->base().now();
        auto asking = on->at(name)->ends_of(keys, on->channel());
        auto asked = co_await detail::caught(std::move(asking));
        if (asked.failure()) {
            for (; !keys.empty(); keys = ends.take_questions(name, batcher_limits::max_items)) ends.fail(name, keys, asked.failure());
            known.change_at = never;
            co_return;
        }
        const auto got = asked.take();
        if (got.is_served) known.served_at = sent;
        on->at(name)->note_service(got.is_served, sent - known.served_at);
        auto key = keys.begin();
        for (const auto& one : got.answers) {
            if (one.is_found) ends.answer(name, *key++, one.outcome);
            else ends.answer_gone(name, *key++);
        }
        keys.erase(keys.begin(), key);  // the others have not fitted into the answer
        known.change_at = got.next_change < 0 ? never : engine::local(sent, got.next_change, got.now);
    }
}

/// Asks for the ends that callers of this process wait for, in one queue, while there are any: at once for a caller that has
/// just come, for one of all when time alone may have ended some (which makes the server look), and for all of them now and
/// then, as messages may get lost: every 5 to 7 s, and no more than 2,000 a second of a queue, unless some have been lost.
inline awaitable<void> keep_asking(engine_ptr on, std::string name, std::shared_ptr<detail::event> wake) {
    constexpr auto most = batcher_limits::max_items;
    constexpr auto pace = std::chrono::milliseconds(100);  // between two requests of a round
    auto& ends = on->ends();
    const auto poll = [&] { return later(on->base().now(), on->safety_poll()); };
    asking_state known{on->base().now()};
    auto round_at = poll();
    std::optional<task_key> asked;  // the last one of a round under way
    bool is_hurried = false;
    while (!ends.end_asker(name)) {
        on->check_open();
        const auto now = on->base().now();
        if (ends.take_hurry(name)) {
            is_hurried = true;
            asked.reset();
            round_at = now;
        }
        auto keys = ends.take_questions(name, most);
        if (is_hurried || now >= round_at) {  // also while new callers never cease to ask
            const auto some = ends.next(name, asked.value_or(task_key()), most);
            const bool is_over = some.size() < most;
            asked = is_over ? std::nullopt : std::optional(some.back());
            round_at = is_over ? poll() : later(now, pace);
            is_hurried = is_hurried && !is_over;
            keys.insert(keys.end(), some.begin(), some.end());
        } else if (keys.empty() && now >= known.change_at) {
            keys = ends.next(name, task_key(), 1);
        }
        if (keys.empty()) {
            co_await on->sleep(wake, (std::min)(round_at, known.change_at));
        } else {
            co_await ask_for_ends(on, name, std::move(keys), known);
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
