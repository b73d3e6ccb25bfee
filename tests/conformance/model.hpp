#pragma once

#include <conformance/fixture.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace taskflux::conformance {

/// The state table in the plainest form that gives an answer: maps, and a look at everything for every
/// question. Brokers are compared with it.
class model {
public:
    struct task {
        task_state state = task_state::held;
        run_policy policy;
        std::string unique_key, key, payload, progress;
        time_point due{}, from{}, gone_at{};
        bool is_tried = false, is_first_try = false, cancel_requested = false;
        unsigned failed = 0, crashes = 0, deliveries = 0;
        std::string holder;

        time_point limit() const {
            auto limit = never;
            if (policy.deadline > 0s) limit = from + policy.deadline;
            if (policy.expires_in > 0s && !is_tried) limit = (std::min)(limit, from + policy.expires_in);
            return limit;
        }

        unsigned attempts() const {
            return failed + (state == task_state::running || state == task_state::succeeded ? 1U : 0U);
        }
    };

    std::map<task_key, task> tasks;
    std::map<std::string, task_key> successors;  // by unique key: who waits for the holder's end
    std::map<std::string, time_point> leases;
    time_point now{}, throttled_until{};
    std::size_t limit = 0, limit_of_each_key = 0;  // how many may run; 0: any number

    /// How many tasks may start now.
    std::size_t startable() const {
        if (now < throttled_until) return 0;
        const auto places = [](std::size_t most, std::size_t running) {
            return most == 0 ? (std::numeric_limits<std::size_t>::max)() : most - (std::min)(most, running);
        };
        std::map<std::string, std::size_t> waiting, running;
        for (const auto& [key, one] : tasks) {
            if (one.state == task_state::waiting) ++waiting[one.key];
            if (one.state == task_state::running) ++running[one.key];
        }
        std::size_t found = 0;
        for (const auto& [key, many] : waiting) {
            found += key.empty() ? many : (std::min)(many, places(limit_of_each_key, running[key]));
        }
        return (std::min)(found, places(limit, count(task_state::running)));
    }

    /// The key of the task that stands in the way of a new one.
    std::optional<task_key> holder_of(const std::string& unique_key) const {
        for (const auto& [key, one] : tasks) {
            if (!unique_key.empty() && one.unique_key == unique_key && !is_terminal(one.state) && !is_successor(key)) return key;
        }
        return std::nullopt;
    }

    bool is_successor(task_key key) const {
        return std::ranges::any_of(successors, [&](const auto& one) { return one.second == key; });
    }

    /// The key that a submission gets, if it is not another one.
    std::optional<task_key> place_of(const new_task& from) const {
        const auto holder = holder_of(from.unique_key);
        if (from.on_duplicate == duplicate::join) return holder;
        if (const auto waits = successors.find(from.unique_key); waits != successors.end()) return waits->second;
        return holder && !has_begun(tasks.at(*holder)) ? holder : std::nullopt;
    }

    void replace(task_key key, const new_task& by) {
        auto& one = tasks.at(key);
        one.policy = by.spec->policy;
        one.payload = by.payload;
        one.key = by.key;
        one.from = now;
        one.due = now + by.delay;
        if (!is_successor(key)) ready(one, one.due);
    }

    void restart(const std::string& unique_key) {
        const auto holder = holder_of(unique_key);
        if (holder && has_begun(tasks.at(*holder))) cancel(*holder);
    }

    void submit(task_key key, const new_task& from) {
        task made;
        made.policy = from.spec->policy;
        made.unique_key = from.unique_key;
        made.key = from.key;
        made.payload = from.payload;
        made.due = now + from.delay;
        made.from = now;
        const bool waits = from.on_duplicate != duplicate::join && holder_of(from.unique_key);
        tasks[key] = made;
        if (waits) successors[from.unique_key] = key;
        else if (!from.hold) ready(tasks[key], made.due);
    }

    /// A task that was handed out to `who`.
    bool deliver(task_key key, const std::string& who) {
        const auto found = tasks.find(key);
        if (found == tasks.end() || found->second.state != task_state::waiting || !leases.contains(who)) return false;
        auto& one = found->second;
        one.state = task_state::running;
        one.holder = who;
        one.is_first_try = !std::exchange(one.is_tried, true);
        ++one.deliveries;
        return true;
    }

    effect settle(const settlement& end, const std::string& who) {
        const auto found = tasks.find(end.key);
        if (found == tasks.end()) return effect::not_found;
        auto& one = found->second;
        const bool is_current = one.state == task_state::running && one.holder == who && one.deliveries == end.token;
        if (!is_current || !leases.contains(who)) return effect::lease_lost;
        if (end.how == kind::cancel && !one.cancel_requested) return effect::wrong_state;
        if (end.how == kind::throttle) throttled_until = (std::max)(throttled_until, now + end.delay);
        if (one.cancel_requested) {
            const bool is_attempt =
                end.how != kind::release && end.how != kind::throttle && (end.how != kind::retry || end.counts);
            one.failed += is_attempt ? 1 : 0;
            finish(end.key, task_state::cancelled);
            return effect::done;
        }
        switch (end.how) {
            case kind::complete: finish(end.key, task_state::succeeded); break;
            case kind::fail:
                ++one.failed;
                finish(end.key, task_state::failed);
                break;
            case kind::retry:
                one.failed += end.counts ? 1 : 0;
                if (now + end.delay >= one.limit()) finish(end.key, task_state::failed);
                else ready(one, now + end.delay);
                break;
            case kind::release:
            case kind::throttle:
                if (one.is_first_try) one.is_tried = false;
                ready(one, now);
                break;
            case kind::cancel:
            case kind::suspend: break;  // no walk pauses
        }
        return effect::done;
    }

