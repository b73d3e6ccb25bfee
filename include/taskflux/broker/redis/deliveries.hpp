#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/broker/redis/segments.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

inline delivery read_delivery(std::size_t queue, std::uint64_t sequence, record_reader::stored record,
                              const task_status& status) {
    delivery made;
    made.queue = queue;
    made.key.sequence = sequence;
    made.key.nonce = record.nonce;
    made.token = status.deliveries;
    made.attempt = status.failed_attempts + 1;
    made.payload = record.payload;
    made.own_id = record.own_id;
    made.submitted_at = record.submitted_at;
    made.first_started_at = status.first_started_at;
    made.started_at = status.started_at;
    made.deadline_at = deadline_of(record, status);
    made.due_at = (std::max)(record.submitted_at, status.when);
    made.spec = std::move(record.spec);
    return made;
}

/// Tasks that were handed out and can't be read, and why.
using spoiled_tasks = std::vector<std::pair<std::uint64_t, std::string>>;

/// Adds one task, or those of a piece of a segment, that were handed out at `now`.
inline void read_deliveries(std::size_t queue, reader& from, record_reader& records, std::int64_t now,
                            std::vector<delivery>& found, spoiled_tasks& spoiled) {
    const auto number = from.integer();
    if (number < 0) {
        auto sequence = std::uint64_t(0) - static_cast<std::uint64_t>(number);
        const auto piece = from.text();
        const auto nonces = from.text();
        const auto take = [&](const record_reader::stored& record) {
            delivery made;
            made.queue = queue;
            made.key = {sequence++, record.nonce};
            made.token = 1;
            made.attempt = 1;
            made.payload = record.payload;
            made.submitted_at = made.due_at = record.submitted_at;
            made.first_started_at = made.started_at = time_point(duration(now));
            made.spec = record.spec;
            found.push_back(std::move(made));
        };
        try {
            read_piece(piece, nonces, records, take);
        } catch (const error& e) {
            spoiled.emplace_back(sequence, e.what());  // those behind it are reclaimed
        }
        return;
    }
    const auto stored = from.text();
    const auto condition = from.text();
    try {
        found.push_back(read_delivery(queue, static_cast<std::uint64_t>(number), records.read(stored), read_status(condition)));
    } catch (const error& e) {
        spoiled.emplace_back(static_cast<std::uint64_t>(number), e.what());
    }
}

/// Reads the next of a fetch's answer: tasks, or what is told of damaged data or of tasks that have failed.
inline void read_next(queue& source, std::size_t index, reader& from, record_reader& records, std::int64_t now,
                      std::vector<delivery>& found, spoiled_tasks& spoiled) {
    auto ahead = from;
    if (const auto number = ahead.integer(); number != 0) {
        if (number > 0) source.see_record(ahead.text());
        return read_deliveries(index, from, records, now, found, spoiled);
    }
    from = ahead;
    const std::string what(from.text());
    if (what.empty()) {
        for (auto left = from.list(); left >= 4; left -= 4) source.calls().tell_dead(from);
        return;
    }
    source.report_damage(what, std::string(from.text()));
}

/// Tells the server of tasks that were handed out and can't be read.
inline awaitable<void> set_aside(engine_ptr on, std::string consumer, std::string name, spoiled_tasks spoiled) {
    arguments with;
    with.add(consumer);
    for (const auto& [sequence, why] : spoiled) {
        on->at(name)->report_damage(std::to_string(sequence), why);
        with.add(sequence).add(why);
    }
    co_await on->call(name, scripts::aside, engine::set_of(consumer), std::move(with));
}

}  // namespace taskflux::redis
