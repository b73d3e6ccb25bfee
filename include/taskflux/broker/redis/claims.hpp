#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/claim_checks.hpp>
#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/deliveries.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// What one call of peek.lua has seen.
struct peeked_part {
    bool is_end = false;
    time_point look_at = never;  ///< by the local clock: time alone may make a task ready then
};

/// Adds what there is behind `at` to the page, and moves it behind what was looked at. `channel`: to be woken by; empty: not.
inline awaitable<peeked_part> peek_once(engine_ptr on, const std::string& name, const peek_query& query, detail::peek_cursor& at,
                                        peek_page& page, std::string channel) {
    arguments with;
    with.add(at.order).add(at.place).add(query.limit).add(query.with_payload ? "1" : "").add(std::move(channel));
    if (query.names) {
        if (query.names->empty()) with.add("");  // no task has that name
        for (const auto& one : *query.names) with.add(one);
    }
    const auto sent = on->base().now();
    const auto got = co_await on->call(name, scripts::peek, {}, std::move(with));
    auto from = got.read();
    const auto now = from.integer();
    on->clock().set(time_point(duration(now)));
    const auto due = from.integer();
    peeked_part part;
    if (due >= 0) part.look_at = engine::local(sent, double(due), double(now));
    auto order = std::string(from.text());
    at.order = std::stoull(order);
    at.place = static_cast<std::uint64_t>(from.integer());
    part.is_end = from.integer() != 0;
    record_reader records;
    while (!from.done()) {
        from.list();
        const auto place = static_cast<std::uint64_t>(from.integer());
        const auto sequence = static_cast<std::uint64_t>(from.integer());
        const auto text = from.text();
        const auto deliveries = static_cast<unsigned>(from.integer());
        const auto size = static_cast<std::size_t>(from.integer());
        try {
            const auto record = records.read(text);
            auto& seen = page.tasks.emplace_back();
            seen.key = {sequence, record.nonce};
            seen.cursor = detail::peek_cursor{at.order, place}.text();
            seen.own_id = record.own_id;
            seen.key_name = record.key;
            seen.spec = record.spec;
            seen.size = size;
            if (query.with_payload) seen.payload = record.payload;
            seen.submitted_at = record.submitted_at;
            seen.deliveries = deliveries;
        } catch (const error& e) {
            on->at(name)->report_damage(std::to_string(sequence), e.what());
        }
    }
    co_return part;
}

/// `claims::peek`.
inline awaitable<peek_page> peek(engine_ptr on, std::string name, peek_query query) {
    auto at = detail::check_peek(name, query);
    const auto deadline = later(on->base().now(), query.wait);
    const auto place = std::make_shared<inbox::place>();
    auto waiting = on->inbox().peek(name, place);
    peek_page page;
    for (;;) {
        std::string channel;
        if (query.wait > duration::zero()) channel = on->channel();
        auto peeking = peek_once(on, name, query, at, page, std::move(channel));
        const auto part = co_await std::move(peeking);
        page.cursor = at.text();
        if (!page.tasks.empty() || (part.is_end && on->base().now() >= deadline)) co_return page;
        if (!part.is_end) continue;
        const auto until = (std::min)({part.look_at, deadline, later(on->base().now(), on->safety_poll())});
        co_await on->sleep(waiting, until);
    }
}

/// `claims::acquire`.
inline awaitable<std::vector<acquired_task>> acquire(engine_ptr on, acquire_request request) {
    detail::check_acquire(request);
    constexpr std::size_t most = 100;  // in one step
    std::vector<acquired_task> answers;
    answers.reserve(request.tasks.size());
    for (std::size_t from = 0; from < request.tasks.size(); from = answers.size()) {  // large ones are answered some at a time
        const auto till = (std::min)(from + most, request.tasks.size());
        arguments with;
        with.add(request.consumer).add(static_cast<std::int64_t>(to_number(request.lease))).add(on->channel());
        for (auto i = from; i < till; ++i) {
            auto& one = request.tasks[i];
            with.add(one.key.sequence).add(one.key.nonce).add(std::move(one.own_id));
        }
        auto own = engine::set_of(request.consumer);
        const auto got = co_await on->call(request.queue, scripts::acquire, std::move(own), std::move(with));
        auto read = got.read();
        const auto now = read.integer();
        if (now < 0) throw detail::has_joined(request);
        on->clock().set(time_point(duration(now)));
        record_reader records;
        spoiled_tasks spoiled;
        if (read.done()) throw error(errc::protocol, "the script acquire answered nothing for the tasks that it was asked for");
        while (!read.done()) {
            auto& answer = answers.emplace_back();
            read.list();
            const auto what = read.integer();
            if (what < 0 || what > std::int64_t(acquire_outcome::not_found)) {
                throw error(errc::protocol, "the script acquire answered the unknown outcome " + std::to_string(what));
            }
            answer.what = static_cast<acquire_outcome>(what);
            if (answer.what == acquire_outcome::limited) answer.is_by_key = read.integer() != 0;
            if (answer.what != acquire_outcome::taken) continue;
            const auto sequence = static_cast<std::uint64_t>(read.integer());
            const auto record = read.text();
            const auto state = read.text();
            try {
                answer.task = read_delivery(0, sequence, records.read(record), read_status(state));
            } catch (const error& e) {
                spoiled.emplace_back(sequence, e.what());
                answer.what = acquire_outcome::not_found;
            }
        }
        if (!spoiled.empty()) co_await set_aside(on, request.consumer, request.queue, std::move(spoiled));
    }
    detail::drop_repeated(answers);
    co_return answers;
}

/// What is to be submitted to another queue, as the outbox has it.
inline std::string forwarded_text(const std::string& to, const new_task& task) {
    const task_item item(task, static_cast<std::uint32_t>(std::random_device()()));
    std::string text;
    put_text(text, to);
    put_text(text, item.place);
    return text += item.record;
}

/// `claims::reply`.
inline awaitable<effect> reply_to(engine_ptr on, std::string queue, task_reply what) {
    detail::check_reply(queue, what);
    arguments with;
    with.add(what.task.key.sequence).add(what.task.key.nonce).add(std::move(what.task.own_id));
    with.add(static_cast<unsigned>(what.scope)).add(what.token).add(std::move(what.result));
    with.add(what.forwarded ? forwarded_text(what.forward_to, *what.forwarded) : std::string());
    auto id = on->new_call_id();
    auto own = engine::set_of("reply");  // what it holds whose attempt there is in a reply to a waiting task
    own.push_back(named(own_key::producer, id));
    with.add(std::move(id));
    const auto got = co_await on->call(std::move(queue), scripts::reply, std::move(own), std::move(with));
    co_return queue::effect_of(got.read().integer());
}

}  // namespace taskflux::redis
