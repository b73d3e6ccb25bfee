#pragma once

#include <taskflux/http/task_center/center.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

// Queues as wholes: clearing, looking at and listing them.
namespace taskflux::detail::task_center {

/// Where it is kept that queues were cleared: a held task for each, whose own id is the queue's name, and whose payload how many
/// tasks had been submitted to it then.
inline constexpr std::string_view cleared_queues = "task_center.cleared";

inline asio::awaitable<std::int64_t> submitted_to(center_ptr on, std::string queue) {
    const auto counted = co_await on->broker->statistics(std::move(queue));
    co_return counted.all[counted::submitted];
}

inline asio::awaitable<std::int64_t> submitted_when_cleared(center_ptr on, std::string queue) {
    const std::string in(cleared_queues);
    const auto key = co_await on->broker->find(in, std::move(queue));
    if (!key) co_return 0;
    const task_id id{in, *key};
    const auto record = co_await on->broker->get(id);
    std::int64_t number = 0;
    if (record) std::from_chars(record->payload.data(), record->payload.data() + record->payload.size(), number);
    co_return number;
}

inline asio::awaitable<void> note_cleared(center_ptr on, std::string queue) {
    auto counting = submitted_to(on, queue);
    const auto number = co_await std::move(counting);
    if (number == 0) co_return;
    const std::string in(cleared_queues);
    auto spec = std::make_shared<task_spec>();
    spec->name = cleared_queues;
    std::vector<new_task> rows(1);
    rows.front().spec = std::move(spec);
    rows.front().own_id = queue;
    rows.front().payload = std::to_string(number);
    rows.front().hold = true;
    const auto stored = co_await on->broker->submit(in, std::move(rows));
    if (!stored.front().duplicate) co_return;
    const task_id id{in, stored.front().key};
    co_await on->broker->update(id, std::to_string(number));
}

/// Whether clients see a queue: it has had tasks, since it was cleared where it was.
inline asio::awaitable<bool> is_there(center_ptr on, std::string queue) {
    auto counting = submitted_to(on, queue);
    const auto number = co_await std::move(counting);
    if (number == 0) co_return false;
    auto looking = submitted_when_cleared(on, queue);
    const auto cleared = co_await std::move(looking);
    co_return number > cleared;
}

/// Removes up to `most` tasks that somebody has; gives how many there were.
inline asio::awaitable<std::size_t> remove_running(center_ptr on, std::string queue, std::size_t most) {
    list_query query;
    query.queue = queue;
    query.state = task_state::running;
    query.limit = most;
    const auto page = co_await on->broker->list(std::move(query));
    for (const auto& one : page.tasks) {
        auto removing = remove_task(on, one.id);
        co_await std::move(removing);
    }
    co_return page.tasks.size();
}

asio::awaitable<bool> clear(center_ptr on, std::string queue, std::int64_t steps, std::size_t step) {
    for (std::int64_t i = 0; i < steps; ++i) {
        const auto removed = co_await on->broker->clear(queue, std::nullopt, step);
        if (removed > 0) continue;
        auto ending = remove_running(on, queue, step);
        const auto ended = co_await std::move(ending);
        if (ended > 0) continue;
        auto noting = note_cleared(on, queue);
        co_await std::move(noting);
        co_return true;
    }
    co_return false;
}

/// The cursor of the last waiting task, where that of the first is known. It looks at a page, and then halves what is left.
inline asio::awaitable<std::string> newest(center_ptr on, std::string queue, std::string first) {
    constexpr std::uint64_t behind_all = std::uint64_t(1) << 40;
    auto low = peek_cursor::parse(first);  // of a task
    peek_query query;
    query.limit = 100;
    query.cursor = peek_cursor{low.order, behind_all}.text();
    const auto end = co_await on->broker->peek(queue, query);
    auto high = peek_cursor::parse(end.cursor).place;  // no task is behind it
    for (auto from = low.place; low.place < high; from = low.place + (high - low.place) / 2) {
        query.cursor = peek_cursor{low.order, from}.text();
        const auto page = co_await on->broker->peek(queue, query);
        const auto at = peek_cursor::parse(page.cursor);
        if (at.order != low.order) break;
        if (page.tasks.empty()) {
            high = from;
            continue;
        }
        low = peek_cursor::parse(page.tasks.back().cursor);
        if (at.place >= high) break;
    }
    co_return low.text();
}

asio::awaitable<std::optional<queue_state>> stat(center_ptr on, std::string queue) {
    auto looking = is_there(on, queue);
    if (!co_await std::move(looking)) co_return std::nullopt;
    queue_state state;
    const auto counts = co_await on->broker->counts(queue);
    state.length = counts.waiting;
    peek_query first;
    first.limit = 1;
    const auto page = co_await on->broker->peek(queue, first);
    if (page.tasks.empty()) co_return state;
    state.oldest = page.tasks.front().cursor;
    auto seeking = newest(on, queue, state.oldest);
    state.newest = co_await std::move(seeking);
    co_return state;
}

asio::awaitable<queue_page> list(center_ptr on, std::string cursor, std::size_t size) {
    queue_page page;
    const auto all = co_await on->broker->queues();
    std::size_t looked_at = 0;
    for (auto next = std::ranges::upper_bound(all, cursor); next != all.end(); ++next) {
        if (looked_at == size) {
            page.cursor = *std::prev(next);
            break;
        }
        auto shown = on->queues.shown(*next);
        if (!shown || *next == cleared_queues) continue;
        ++looked_at;
        auto looking = is_there(on, *next);
        const bool is_one = co_await std::move(looking);
        if (is_one) page.names.push_back(std::move(*shown));
    }
    co_return page;
}

}  // namespace taskflux::detail::task_center
