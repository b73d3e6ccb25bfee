#pragma once

#include <taskflux/broker/broker/claim_checks.hpp>
#include <taskflux/broker/claims.hpp>
#include <taskflux/broker/memory/queue.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Looking at the waiting tasks of a queue, and taking or ending those that are named. Not thread-safe.
namespace taskflux::memory {

inline entry* referred(task_queue& in, const task_reference& to) {
    if (to.own_id.empty()) return in.find(to.key);
    const auto key = in.find_own(to.own_id);
    return key ? in.find(*key) : nullptr;
}

/// Adds waiting tasks behind a cursor to a page, and moves the cursor behind what was looked at. False where there is more to look
/// at, and the page has room.
inline bool peek(task_queue& in, const peek_query& query, detail::peek_cursor& at, peek_page& page, time_point now) {
    constexpr std::size_t most_looked_at = 10'000;
    auto& store = in.store();
    auto& late = store.arrivals();
    late.ask(now);
    if (std::exchange(at.order, late.order()) != late.order()) at.place = 0;
    std::size_t bytes = 0;
    for (std::size_t looked_at = 0; looked_at < most_looked_at; ++looked_at) {
        auto* task = in.after(at.place);
        auto place = task ? task->sequence : store.last();
        const auto arrived = late.after(at.place);
        if (arrived && (!task || arrived->first < place)) {
            place = arrived->first;
            task = in.store().at(arrived->second);
        } else if (task && late.has(task->sequence)) {
            at.place = place;  // its turn comes later
            continue;
        }
        const bool is_wanted = task && task->state == task_state::waiting && task->limit() > now &&
                               (!query.names || query.names->contains(task->spec->name));
        if (is_wanted && query.with_payload) bytes += task->payload.size();
        if (is_wanted && (page.tasks.size() == query.limit || (bytes > detail::most_claimed::bytes && !page.tasks.empty()))) return true;
        at.place = place;
        if (!task && !arrived) return true;
        if (!is_wanted) continue;
        auto& seen = page.tasks.emplace_back();
        seen.key = in.key_of(*task);
        seen.cursor = at.text();
        if (task->extras) {
            seen.own_id = task->extras->own_id;
            seen.key_name = task->extras->key;
        }
        seen.spec = task->spec;
        seen.size = task->payload.size();
        if (query.with_payload) seen.payload = task->payload;
        seen.submitted_at = shifted(task->submitted_at, in.ahead());
        seen.deliveries = task->deliveries;
    }
    return !page.tasks.empty();
}

/// `claims::acquire`.
inline std::vector<acquired_task> acquire(task_queue& in, const acquire_request& request, time_point now) {
    std::vector<acquired_task> answers;
    answers.reserve(request.tasks.size());
    auto* who = in.find_consumer(request.consumer);
    if (who && !who->is_passing) throw detail::has_joined(request);
    for (const auto& one : request.tasks) {
        auto& answer = answers.emplace_back();
        auto* const task = referred(in, one);
        if (!task) continue;
        if (!who || task->holder != who) {
            if (task->state != task_state::waiting || task->limit() <= now) {
                answer.what = acquire_outcome::not_waiting;
                continue;
            }
            const bool is_closed = in.rules().may_start(1) == 0;
            if (is_closed || !in.store().ready().may_start(*task)) {
                answer.what = acquire_outcome::limited;
                answer.is_by_key = !is_closed;
                continue;
            }
            if (!who) who = &in.pass_by(request.consumer, request.lease, now);
            in.hand_out(*task, *who, now);
        }
        answer.what = acquire_outcome::taken;
        answer.task = in.store().delivery_of(*task, 0);
    }
    detail::drop_repeated(answers);
    return answers;
}

/// `claims::reply`. What is not to be forwarded is taken out of `what`.
inline effect reply(task_queue& in, task_reply& what, time_point now) {
    auto* const task = referred(in, what.task);
    if (!task) return effect::not_found;
    auto& store = in.store();
    auto& replier = in.replier();
    in.take_back(replier, now);  // what an earlier reply could not end
    const bool is_any = what.scope == reply_scope::any;
    if (what.scope == reply_scope::attempt) {
        const bool is_current = task->deliveries == what.token;
        if (is_current && task->state == task_state::succeeded && task->result == what.result) return effect::done;
        if (!is_current || task->state != task_state::running) return effect::lease_lost;
    } else if (task->state == task_state::waiting) {
        store.deliver(*task, replier, now);
    } else if (is_any && task->state == task_state::succeeded) {
        return store.replace_result(*task, std::move(what.result), now), effect::done;
    } else if (!is_any && task->state == task_state::succeeded && task->ran_by == replier.label && task->result == what.result) {
        return effect::done;  // by an earlier reply, which its sender may not have heard of
    } else if (!is_any || task->state != task_state::running) {
        return effect::wrong_state;
    }
    if (task->cancel_requested) what.forwarded.reset();
    store.complete(*task, std::move(what.result), now);
    if (task->state == task_state::waiting_children) what.forwarded.reset();
    return effect::done;
}

}  // namespace taskflux::memory
