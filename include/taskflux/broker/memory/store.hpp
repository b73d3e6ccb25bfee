#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/dead_letter.hpp>
#include <taskflux/broker/memory/ended.hpp>
#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/memory/following.hpp>
#include <taskflux/broker/memory/nonces.hpp>
#include <taskflux/broker/memory/ready.hpp>
#include <taskflux/broker/memory/table.hpp>
#include <taskflux/broker/memory/unique_keys.hpp>
#include <taskflux/broker/memory/wall_tasks.hpp>
#include <taskflux/core/codec.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The tasks of one queue and every step that they may take: the state table in motion. Knows no clock
/// (`now` is an argument), starts nothing, waits for nothing. Not thread-safe.
class task_store {
public:
    /// `seed` makes the nonces of keys; `max_ended` bounds how many ended tasks are kept, zero: no bound.
    task_store(std::uint64_t seed, std::size_t max_ended) : nonces_(seed), max_ended_(max_ended) {}

    /// Stores a task, or finds the one that is there already under its own id or unique key.
    submitted add(new_task&& from, time_point now) {
        if (const auto there = find_same(from, now)) {
            if (from.is_awaited) ++tasks_.find(there->sequence)->announced_waits;
            return {*there, true};
        }
        auto& task = tasks_.add();
        task.announced_waits = from.is_awaited ? 1 : 0;
        task.spec = std::move(from.spec);
        task.payload = std::move(from.payload);
        task.submitted_at = now;
        if (!from.own_id.empty()) {
            own_ids_.emplace(from.own_id, task.sequence);
            task.more().own_id = std::move(from.own_id);
        }
        if (!from.unique_key.empty()) {
            task.more().unique_key = std::move(from.unique_key);
            task.more().unique_window = from.unique_window;
            lock_unique_key(task, now);
        }
        if (from.parent) task.more().parent = std::move(from.parent);
        task.when = (std::max)(later(now, from.delay), now);
        wall_.add(task, from.at);
        task.state = task_state::held;  // where every task begins, most of them for no time at all
        ++counts_[index(task.state)];
        watch_limit(task);
        if (!from.hold) start(task, now);
        return {key_of(task), false};
    }

    /// The task that is there already under the same own id or unique key.
    std::optional<task_key> find_same(const new_task& as, time_point now) {
        if (const auto there = find_own(as.own_id)) return there;
        if (const auto* holder = unique_holder(as.unique_key, now)) return key_of(*holder);
        return std::nullopt;
    }

    /// Takes over how far the wall clock is ahead of the `now`s: what waits for a time of it is due earlier or later.
    void follow(duration ahead) {
        wall_.follow(ahead, [this](entry& task, time_point when) {
            if (scheduled_.erase({task.when, task.sequence}) > 0) scheduled_.emplace(when, task.sequence), expect(when);
            task.when = when;
        });
    }
    const wall_tasks& wall() const { return wall_; }

    void start(entry& task, time_point now) {
        detach(task);
        make_ready(task, task_event::start, task.when, now);
    }

    void promote(entry& task, time_point now) {
        detach(task);
        make_ready(task, task_event::promote, now, now);
    }

    /// False when its unique key is another's by now.
    bool requeue(entry& task, time_point now) {
        auto& more = task.more();
        if (unique_holder(more.unique_key, now)) return false;
        lock_unique_key(task, now);
        detach(task);
        task.failed_attempts = task.crashes = 0;
        task.first_started_at = task.started_at = {};
        task.cancel_requested = false;
        more.limits_from = now;
        more.error.clear();
        if (more.journal) begin_epoch(*more.journal);
        make_ready(task, task_event::requeue, now, now);
        return true;
    }

    void deliver(entry& task, consumer& who, time_point now) {
        detach(task);
        enter(task, task_event::fetch, task_state::running);
        ++task.deliveries;
        task.started_at = now;
        task.is_first_try = task.first_started_at == time_point{};
        if (task.is_first_try) task.first_started_at = now;
        task.holder = &who;
        who.held.push_back(task);
    }

    void complete(entry& task, std::string result, time_point now) {
        if (task.cancel_requested) {
            ++task.failed_attempts;
            return cancel(task, now);
        }
        task.result = std::move(result);
        finish(task, task_event::complete, task_state::succeeded, now);
    }

    void fail(entry& task, task_event event, std::string why, time_point now) {
        if (task.cancel_requested) return cancel(task, now);
        task.more().error = std::move(why);
        finish(task, event, task_state::failed, now);
    }

    /// Due again after `delay`; failed instead when its deadline comes first.
    void retry(entry& task, std::string why, duration delay, time_point now) {
        const auto due = later(now, delay);
        if (task.cancel_requested || due >= task.limit()) {
            return fail(task, task_event::time_out, std::move(why), now);
        }
        if (!why.empty()) task.more().error = std::move(why);
        detach(task);
        make_ready(task, task_event::retry, due, now);
    }

