#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

inline task_key read_key(reader& from) {
    task_key key;
    key.sequence = static_cast<std::uint64_t>(from.integer());
    key.nonce = static_cast<std::uint32_t>(from.integer());
    return key;
}

inline task_record read_record(const std::string& queue, std::uint64_t sequence, reader& from) {
    record_reader records;
    const auto record = records.read(from.text());
    const auto status = read_status(from.text());
    const auto progress = from.text();
    return full_record(queue, sequence, record, status, progress, from.text());
}

/// `broker::find`.
inline awaitable<std::optional<task_key>> find(engine_ptr on, std::string queue, std::string own_id) {
    on->check_open();
    if (own_id.empty()) co_return std::nullopt;
    arguments with;
    with.add("").add(std::move(own_id));
    const auto got = co_await on->call(std::move(queue), scripts::find, {}, std::move(with));
    auto from = got.read();
    const auto key = read_key(from);
    if (key.sequence == 0) co_return std::nullopt;
    co_return key;
}

/// `broker::get`.
inline awaitable<std::optional<task_record>> get(engine_ptr on, task_id id) {
    arguments with;
    with.add(id.key.sequence).add(id.key.nonce);
    const auto got = co_await on->call(id.queue, scripts::get, {}, std::move(with));
    auto from = got.read();
    if (from.is_nil()) co_return std::nullopt;
    from.list();
    co_return read_record(id.queue, id.key.sequence, from);
}

/// `broker::counts`.
inline awaitable<queue_counts> counts(engine_ptr on, std::string name) {
    const auto got = co_await on->call(std::move(name), scripts::counts, {}, {});
    auto from = got.read();
    const auto next = [&] { return static_cast<std::size_t>(from.integer()); };
    queue_counts made;
    made.set_aside = next();
    made.consumers = next();
    made.paused = next() != 0;
    made.unclaimed = next();
    for (std::size_t n = 0; n != task_state_count; ++n) made[static_cast<task_state>(n)] = next();
    co_return made;
}

/// Adds records of one queue to a page, from the number after `seen` on. True where the page is full.
inline awaitable<bool> list_queue(engine_ptr on, const list_query& query, std::string name, std::uint64_t seen,
                                  detail::page_filler& page) {
    for (bool is_end = false; !is_end;) {
        arguments with;
        with.add(seen).add((std::min)(query.limit, engine::scan_size - 1) + 1);
        const auto got = co_await on->read(queue::trouble::with_list, name, scripts::list, std::move(with));
        auto from = got.read();
        seen = static_cast<std::uint64_t>(from.integer());
        is_end = from.integer() != 0;
        while (!from.done()) {
            from.list();
            const auto sequence = static_cast<std::uint64_t>(from.integer());
            task_record record;
            try {
                record = read_record(name, sequence, from);
            } catch (const error& e) {
                on->at(name)->report_damage(std::to_string(sequence), e.what());
                continue;
            }
            if (!detail::matches(query, record.state, record.name, record.submitted_at)) continue;
            if (page.is_full()) co_return true;
            page.add(std::move(record));
        }
    }
    co_return false;
}

/// A page of records, by queue and then by number; the cursor names the last task that was given. What is wrong with one queue
/// does not keep others from being listed: throws where all fail.
inline awaitable<task_page> list(engine_ptr on, list_query query) {
    on->check_open();
    if (!query.queue.empty()) detail::check_queue_name(query.queue);
    const auto start = detail::start_of(query);
    detail::page_filler page(query);
    if (query.limit == 0) co_return page.take();
    std::vector<std::string> names;
    if (query.queue.empty()) names = co_await on->queues();
    else names.push_back(query.queue);
    std::erase_if(names, [&](const auto& name) { return name < start.queue; });
    std::size_t failed = 0;
    for (const auto& name : names) {
        auto listing = list_queue(on, query, name, name == start.queue ? start.sequence : 0, page);
        auto listed = co_await detail::caught(std::move(listing));
        const auto& failure = listed.failure();
        if (failure && detail::code_of(detail::describe(failure)) == errc::protocol && ++failed < names.size()) continue;
        const bool is_full = listed.take();
        if (is_full) break;
    }
    co_return page.take();
}

}  // namespace taskflux::redis
