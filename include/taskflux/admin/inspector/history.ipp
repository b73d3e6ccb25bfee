#pragma once

#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/inspector/child_of.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/nap.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace taskflux {

namespace detail {

/// A time as a sleep's entry has it: nanoseconds since 1970, at the beginning of the text; nothing where there is none.
inline time_point time_in_note(std::string_view text) {
    std::int64_t ns = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), ns);
    if (read.ec != std::errc() || ns <= 0) return {};
    return time_point(std::chrono::duration_cast<duration>(std::chrono::nanoseconds(ns)));
}

/// What an entry that is no subtask tells; nothing where it is of no interest.
inline std::optional<journal_note> note_of(const journal_entry& entry) {
    journal_note made;
    made.name = entry.key.substr(1);
    if (entry.key.starts_with(journal_letter::signal)) {
        made.kind = note_kind::signal;
        return made;
    }
    if (!entry.key.starts_with(journal_letter::step)) return std::nullopt;
    made.kind = note_kind::step;
    if (!made.name.starts_with('~')) return made;
    made.name.erase(0, 1);
    if (made.name.starts_with("sleep/")) {
        made.kind = note_kind::sleep;
        made.at = time_in_note(entry.text);
    } else if (made.name.starts_with("signal/")) {
        made.kind = note_kind::signal_wait;
        made.at = time_in_note(entry.text);
        const auto line = entry.text.find('\n');
        if (line != std::string::npos) made.name = entry.text.substr(line + 1);
    } else {
        return std::nullopt;
    }
    return made;
}

inline journal_note note_of(const task_node& child) {
    journal_note made;
    made.kind = note_kind::subtask;
    made.name = child.name;
    made.at = child.task.submitted_at;
    made.ended_at = child.task.ended_at;
    made.state = child.task.state;
    if (child.task.id.key != task_key()) made.task = to_string(child.task.id);
    return made;
}

inline bool comes_before(const journal_note& a, const journal_note& b) {
    const auto order = [](const journal_note& of) { return std::tuple(of.at == time_point{}, of.at, of.kind, std::string_view(of.name)); };
    return order(a) < order(b);
}

asio::awaitable<void> read_notes(broker_ptr broker, task_id id, std::size_t most, task_history& into) {
    journal_query query;
    do {
        const auto page = co_await broker->journal(id, query);
        query.cursor = page.cursor;
        for (const auto& entry : page.entries) {
            const bool is_child = entry.key.starts_with(journal_letter::subtask);
            auto note = is_child ? std::optional<journal_note>(std::in_place) : note_of(entry);
            if (!note) continue;
            if (into.notes.size() == most) {
                into.is_cut = true;
                co_return;
            }
            if (is_child) {
                const auto child = co_await child_of(broker, entry);
                *note = note_of(child);
            }
            into.notes.push_back(std::move(*note));
        }
    } while (!query.cursor.empty());
}

asio::awaitable<task_history> history_of(broker_ptr broker, task_id id, std::size_t most) {
    auto known = co_await broker->attempts(id);
    task_history made;
    made.attempts = std::move(known.attempts);
    made.attempts_left_out = known.left_out;
    co_await read_notes(std::move(broker), std::move(id), most, made);
    std::ranges::sort(made.notes, comes_before);
    co_return made;
}

asio::awaitable<log_page> follow_log(broker_ptr broker, task_id id, std::string cursor, std::size_t limit, duration wait) {
    constexpr duration every = std::chrono::milliseconds(500);
    auto& clock = broker->clock();
    const auto until = later(clock.now(), wait);
    for (;;) {
        log_query query;
        query.cursor = cursor;
        query.limit = limit;
        auto page = co_await broker->log(id, std::move(query));
        const auto left = until - clock.now();
        if (!page.lines.empty() || page.missed > 0 || page.has_ended || limit == 0 || left <= duration::zero()) co_return page;
        cursor = std::move(page.cursor);
        co_await nap(clock, (std::min)(left, every));
    }
}

}  // namespace detail

asio::awaitable<task_history> inspector::history(task_id id, std::size_t most) const {
    return detail::history_of(broker(), std::move(id), most);
}

asio::awaitable<log_page> inspector::log(task_id id, std::string cursor, std::size_t limit, duration wait) const {
    return detail::follow_log(broker(), std::move(id), std::move(cursor), limit, wait);
}

}  // namespace taskflux
