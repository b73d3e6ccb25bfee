#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/deliveries.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/fnv1a.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// A short text that is equal for equal sets of names.
inline std::string signature(const name_set& names) {
    auto mixed = detail::fnv1a("");
    for (const auto& name : names) mixed = detail::fnv1a(name + '\n', mixed);
    return std::to_string(mixed);
}

/// The names of the tasks that it wants, as scripts take them, for which none means any: no name at all is one that no task has.
inline void add_names(arguments& with, const fetch_request& request) {
    if (!request.names) return;
    if (request.names->empty()) with.add("");
    for (const auto& one : *request.names) with.add(one);
}

/// What a sleeping fetch is called on the server. `names`: the signature of those that it wants.
inline std::string member_of(const engine& on, const std::string& sleeper, const std::string& names) {
    return on.channel() + '\n' + sleeper + '\n' + names;
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
    std::vector<held_task> held;
    for (auto from = got.read(); !from.done();) {
        auto& task = held.emplace_back();
        task.sequence = static_cast<std::uint64_t>(from.integer());
        task.token = static_cast<std::uint32_t>(from.integer());
    }
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
        for (auto n = first; n < till; ++n) gone.add(unknown[n].sequence).add(unknown[n].token);
        co_await on->call(name, scripts::reclaim, engine::set_of(consumer), std::move(gone));
    }
    state.is_done = true;
}

/// Makes a consumer known in a queue, with a lease.
inline awaitable<void> join_one(engine_ptr on, std::string consumer, std::string name, duration lease) {
    arguments with;
    with.add(consumer).add(lease.count()).add(on->channel());
    const auto got = co_await on->call(name, scripts::join, {}, std::move(with));
    on->at(name)->calls().hear_of_life(got.read().text());
}

/// Adds what there is in the request's i-th queue to `found`, and notes in `place` what to expect of that queue. True where
/// more has fallen due, which is done bit by bit, so that other queues don't wait.
inline awaitable<bool> fetch_from(engine_ptr on, const fetch_request& request, std::size_t i, inbox::place& place,
                                  const std::string& names, std::vector<delivery>& found) {
    const auto& name = request.queues[i];
    auto& consumers = on->consumers();
    auto& looks = *place.looks;
    const auto source = on->at(name);
    for (;;) {
        if (consumers.is_uncertain(request.consumer, name)) co_await reclaim(on, request.consumer, name);
        const auto most = (std::min)(request.max - found.size(), engine::batch_size);
        const bool may_sleep = request.wait > duration::zero() && found.empty() && most > 0;
        arguments with;
        with.add(request.consumer).add(most).add(may_sleep ? on->channel() : std::string()).add(place.sleeper);
        with.add(names).add_pass_over();
        add_names(with, request);
        const auto calls = looks.ask(i);
        const auto sent = on->base().now();
        auto fetching = source->fetch(request.consumer, std::move(with));
        auto fetched = co_await detail::caught(std::move(fetching));
        if (fetched.failure()) {
            consumers.lost_an_answer(request.consumer, name);
            if (found.empty()) std::rethrow_exception(fetched.failure());
            looks.forget(i);
            co_return false;
        }
        const auto got = fetched.take();
        if (got.is_lost && consumers.has_failed(request.consumer, name)) {
            co_await join_one(on, request.consumer, name, on->recovered(request.consumer, name));
            continue;
        }
        if (got.is_lost) {
            consumers.gone(request.consumer, name);
            if (found.empty()) throw detail::consumer_is_gone(request.consumer, name);
            co_return false;  // the next fetch will say so
        }
        auto from = got.read();
        const auto now = from.integer();
        const auto left = from.integer();
        const bool is_more = left == 1, is_behind = left == 2;
        const auto next = from.integer();
        on->clock().set(time_point(duration(now)));
        const auto before = found.size();
        record_reader records;
        spoiled_tasks spoiled;
        while (!from.done()) read_next(*source, i, from, records, now, found, spoiled);
        for (auto n = before; n < found.size(); ++n) {
            consumers.took(request.consumer, name, {found[n].key.sequence, found[n].token});
        }
        if (!spoiled.empty()) {
            co_await set_aside(on, request.consumer, name, spoiled);
            consumers.lost_an_answer(request.consumer, name);
            continue;
        }
        const auto many = found.size() - before;
        const bool is_full_batch = most == engine::batch_size && many == most;
        if ((is_more || is_full_batch) && found.size() < request.max) continue;
        if (many > 0 || is_more || is_behind) {
            looks.call(i);
        } else if (may_sleep) {
            looks.fell_asleep(i, calls, next < 0 ? never : engine::local(sent, double(next), double(now)));
        } else {
            looks.forget(i);
        }
        co_return is_behind;
    }
}

