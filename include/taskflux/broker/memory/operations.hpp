#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/operations.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// A queue's operations. Not thread-safe.
class operation_book {
public:
    operation& begin(operation what, std::uint64_t last, time_point now) {
        const auto known = all_.find(what.id);
        if (known != all_.end()) return known->second;
        if (last == 0) throw detail::no_queue_for_operation(what.queue);
        const auto running = static_cast<std::size_t>(std::ranges::count_if(all_, is_running));
        if (running >= detail::most_operations::running) throw detail::too_many_operations(what.queue);
        if (all_.size() - running >= detail::most_operations::ended) drop_oldest();
        what.state = operation_state::running;
        what.from = what.next = last;
        what.began_at = now;
        return all_[what.id] = std::move(what);
    }

    /// Errors: `not_found`.
    operation& at(const std::string& queue, const std::string& id) {
        const auto found = all_.find(id);
        if (found == all_.end()) throw detail::no_such_operation(queue, id);
        return found->second;
    }

    const std::map<std::string, operation>& all() const { return all_; }
    bool is_any_running() const { return std::ranges::any_of(all_, is_running); }

private:
    static bool is_running(const std::pair<const std::string, operation>& one) { return one.second.state == operation_state::running; }

    void drop_oldest() {
        auto oldest = all_.end();
        for (auto one = all_.begin(); one != all_.end(); ++one) {
            if (one->second.state == operation_state::running) continue;
            const auto age = [](const operation& of) { return of.dry_run ? time_point{} : of.ended_at; };
            if (oldest == all_.end() || age(one->second) < age(oldest->second)) oldest = one;
        }
        if (oldest != all_.end()) all_.erase(oldest);
    }

    std::map<std::string, operation> all_;
};

/// Whether a verb can do something to a task in that state.
inline bool can_do(bulk_verb what, task_state state) {
    switch (what) {
        case bulk_verb::retry: return is_terminal(state) && state != task_state::succeeded;
        case bulk_verb::cancel: return !is_terminal(state);
        case bulk_verb::remove: return state != task_state::running;
        case bulk_verb::promote: return state == task_state::scheduled;
    }
    return false;
}

template <class Queue>
effect do_to(Queue& in, bulk_verb what, task_key key, time_point now) {
    switch (what) {
        case bulk_verb::retry: return in.requeue(key, now);
        case bulk_verb::cancel: return in.cancel(key, now);
        case bulk_verb::remove: return in.remove(key, now);
        case bulk_verb::promote: return in.promote(key, now);
    }
    return effect::wrong_state;
}

/// `broker::step_operation`, on a queue.
template <class Queue>
operation step_operation(Queue& in, const std::string& queue, const std::string& id, const operation_step& step, time_point now) {
    auto& of = in.store().operations().at(queue, id);
    if (of.state != operation_state::running || of.next != step.from) return of;
    for (const auto& one : step.tasks) {
        const auto* const task = in.find(one.key);
        bool is_done = task && task->state == one.state && can_do(of.verb, one.state);
        if (is_done && !of.dry_run) {
            const auto did = do_to(in, of.verb, one.key, now);
            is_done = did == effect::done || did == effect::requested;
        }
        ++of.matched;
        ++(is_done ? of.done : of.refused);
    }
    of.next = step.next;
    of.carrier = step.carrier;
    of.looked_at += step.looked_at;
    if (of.next == 0) {
        of.state = operation_state::done;
        of.ended_at = now;
    }
    return of;
}

/// As it looks from outside.
template <class Queue>
operation shown(const Queue& in, operation of) {
    of.began_at = shifted(of.began_at, in.ahead());
    of.ended_at = shifted(of.ended_at, in.ahead());
    return of;
}

}  // namespace taskflux::memory