    /// Retried after a failure: what has failed below it may be tried again too.
    static void begin_epoch(memory::journal& own_journal) {
        ++own_journal.epoch;
        own_journal.awaited.clear();
        own_journal.is_continued = false;
    }

    /// Back to the head of its lane, as if it had not been fetched.
    void release(entry& task, time_point now) {
        if (task.is_first_try) task.first_started_at = task.started_at = {};
        give_back(task, task_event::release, now);
    }

    /// After its consumer's death.
    void recover(entry& task, time_point now) {
        const auto limit = task.spec->policy.crash_limit;
        if (++task.crashes < limit || limit == 0) return give_back(task, task_event::recover, now);
        const auto why = "the lease was lost " + std::to_string(task.crashes) + " times";
        bury(task, task_event::crash, encode(failure{"crashed", "", why, "", ""}), now);
    }

    void cancel(entry& task, time_point now) {
        finish(task, task_event::cancel, task_state::cancelled, now);
    }

    /// Removes a task for good; callers waiting for it get the outcome `cancelled`.
    void remove(entry& task, time_point now) {
        if (is_terminal(task.state)) return forget(task);
        conclude(task, task_event::cancel, task_state::cancelled, now);
        erase(task);
    }

    /// Promotes, expires, times out and forgets what has fallen due, `most` of each kind; `next` says when to call it again.
    void advance(time_point now, std::size_t most) {
        for (auto left = most; left > 0 && !scheduled_.empty() && scheduled_.begin()->first <= now; --left) {
            promote(*tasks_.find(scheduled_.begin()->second), now);
        }
        for (auto left = most; left > 0 && !limits_.empty() && limits_.begin()->first <= now; --left) {
            give_up(*tasks_.find(limits_.begin()->second), now);
        }
        for (auto left = most; left > 0; --left) {
            auto* const task = ended_.overdue(now);
            if (!task) break;
            forget(*task);
        }
        next_ = ended_.next();
        if (!scheduled_.empty()) expect(scheduled_.begin()->first);
        if (!limits_.empty()) expect(limits_.begin()->first);
    }

    /// Its deadline has passed.
    void give_up(entry& task, time_point now) {
        if (task.first_started_at == time_point{}) {
            return finish(task, task_event::expire, task_state::expired, now);
        }
        auto why = task.extras ? std::move(task.extras->error) : std::string();
        if (why.empty()) why = encode(failure{"timed_out", "", "the task's overall deadline passed", "", ""});
        bury(task, task_event::time_out, std::move(why), now);
    }

    /// When `advance` will next have something to do, at the earliest.
    time_point next() const { return next_; }

    entry* find(task_key key) {
        auto* task = tasks_.find(key.sequence);
        return task && nonces_.of(key.sequence) == key.nonce ? task : nullptr;
    }

    std::optional<task_key> find_own(const std::string& own_id) const {
        if (own_id.empty()) return std::nullopt;
        const auto found = own_ids_.find(own_id);
        if (found == own_ids_.end()) return std::nullopt;
        return task_key{found->second, nonces_.of(found->second)};
    }

    /// The task with the lowest number above `sequence`, or null.
    entry* after(std::uint64_t sequence) { return tasks_.after(sequence); }

    task_key key_of(const entry& task) const { return {task.sequence, nonces_.of(task.sequence)}; }

    ready_tasks& ready() { return ready_; }
    const ready_tasks& ready() const { return ready_; }

    bool has_held_tasks() const { return tasks_.last() > 0; }

    /// Tasks that have not ended.
    std::size_t pending() const { return tasks_.size() - ended_size_; }

    std::size_t count(task_state state) const { return counts_[index(state)]; }

    /// Those that have failed while no worker ran them, since the last call; their queue's name is left out.
    std::vector<detail::dead_letter> take_dead() { return std::exchange(dead_, {}); }

    bool has_consequences() const { return !consequences_.empty(); }
    consequences take_consequences() { return std::exchange(consequences_, {}); }

protected:
    /// The only place where a task's state changes.
    void enter(entry& task, task_event event, task_state to) {
        BOOST_ASSERT(is_legal(task.state, event, to));
        static_cast<void>(event);
        --counts_[index(task.state)];
        ++counts_[index(to)];
        task.state = to;
    }