/// Like `fetch_from`, but what is wrong with one queue does not stop the others: it is told once, and the queue is put off.
/// Throws where that is so for all queues.
inline awaitable<bool> ask_one(engine_ptr on, const fetch_request& request, std::size_t i, inbox::place& place,
                               const std::string& names, std::vector<delivery>& found) {
    const auto& name = request.queues[i];
    auto& looks = *place.looks;
    std::exception_ptr trouble;
    try {
        const bool is_behind = co_await fetch_from(on, request, i, place, names, found);
        on->at(name)->trouble_is_over(queue::trouble::with_fetch);
        co_return is_behind;
    } catch (const boost::system::system_error& e) {
        if (e.code() != errc::protocol) throw;
        trouble = std::current_exception();
    }
    on->consumers().failed(request.consumer, name);
    looks.put_off(i, later(on->base().now(), on->safety_poll()));
    if (found.empty() && looks.are_all_put_off()) {
        looks.forget_all();
        std::rethrow_exception(trouble);
    }
    on->at(name)->report_trouble(queue::trouble::with_fetch, detail::describe(trouble).message);
    co_return false;
}

/// Looks into many queues at once; where there is something to do, they count as called.
inline awaitable<void> look(engine_ptr on, const fetch_request& request, std::vector<std::size_t> where, inbox::place& place,
                            const std::string& names) {
    auto& looks = *place.looks;
    auto& consumers = on->consumers();
    struct uncertain_queues {
        ~uncertain_queues() {
            for (const auto& name : left) of.lost_an_answer(consumer, name);  // it may hold something there
        }
        redis::consumers& of;
        const std::string& consumer;
        std::vector<std::string> left;
    } uncertain{consumers, request.consumer, {}};
    std::vector<std::string> queues;
    std::vector<std::uint64_t> calls;
    for (const auto i : where) {
        queues.push_back(looks.queue(i));
        calls.push_back(looks.ask(i));
        if (consumers.is_uncertain(request.consumer, queues.back())) uncertain.left.push_back(queues.back());
    }
    const bool may_sleep = request.wait > duration::zero() && request.max > 0;
    arguments with;
    with.add(request.consumer).add(may_sleep ? on->channel() : std::string()).add(place.sleeper).add(names);
    with.add(uncertain.left.empty() ? "" : "1");
    add_names(with, request);
    // What gets lost from here on makes it uncertain again.
    for (const auto& name : uncertain.left) consumers.certain(request.consumer, name);
    const auto sent = on->base().now();
    const auto use = [&](std::size_t n, reader from) {
        const auto now = from.integer();
        const auto said = from.integer();
        on->clock().set(time_point(duration(now)));
        if (said == 0) {
            looks.call(where[n]);
        } else if (said == -1) {
            looks.forget(where[n]);
        } else {
            looks.fell_asleep(where[n], calls[n], said < 0 ? never : engine::local(sent, double(said), double(now)));
        }
        if (said != 0) std::erase(uncertain.left, queues[n]);
    };
    auto own = engine::set_of(request.consumer);
    const auto alone = co_await on->call_pipelined(scripts::look, queues, std::move(own), std::move(with), use);
    for (const auto n : alone) looks.call(where[n]);
}

/// Those of the queues in which it sleeps where something was missed.
inline awaitable<std::vector<std::size_t>> not_idle(engine_ptr on, std::string consumer, std::vector<std::size_t> where,
                                                    const inbox::place& place, const std::string& names) {
    std::vector<std::string> queues;
    for (const auto i : where) queues.push_back(place.looks->queue(i));
    arguments with;
    with.add(std::move(consumer)).add(member_of(*on, place.sleeper, names));
    auto found = co_await on->call_once(scripts::idle, std::move(queues), std::move(with));
    for (auto& i : found) i = where.at(i);
    co_return found;
}

/// Asks those queues for tasks that may have some, in their order. True where more has fallen due.
inline awaitable<bool> ask(engine_ptr on, const fetch_request& request, inbox::place& place, const std::string& names,
                           std::vector<delivery>& found) {
    constexpr std::size_t few = 3;  // are asked as soon as looked at
    auto& looks = *place.looks;
    auto missed = looks.next(on->base().now(), on->safety_poll());
    if (missed.size() > few) missed = co_await not_idle(on, request.consumer, std::move(missed), place, names);
    for (const auto i : missed) looks.forget(i);
    const auto unknown = looks.unknown();
    std::vector<std::size_t> asked;
    if (unknown.size() > few) {
        for (std::size_t first = 0; first < unknown.size(); first += lookout::most_at_once) {
            const auto begin = unknown.begin() + std::ptrdiff_t(first);
            const auto end = begin + std::ptrdiff_t((std::min)(lookout::most_at_once, unknown.size() - first));
            std::vector<std::size_t> some(begin, end);
            co_await look(on, request, std::move(some), place, names);
        }
        asked = looks.called();
    } else {
        std::ranges::set_union(unknown, looks.called(), std::back_inserter(asked));
    }
    if (request.order) request.order(asked);
    bool is_behind = false;
    for (const auto i : asked) {
        if (co_await ask_one(on, request, i, place, names, found)) is_behind = true;
        if (found.size() >= request.max && request.max > 0) break;
    }
    co_return is_behind;
}

}  // namespace taskflux::redis
