#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory/arrivals.hpp>
#include <taskflux/broker/memory/ended.hpp>
#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/memory/event_log.hpp>
#include <taskflux/broker/memory/nonces.hpp>
#include <taskflux/broker/memory/ready.hpp>
#include <taskflux/broker/memory/table.hpp>
#include <taskflux/broker/memory/unique_keys.hpp>
#include <taskflux/broker/memory/wall_tasks.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace taskflux::memory {

/// Where the tasks of one queue stand: by number, by id and unique key, in a lane, by the time when they are due, expire or
/// are forgotten. A task's state says which of these it is in. Not thread-safe.
class task_places {
public:
    /// `seed` makes the nonces of keys.
    explicit task_places(std::uint64_t seed) : nonces_(seed), events_(seed), arrivals_(seed) {}

    /// The task that a submission gets instead of another one: that with its own id, or the holder of its unique key; where it
    /// replaces, the one that waits for the holder's end, or the holder that has not begun.
    entry* find_same(const new_task& as, time_point now) {
        if (const auto there = find_own(as.own_id)) return tasks_.find(there->sequence);
        auto* const holder = unique_holder(as.unique_key, now);
        if (as.on_duplicate == duplicate::join) return holder;
        if (auto* const waits = successor(as.unique_key)) return waits;
        return holder && !has_begun(*holder) ? holder : nullptr;
    }

    /// The task that has a unique key, or null.
    entry* unique_holder(const std::string& key, time_point now) {
        const auto holder = unique_.holder(key, now);
        return holder ? tasks_.find(*holder) : nullptr;
    }

    /// Takes over how far the wall clock is ahead of the `now`s: what waits for a time of it is due earlier or later.
    void follow(duration ahead) {
        wall_.follow(ahead, [this](entry& task, time_point when) {
            if (scheduled_.erase({task.when, task.sequence}) > 0) scheduled_.emplace(when, task.sequence), expect(when);
            task.when = when;
        });
    }
    const wall_tasks& wall() const { return wall_; }

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

    /// The task of that number, or null.
    entry* at(std::uint64_t sequence) { return tasks_.find(sequence); }

    /// The task with the lowest number above `sequence`, or null.
    entry* after(std::uint64_t sequence) { return tasks_.after(sequence); }
    /// See `entry_table`.
    entry* up_to(std::uint64_t sequence) { return tasks_.up_to(sequence); }
    std::uint64_t last_number() const { return tasks_.last(); }

    task_key key_of(const entry& task) const { return {task.sequence, nonces_.of(task.sequence)}; }

    event_log& events() { return events_; }

    memory::arrivals& arrivals() { return arrivals_; }
    /// Whether a task has become ready since the last call.
    bool take_arrived() { return std::exchange(has_arrived_, false); }
    /// The highest number given out so far.
    std::uint64_t last() const { return tasks_.last(); }

    /// Of a task that waits for its first attempt: since when it may start.
    static time_point due_since(const entry& waiting) { return (std::max)(waiting.submitted_at, waiting.when); }

    /// A running task as its consumer gets it; `queue` is the index that it knows this queue by.
    delivery delivery_of(const entry& task, std::size_t queue) const {
        return {queue, key_of(task), task.deliveries, task.failed_attempts + 1, task.spec, task.payload,
                task.extras ? task.extras->own_id : std::string(), shifted(task.submitted_at, wall_.ahead()),
                task.first_started_at, task.started_at, task.limit(), nullptr, due_since(task)};
    }

    ready_tasks& ready() { return ready_; }
    const ready_tasks& ready() const { return ready_; }

    bool has_held_tasks() const { return tasks_.last() > 0; }

    /// Tasks that have not ended.
    std::size_t pending() const { return tasks_.size() - ended_size_; }

    std::size_t count(task_state state) const { return counts_[index(state)]; }

protected:
    /// Something happens to a task, which is still where it was. `attempt`: 0 where none has been made.
    void tell(event_kind kind, const entry& task, unsigned attempt, time_point now) {
        static const std::string nobody;
        if (!events_.is_on(now)) return events_.forget(now);
        const bool runs = task.state == task_state::running && task.ran_by;
        events_.tell(kind, task.sequence, attempt, task.spec->name, runs ? *task.ran_by : nobody, now);
    }

    using by_time = std::set<std::pair<time_point, std::uint64_t>>;

    /// The only place where a task's state changes.
    void enter(entry& task, task_event event, task_state to) {
        BOOST_ASSERT(is_legal(task.state, event, to));
        static_cast<void>(event);
        --counts_[index(task.state)];
        ++counts_[index(to)];
        const auto from = std::exchange(task.state, to);
        if (!task.has_key() || from == to) return;
        if (from == task_state::running) ready_.keyed().stopped(task);
        if (to == task_state::running) ready_.keyed().started(task);
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
            has_arrived_ = true;
            if (&task != newest_ && arrivals_.are_asked_for(now)) arrivals_.add(task.sequence, tasks_.skip());
        }
        watch_limit(task);
    }

    static std::size_t index(task_state state) { return static_cast<std::size_t>(state); }

    void expect(time_point when) { next_ = (std::min)(next_, when); }

    void erase(entry& task) {
        wall_.remove(task);
        arrivals_.remove(task.sequence);
        --counts_[index(task.state)];
        if (task.extras) own_ids_.erase(task.extras->own_id);
        tasks_.erase(task);
    }

    /// Whether a task keeps its payload: an attempt has begun, its journal says what it has done, or a parent has called it.
    static bool has_begun(const entry& task) {
        return !is_before_attempt(task.state) || task.first_started_at > time_point{} || task.journal() || has_parent(task);
    }

    static bool has_parent(const entry& task) { return task.extras && task.extras->parent; }

    /// Who waits for the end of the task that holds a key.
    entry* successor(const std::string& key) {
        const auto waits = unique_.successor(key);
        return waits ? tasks_.find(*waits) : nullptr;
    }

    void lock_unique_key(const entry& task, time_point now) {
        const auto& [key, window] = std::tie(task.extras->unique_key, task.extras->unique_window);
        unique_.lock(key, task.sequence, window > duration::zero() ? later(now, window) : never);
    }

    /// Gives who holds its key next.
    entry* unlock_unique_key(const entry& task) {
        const auto next = task.extras ? unique_.unlock(task.extras->unique_key, task.sequence) : std::nullopt;
        return next ? tasks_.find(*next) : nullptr;
    }

    nonces nonces_;
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
    event_log events_;
    memory::arrivals arrivals_;
    const entry* newest_ = nullptr;  // that is being stored: its number says when it has come
    bool has_arrived_ = false;
};

}  // namespace taskflux::memory