    /// Takes a task out of every structure that its state puts it into.
    void detach(entry& task) {
        switch (task.state) {
            case task_state::held: forget_limit(task); break;
            case task_state::scheduled:
                scheduled_.erase({task.when, task.sequence});
                wall_.remove(task);
                forget_limit(task);
                break;
            case task_state::waiting:
                ready_.remove(task);
                forget_limit(task);
                break;
            case task_state::running:
                task.home->remove(task);
                task.holder = nullptr;
                break;
            case task_state::waiting_children: forget_limit(task); break;
            case task_state::succeeded:
            case task_state::failed:
            case task_state::cancelled:
            case task_state::expired:
                task.home->remove(task);
                --ended_size_;
                break;
        }
    }

    void watch_limit(entry& task) {
        if (const auto limit = task.limit(); limit != never) {
            limits_.emplace(limit, task.sequence);
            expect(limit);
        }
    }

    void forget_limit(const entry& task) {
        if (const auto limit = task.limit(); limit != never) limits_.erase({limit, task.sequence});
    }

    /// To a lane, or to the schedule when it is due later. `urgent`: to the lane's head.
    void make_ready(entry& task, task_event event, time_point due, time_point now, bool urgent = false) {
        if (due > now) {
            enter(task, event, task_state::scheduled);
            task.when = due;
            scheduled_.emplace(due, task.sequence);
            expect(due);
        } else {
            wall_.remove(task);
            enter(task, event, task_state::waiting);
            ready_.add(task, urgent);
        }
        watch_limit(task);
    }

    void give_back(entry& task, task_event event, time_point now) {
        if (task.cancel_requested) return cancel(task, now);
        detach(task);
        make_ready(task, event, now, now, true);
    }

    /// The end of a task, and the begin of its retention.
    void finish(entry& task, task_event event, task_state to, time_point now) {
        conclude(task, event, to, now);
        const auto& policy = task.spec->policy;
        auto retention = to == task_state::failed ? policy.failed_retention : policy.retention;
        const bool is_unheard = task.announced_waits > 0;
        if (retention == duration::zero() && is_unheard) retention = duration(detail::most_kept::unheard_ms);
        if (retention == duration::zero()) return erase(task);
        if (max_ended_ > 0 && ended_size_ >= max_ended_) forget(*ended_.oldest());
        ++ended_size_;
        ended_.add(task, retention);
        expect(later(now, retention));
    }

    /// Fails a task that no worker runs.
    void bury(entry& task, task_event event, std::string why, time_point now) {
        if (!task.cancel_requested) dead_.push_back({{"", key_of(task)}, task.spec->name, why});
        fail(task, event, std::move(why), now);
    }

    /// The end of a task: its unique key is free, callers waiting for it are notified.
    void conclude(entry& task, task_event event, task_state to, time_point now) {
        detach(task);
        enter(task, event, to);
        task.when = now;
        wall_.remove(task);  // it was held for a time of the wall clock
        unlock_unique_key(task);
        task.tell_waiters();
        if (!task.extras) return;
        if (task.extras->parent) consequences_.ended.push_back({*task.extras->parent, task.extras->own_id, task.outcome()});
        const auto* own_journal = task.journal();
        if (!own_journal || !own_journal->has_open_children()) return;
        for (auto& one : own_journal->open_children()) consequences_.orphans.emplace_back(key_of(task), std::move(one));
    }

    consequences consequences_;
    std::vector<detail::dead_letter> dead_;

private:
    using by_time = std::set<std::pair<time_point, std::uint64_t>>;

    static std::size_t index(task_state state) { return static_cast<std::size_t>(state); }

    void expect(time_point when) { next_ = (std::min)(next_, when); }

    void forget(entry& ended) {
        detach(ended);
        erase(ended);
    }

    void erase(entry& task) {
        wall_.remove(task);
        --counts_[index(task.state)];
        if (task.extras) own_ids_.erase(task.extras->own_id);
        tasks_.erase(task);
    }

    const entry* unique_holder(const std::string& key, time_point now) {
        const auto holder = unique_.holder(key, now);
        return holder ? tasks_.find(*holder) : nullptr;
    }

    void lock_unique_key(const entry& task, time_point now) {
        const auto& [key, window] = std::tie(task.extras->unique_key, task.extras->unique_window);
        unique_.lock(key, task.sequence, window > duration::zero() ? later(now, window) : never);
    }

    void unlock_unique_key(const entry& task) {
        if (task.extras) unique_.unlock(task.extras->unique_key, task.sequence);
    }

    nonces nonces_;
    std::size_t max_ended_;
    entry_table tasks_;
    ready_tasks ready_;
    by_time scheduled_;
    by_time limits_;
    wall_tasks wall_;
    ended_tasks ended_;
    std::size_t ended_size_ = 0;
    time_point next_ = never;
    std::array<std::size_t, task_state_count> counts_{};
    std::unordered_map<std::string, std::uint64_t> own_ids_;
    unique_keys unique_;
};

}  // namespace taskflux::memory
