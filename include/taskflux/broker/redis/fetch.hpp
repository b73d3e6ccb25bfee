#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/broker/redis/segments.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/fnv1a.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
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
        auto sequence = static_cast<std::uint64_t>(-number);
        const auto piece = from.text();
        const auto nonces = from.text();
        const auto take = [&](const record_reader::stored& record) {
            delivery made;
            made.queue = queue;
            made.key = {sequence++, record.nonce};
            made.token = 1;
            made.attempt = 1;
            made.payload = record.payload;
            made.submitted_at = record.submitted_at;
            made.first_started_at = made.started_at = time_point(duration(now));
            made.deadline_at = never;
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

/// Reads the next of a fetch's answer: tasks, or what is told of damaged data.
inline void read_next(queue& source, std::size_t index, reader& from, record_reader& records, std::int64_t now,
                      std::vector<delivery>& found, spoiled_tasks& spoiled) {
    auto ahead = from;
    if (ahead.integer() != 0) return read_deliveries(index, from, records, now, found, spoiled);
    from = ahead;
    const std::string what(from.text());
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

/// A short text that is equal for equal sets of names.
inline std::string signature(const name_set& names) {
    auto mixed = detail::fnv1a("");
    for (const auto& name : names) mixed = detail::fnv1a(name + '\n', mixed);
    return std::to_string(mixed);
}

/// What a sleeping fetch is called on the server.
inline std::string member_of(const engine& on, const std::string& sleeper, const fetch_request& request) {
    return on.channel() + '\n' + sleeper + '\n' + (request.names ? signature(*request.names) : "*");
}

/// Gives back what the server says that the consumer holds, though nothing has told it: an answer or message got lost.
inline awaitable<void> reclaim(engine_ptr on, std::string consumer, std::string name) {
    // What gets lost from here on makes it uncertain again; as does not coming to the end.
    on->consumers().certain(consumer, name);
    struct uncertain_until_done {
        ~uncertain_until_done() {
            if (!is_done) on->consumers().lost_an_answer(consumer, name);
        }
        engine_ptr on;
        std::string consumer, name;
        bool is_done = false;
    } state{on, consumer, name};
    const auto place = std::make_shared<inbox::place>();
    auto all_came = on->inbox().await_call(consumer, name, place);
    arguments with;
    with.add(consumer).add(on->channel()).add(place->sleeper);
    const auto got = co_await on->call(name, scripts::held, engine::set_of(consumer), std::move(with));
    std::vector<std::uint64_t> held;
    for (auto from = got.read(); !from.done();) held.push_back(static_cast<std::uint64_t>(from.integer()));
    const auto deadline = later(on->base().now(), std::chrono::seconds(1));
    while (!all_came.is_called()) {  // then what was on its way is known
        if (on->base().now() >= deadline) co_return;
        co_await on->sleep(all_came, deadline);
    }
    const auto unknown = on->consumers().unknown(consumer, name, held);
    for (std::size_t first = 0; first < unknown.size(); first += engine::careful_batch_size) {
        arguments gone;
        gone.add(consumer);
        const auto till = (std::min)(first + engine::careful_batch_size, unknown.size());
        for (auto n = first; n < till; ++n) gone.add(unknown[n]);
        co_await on->call(name, scripts::reclaim, engine::set_of(consumer), std::move(gone));
    }
    state.is_done = true;
}

/// Adds what there is in the request's i-th queue to `found`; returns when, by the local clock, there may be
/// more without anybody doing anything.
inline awaitable<time_point> fetch_from(engine_ptr on, const fetch_request& request, std::size_t i,
                                        const std::string& sleeper, std::vector<delivery>& found) {
    const auto& name = request.queues[i];
    auto& consumers = on->consumers();
    const auto source = on->at(name);
    for (;;) {
        if (consumers.is_uncertain(request.consumer, name)) co_await reclaim(on, request.consumer, name);
        const auto most = (std::min)(request.max - found.size(), engine::batch_size);
        const bool may_sleep = request.wait > duration::zero() && found.empty() && most > 0;
        arguments with;
        with.add(request.consumer).add(most).add(may_sleep ? on->channel() : std::string()).add(sleeper);
        with.add(request.names ? signature(*request.names) : "*");
        if (request.names) {
            for (const auto& one : *request.names) with.add(one);
        }
        const auto sent = on->base().now();
        auto fetching = source->fetch(request.consumer, std::move(with));
        auto fetched = co_await detail::caught(std::move(fetching));
        if (fetched.failure()) {
            consumers.lost_an_answer(request.consumer, name);
            if (found.empty()) std::rethrow_exception(fetched.failure());
            co_return never;
        }
        const auto got = fetched.take();
        if (got.is_lost) {
            consumers.gone(request.consumer, name);
            if (found.empty()) throw detail::consumer_is_gone(request.consumer, name);
            co_return never;  // the next fetch will say so
        }
        auto from = got.read();
        const auto now = from.integer();
        const bool is_more = from.integer() != 0;
        const auto next = from.integer();
        on->clock().set(time_point(duration(now)));
        const auto before = found.size();
        record_reader records;
        spoiled_tasks spoiled;
        while (!from.done()) read_next(*source, i, from, records, now, found, spoiled);
        for (auto n = before; n < found.size(); ++n) consumers.took(request.consumer, name, found[n].key.sequence);
        if (!spoiled.empty()) {
            co_await set_aside(on, request.consumer, name, spoiled);
            consumers.lost_an_answer(request.consumer, name);
            continue;
        }
        const bool is_full_batch = most == engine::batch_size && found.size() - before == most;
        if (!(is_more || is_full_batch) || found.size() >= request.max) {
            co_return next < 0 ? never : engine::local(sent, double(next), double(now));
        }
    }
}

/// Adds what was handed over while the fetch slept, as much as it wanted. Waits for nothing: what has been taken is in
/// `found`, or on its way back.
inline void take_handed(const engine_ptr& on, const fetch_request& request, std::vector<handed_task> handed,
                        std::vector<delivery>& found) {
    for (auto& task : handed) {
        const auto queue = std::ranges::find(request.queues, task.queue);
        if (found.size() >= request.max || queue == request.queues.end()) {
            on->give_back(std::move(task));
            continue;
        }
        try {
            record_reader records;
            const auto status = read_status(task.state);
            on->clock().set(status.started_at);
            const auto index = static_cast<std::size_t>(queue - request.queues.begin());
            auto made = read_delivery(index, task.sequence, records.read(task.record), status);
            if (!request.names || request.names->contains(made.spec->name)) {
                found.push_back(std::move(made));
            } else {
                on->give_back(std::move(task));
            }
        } catch (const error& e) {
            on->consumers().settled(task.consumer, task.queue, task.sequence);
            on->consumers().lost_an_answer(task.consumer, task.queue);
            const spoiled_tasks spoiled(1, {task.sequence, e.what()});
            detail::spawn_ignoring_errors(on->get_executor(), set_aside(on, task.consumer, task.queue, spoiled));
        }
    }
}

/// `broker::fetch`.
inline awaitable<std::vector<delivery>> fetch(engine_ptr on, fetch_request request) {
    on->check_open();
    for (const auto& name : request.queues) {
        if (!on->consumers().has_joined(request.consumer, name)) throw detail::consumer_is_gone(request.consumer, name);
    }
    const auto deadline = later(on->base().now(), request.wait);
    const auto place = std::make_shared<inbox::place>();
    auto asleep = on->inbox().sleep(request.consumer, request.queues, place);
    const auto sleeper = place->sleeper;
    std::vector<delivery> found;
    std::exception_ptr failure;
    bool has_slept = false;
    while (!failure) {
        try {
            take_handed(on, request, asleep.take_handed(), found);
            if (!found.empty()) break;
            auto soonest = later(on->base().now(), on->safety_poll());
            for (std::size_t i = 0; i < request.queues.size(); ++i) {
                const auto next = co_await fetch_from(on, request, i, sleeper, found);
                soonest = (std::min)(soonest, next);
                if (found.size() >= request.max && request.max > 0) break;
            }
            if (!found.empty() || request.wait <= duration::zero() || request.max == 0) break;
            if (has_slept && on->base().now() >= deadline) break;
            has_slept = true;
            co_await on->sleep(asleep, (std::min)(soonest, deadline));
        } catch (...) {
            failure = std::current_exception();
        }
    }
    on->inbox().reserve(sleeper);
    const std::shared_ptr<void> reserved(nullptr, [on, sleeper](void*) { on->inbox().release(sleeper); });
    auto handed = asleep.close();
    if (failure) {
        for (auto& task : handed) on->give_back(std::move(task));
    } else {
        take_handed(on, request, std::move(handed), found);
    }
    if (!found.empty()) co_return found;
    // It may have been woken and not have looked, or be the one who watches the clock.
    if (failure || has_slept) {
        for (const auto& name : request.queues) on->resign(name, member_of(*on, sleeper, request), reserved);
    }
    if (failure) std::rethrow_exception(failure);
    co_return found;
}

}  // namespace taskflux::redis
