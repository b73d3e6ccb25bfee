#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// A journal's entry as it is stored: see lua/shared/journal.lua.
inline journal_entry read_entry(std::string_view key, std::string_view value) {
    journal_entry made;
    made.key = key;
    if (!key.starts_with(journal_letter::subtask)) {
        made.text = value;
        return made;
    }
    byte_reader from(value);
    const bool is_open = from.take(1).front() == subtask_letter::open;
    made.is_spawned = from.take(1) == "1";
    made.epoch = from.number<std::uint32_t>();
    made.text = from.text();
    if (!is_open) made.outcome = read_outcome(from);
    return made;
}

/// What a script says about a journal, as an effect or the error for it.
inline void check_journal(const task_id& id, reader& from) {
    const auto code = from.integer();
    if (code == more_effects::too_large) throw detail::journal_is_full(static_cast<std::size_t>(from.integer()));
    switch (queue::effect_of(code)) {
        case effect::done: return;
        case effect::lease_lost: throw detail::attempt_is_over(id);
        case effect::wrong_state: throw detail::task_has_ended(id);
        case effect::not_found: throw detail::no_such_task(id);
        case effect::requested: break;
    }
    throw error(errc::protocol, "task " + to_string(id) + ": a script answered an effect that a journal does not know");
}

/// The key of a task's journal. (GCC 12 compiles no list in braces inside a co_await expression.)
inline std::vector<std::string> journal_of(task_key key) { return {named(own_key::journal, std::to_string(key.sequence))}; }

/// Writes some of a journal's items, all or nothing. What takes out again the subtasks that are new goes into `undo`.
inline awaitable<void> write_items(engine_ptr on, const task_id& id, journal_write& what, std::size_t from, std::size_t till,
                                   journal_written& answer, journal_write& undo) {
    arguments with;
    with.reserve(6 + 4 * (till - from));
    with.add(id.key.sequence).add(id.key.nonce).add(what.consumer).add(what.token);
    with.add(what.policy ? what.policy->text() : std::string()).add(max_journal_size);
    for (auto i = from; i < till; ++i) {
        auto& item = what.items[i];
        with.add(std::move(item.key));
        switch (item.how) {
            case journal_write::mode::add: with.add(std::string(1, write_letter::add)); break;
            case journal_write::mode::set: with.add(std::string(1, write_letter::set)); break;
            case journal_write::mode::drop: with.add(std::string(1, write_letter::drop)); break;
            case journal_write::mode::look: with.add(std::string(1, write_letter::look)); break;
        }
        with.add(item.is_spawned ? "1" : "0").add(std::move(item.text));
    }
    std::vector<std::string> keys;
    for (std::size_t at = 6; at < with.words().size(); at += 4) keys.push_back(with.words()[at]);
    const auto got = co_await on->call(id.queue, scripts::write_journal, journal_of(id.key), std::move(with));
    auto told = got.read();
    check_journal(id, told);
    answer.epoch = static_cast<unsigned>(told.integer());
    for (auto i = from; i < till; ++i) {
        auto& key = keys[i - from];
        const auto value = told.text();
        auto& before = answer.before.emplace_back();
        if (!value.empty()) before = read_entry(key, value);
        if (before || what.items[i].how != journal_write::mode::add || !key.starts_with(journal_letter::subtask)) continue;
        auto& added = undo.items.emplace_back();
        added.key = std::move(key);
        added.how = journal_write::mode::drop;
    }
}

/// `broker::write_journal`. Where the items are more than one call takes and the last ones have no room, the subtasks that were
/// added are taken out again: only those are so many.
inline awaitable<journal_written> write_journal(engine_ptr on, task_id id, journal_write what) {
    detail::check_writes(what);
    journal_written answer;
    journal_write undo;
    undo.consumer = what.consumer;
    undo.token = what.token;
    for (std::size_t from = 0; from == 0 || from < what.items.size(); from += engine::batch_size) {
        const auto till = (std::min)(from + engine::batch_size, what.items.size());
        std::exception_ptr no_room;
        try {
            co_await write_items(on, id, what, from, till, answer, undo);
        } catch (const error& e) {
            if (e.code() != errc::too_large || undo.items.empty()) throw;
            no_room = std::current_exception();
        }
        if (!no_room) continue;
        co_await write_journal(on, id, std::move(undo));
        std::rethrow_exception(no_room);
    }
    co_return answer;
}

/// How many of the keys that a request has named were looked at, as the answer says: one of them at least.
inline std::size_t looked_at(const std::string& told, std::size_t named) {
    std::size_t count = 0;
    const auto [end, failure] = std::from_chars(told.data(), told.data() + told.size(), count);
    if (failure != std::errc() || count == 0 || count > named) {
        throw error(errc::protocol, "the script journal answered for \"" + told + "\" of " + std::to_string(named) + " keys");
    }
    return count;
}

/// Throws `invalid_argument` for what no page has had as its cursor.
inline void check_cursor(const std::string& cursor) {
    if (cursor.empty()) return;
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
    if (failure == std::errc() && end == cursor.data() + cursor.size()) return;
    throw detail::not_a_journal_cursor(cursor);
}

/// `broker::journal`.
inline awaitable<journal_page> read_journal(engine_ptr on, task_id id, journal_query query) {
    check_cursor(query.cursor);
    journal_page page;
    for (std::size_t from = 0; from == 0 || from < query.keys.size();) {
        arguments with;
        with.add(id.key.sequence).add(id.key.nonce).add(query.cursor.empty() ? "0" : query.cursor);
        with.add((std::max)(query.limit, std::size_t(1)));
        const auto till = (std::min)(from + engine::batch_size, query.keys.size());
        for (auto i = from; i < till; ++i) with.add(query.keys[i]);
        const auto got = co_await on->call(id.queue, scripts::journal, journal_of(id.key), std::move(with));
        auto told = got.read();
        check_journal(id, told);
        page.counts.total = static_cast<std::size_t>(told.integer());
        page.counts.done = static_cast<std::size_t>(told.integer());
        page.counts.failed = static_cast<std::size_t>(told.integer());
        page.cursor = told.text();
        while (!told.done()) {
            const auto key = told.text();
            page.entries.push_back(read_entry(key, told.text()));
        }
        if (query.keys.empty()) break;
        from += looked_at(page.cursor, till - from);
    }
    if (page.cursor == "0" || !query.keys.empty()) page.cursor.clear();
    co_return page;
}

/// `broker::signal`.
inline awaitable<effect> signal(engine_ptr on, task_id id, std::string name, std::string value) {
    detail::check_name(detail::limits::call, name);
    arguments with;
    with.add(id.key.sequence).add(id.key.nonce).add(std::move(name)).add(on->new_call_id()).add(std::move(value));
    with.add(max_journal_size);
    const auto got = co_await on->call(id.queue, scripts::signal, journal_of(id.key), std::move(with));
    auto told = got.read();
    if (got.size() == 2) check_journal(id, told);
    co_return queue::effect_of(told.integer());
}

}  // namespace taskflux::redis
