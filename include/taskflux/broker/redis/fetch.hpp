#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/ask.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Adds what was handed over while the fetch slept, as much as it wanted. Waits for nothing: what has been taken is in
/// `found`, or on its way back.
inline void take_handed(const engine_ptr& on, const fetch_request& request, const lookout& looks,
                        std::vector<handed_task> handed, std::vector<delivery>& found) {
    for (auto& task : handed) {
        const auto index = looks.place_of(task.queue);
        if (found.size() >= request.max || !index) {
            on->give_back(std::move(task));
            continue;
        }
        try {
            record_reader records;
            const auto status = read_status(task.state);
            on->clock().set(status.started_at);
            auto made = read_delivery(*index, task.sequence, records.read(task.record), status);
            if (!request.names || request.names->contains(made.spec->name)) {
                found.push_back(std::move(made));
            } else {
                on->give_back(std::move(task));
            }
        } catch (const error& e) {
            on->consumers().settled(task.consumer, task.queue, {task.sequence});
            on->consumers().lost_an_answer(task.consumer, task.queue);
            const spoiled_tasks spoiled(1, {task.sequence, e.what()});
            detail::spawn_ignoring_errors(on->get_executor(), set_aside(on, task.consumer, task.queue, spoiled));
        }
    }
}

/// Takes a sleeper off its queues' lists; then its name is free again.
inline awaitable<void> resign(engine_ptr on, inbox::retired_sleeper who) {
    const std::shared_ptr<void> reserved(nullptr, [on, name = who.name](void*) { on->inbox().release(name); });
    co_await engine::resign(on, who.looks->queues(), member_of(*on, who.name, who.looks->names()), reserved);
}

/// Does so unless another fetch goes on with what the sleeper knows. Waits for nothing; where it fails, others wake by their own
/// timers.
inline void retire(const engine_ptr& on, const inbox::place& place) {
    if (auto who = on->inbox().retire(place)) detail::spawn_ignoring_errors(on->get_executor(), resign(on, std::move(*who)));
}

/// After a fetch that found nothing: its sleeper is retired, unless another fetch comes in a moment, as a worker's does.
inline awaitable<void> linger(engine_ptr on, std::string consumer, std::shared_ptr<inbox::place> place) {
    constexpr auto moment = std::chrono::milliseconds(100);
    auto& clock = real_clock();
    const auto until = later(clock.now(), moment);
    auto waiting = on->inbox().watch(consumer, std::make_shared<inbox::place>());
    while (clock.now() < until) co_await on->sleep(waiting, until, clock);
    retire(on, *place);
}

/// Throws unless the consumer has joined the request's queues.
inline void check_joined(const engine_ptr& on, const fetch_request& request, lookout& looks) {
    const auto departures = on->consumers().departures();
    if (looks.joined_at == departures) return;
    for (const auto& name : request.queues) {
        if (on->consumers().has_joined(request.consumer, name)) continue;
        detail::check_queue_name(name);
        throw detail::consumer_is_gone(request.consumer, name);
    }
    looks.joined_at = departures;
}

/// `broker::fetch`.
inline awaitable<std::vector<delivery>> fetch(engine_ptr on, fetch_request request) {
    on->check_open();
    const auto deadline = later(on->base().now(), request.wait);
    const auto names = request.names ? signature(*request.names) : std::string("*");
    const auto place = std::make_shared<inbox::place>();
    auto asleep = on->inbox().sleep(request.consumer, request.queues, names, place);
    auto& looks = *place->looks;
    for (auto& one : std::exchange(place->replaced, {})) {
        detail::spawn_ignoring_errors(on->get_executor(), resign(on, std::move(one)));
    }
    if (request.wait <= duration::zero()) looks.forget_all();  // no message that is on its way is waited for
    std::vector<delivery> found;
    std::exception_ptr failure;
    bool has_slept = false;
    while (!failure) {
        try {
            check_joined(on, request, looks);
            take_handed(on, request, looks, asleep.take_handed(), found);
            if (!found.empty()) break;
            const bool is_behind = co_await ask(on, request, *place, names, found);
            if (!found.empty() || request.max == 0) break;
            if (is_behind && (request.wait <= duration::zero() || on->base().now() < deadline)) continue;
            if (request.wait <= duration::zero()) break;
            if (has_slept && on->base().now() >= deadline) break;
            has_slept = true;
            co_await on->sleep(asleep, (std::min)(looks.soonest(), deadline));
        } catch (...) {
            failure = std::current_exception();
        }
    }
    auto handed = asleep.close();
    if (failure) {
        for (auto& task : handed) on->give_back(std::move(task));
    } else {
        take_handed(on, request, looks, std::move(handed), found);
    }
    if (failure && found.empty()) {  // it may be the one who watches the clock
        retire(on, *place);
        std::rethrow_exception(failure);
    }
    // What it was told to look at and has not asked, as it is full, others take over.
    if (auto left = looks.take_unanswered(); !left.empty()) {
        detail::spawn_ignoring_errors(on->get_executor(), engine::resign(on, std::move(left), {}, nullptr));
    }
    if (found.empty() && has_slept) detail::spawn_ignoring_errors(on->get_executor(), linger(on, request.consumer, place));
    co_return found;
}

}  // namespace taskflux::redis