    effect report(const delivery& which, const std::string& progress, const std::string& who) {
        const auto found = tasks.find(which.key);
        if (found == tasks.end()) return effect::not_found;
        auto& one = found->second;
        if (one.state != task_state::running || one.holder != who || one.deliveries != which.token) return effect::lease_lost;
        one.progress = progress;
        return effect::done;
    }

    effect cancel(task_key key) {
        return step(key, task_event::cancel, [&](task& one) {
            if (one.state == task_state::running) {
                one.cancel_requested = true;
                return effect::requested;
            }
            return finish(key, task_state::cancelled), effect::done;
        });
    }

    effect start(task_key key) {
        return step(key, task_event::start, [&](task& one) {
            if (is_successor(key)) return effect::wrong_state;
            return ready(one, one.due), effect::done;
        });
    }

    effect promote(task_key key) {
        return step(key, task_event::promote, [&](task& one) { return ready(one, now), effect::done; });
    }

    effect requeue(task_key key) {
        return step(key, task_event::requeue, [&](task& one) {
            if (holder_of(one.unique_key)) return effect::wrong_state;
            one.failed = one.crashes = 0;
            one.is_tried = one.cancel_requested = false;
            one.from = now;
            return ready(one, now), effect::done;
        });
    }

    effect remove(task_key key) {
        const auto found = tasks.find(key);
        if (found == tasks.end()) return effect::not_found;
        if (found->second.state == task_state::running) return effect::wrong_state;
        if (!is_terminal(found->second.state)) finish(key, task_state::cancelled);
        return tasks.erase(key), effect::done;
    }

    /// What time alone brings about, as it is seen by the first call after it.
    void settle_time() {
        std::erase_if(tasks, [&](const auto& one) { return is_terminal(one.second.state) && one.second.gone_at <= now; });
        for (auto& [key, one] : tasks) {
            if (one.state == task_state::scheduled && one.due <= now) one.state = task_state::waiting;
        }
        give_up();
        for (auto at = leases.begin(); at != leases.end();) {
            if (at->second > now) {
                ++at;
                continue;
            }
            const auto who = at->first;
            at = leases.erase(at);
            give_back(who, true);
        }
        give_up();
    }

    void leave(const std::string& who) {
        if (leases.erase(who) > 0) give_back(who, false);
        give_up();
    }

    std::size_t count(task_state state) const {
        return std::size_t(std::ranges::count_if(tasks, [&](const auto& one) { return one.second.state == state; }));
    }

private:
    template <class Action>
    effect step(task_key key, task_event event, Action action) {
        const auto found = tasks.find(key);
        if (found == tasks.end()) return effect::not_found;
        return is_legal(found->second.state, event) ? action(found->second) : effect::wrong_state;
    }

    static bool has_begun(const task& one) { return one.is_tried || !is_before_attempt(one.state); }

    void ready(task& one, time_point due) {
        one.holder.clear();
        one.due = due;
        one.state = due > now ? task_state::scheduled : task_state::waiting;
    }

    void finish(task_key key, task_state state) {
        auto& one = tasks[key];
        const bool has_key = !is_successor(key);
        one.state = state;
        one.holder.clear();
        if (const auto next = successors.find(one.unique_key); next != successors.end()) {
            const auto waits = next->second;
            successors.erase(next);
            if (has_key) ready(tasks[waits], tasks[waits].due);
        }
        const auto& policy = one.policy;
        const auto keep = state == task_state::failed ? policy.failed_retention : policy.retention;
        one.gone_at = now + keep;
        if (keep == 0s) tasks.erase(key);
    }

    void give_back(const std::string& who, bool is_crash) {
        for (auto at = tasks.begin(); at != tasks.end();) {
            auto& [key, one] = *at++;  // the task may go
            if (one.holder != who) continue;
            if (is_crash) ++one.crashes;
            const bool is_too_much = is_crash && one.policy.crash_limit > 0 && one.crashes >= one.policy.crash_limit;
            if (!is_crash && one.is_first_try) one.is_tried = false;
            if (one.cancel_requested) finish(key, task_state::cancelled);
            else if (is_too_much) finish(key, task_state::failed);
            else ready(one, now);
        }
    }

    void give_up() {
        for (auto at = tasks.begin(); at != tasks.end();) {
            auto& [key, one] = *at++;
            const bool is_unstarted = one.state == task_state::held || one.state == task_state::scheduled ||
                                      one.state == task_state::waiting;
            if (is_unstarted && one.limit() <= now) finish(key, one.is_tried ? task_state::failed : task_state::expired);
        }
    }
};

}  // namespace taskflux::conformance
