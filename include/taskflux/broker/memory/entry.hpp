#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory/history.hpp>
#include <taskflux/broker/memory/journal.hpp>
#include <taskflux/core/task.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::memory {

struct entry;
struct consumer;

/// A caller waiting for a task's end: notified once, with the outcome filled in.
struct result_waiter {
    std::optional<task_outcome> outcome;
    void (*notify)(result_waiter&) = nullptr;
    result_waiter* next = nullptr;
};

/// What few tasks have, kept out of the way of those that don't.
struct entry_extras {
    std::string own_id;
    std::string unique_key;
    std::string key;
    duration unique_window{};
    std::string error;
    std::string progress;
    task_log log;
    past_attempts attempts;
    time_point at{};  ///< held or scheduled for that time of the wall clock; 0: for none
    time_point limits_from{};  ///< set by a requeue: deadlines count from here
    std::optional<parent_link> parent;
    std::unique_ptr<memory::journal> journal;
};

/// A doubly linked list through the entries themselves: no allocation, and removal from the middle in
/// O(1). A task is in at most one list: a lane, what a consumer holds, or those that have ended.
class entry_list {
public:
    entry_list() = default;
    entry_list(const entry_list&) = delete;
    entry_list& operator=(const entry_list&) = delete;

    bool empty() const { return head_ == nullptr; }
    entry* front() const { return head_; }
    entry* back() const { return tail_; }
    inline void push_back(entry& item);
    inline void push_front(entry& item);
    inline void remove(entry& item);

private:
    entry* head_ = nullptr;
    entry* tail_ = nullptr;
};

/// One task as the memory broker keeps it.
struct entry {
    entry* previous = nullptr;
    entry* next = nullptr;
    entry_list* home = nullptr;  ///< the list it is in

    std::shared_ptr<const task_spec> spec;
    std::string payload;
    std::string result;
    std::unique_ptr<entry_extras> extras;
    result_waiter* waiters = nullptr;
    consumer* holder = nullptr;  ///< of a running task
    std::shared_ptr<const std::string> ran_by;  ///< the name of the last holder, once it has been delivered

    std::uint64_t sequence = 0;  ///< 0: this place is vacant
    time_point submitted_at{};
    time_point when{};  ///< held and scheduled: due; ended: when
    time_point first_started_at{};
    time_point started_at{};
    std::uint32_t deliveries = 0;
    std::uint32_t failed_attempts = 0;
    std::uint32_t crashes = 0;
    std::uint32_t announced_waits = 0;  ///< clients that have submitted it to await its end, and have not come to wait yet
    task_state state = task_state::waiting;
    bool cancel_requested = false;
    bool unclaimed = false;
    bool is_first_try = false;  ///< running, and never before since it was submitted or requeued

    entry_extras& more() {
        if (!extras) extras = std::make_unique<entry_extras>();
        return *extras;
    }

    void add_waiter(result_waiter& who) {
        who.next = waiters;
        waiters = &who;
    }

    void remove_waiter(const result_waiter& who) {
        for (auto** link = &waiters; *link; link = &(*link)->next) {
            if (*link == &who) {
                *link = who.next;
                return;
            }
        }
    }

    bool has_key() const { return extras && !extras->key.empty(); }

    memory::journal* journal() const { return extras ? extras->journal.get() : nullptr; }

    unsigned attempts() const { return failed_attempts + (has_unfailed_attempt(state) ? 1 : 0); }

    task_outcome outcome() const { return {state, result, extras ? extras->error : std::string(), attempts()}; }

    /// What its state tells of its last attempt.
    std::optional<past_attempt> last_attempt() const {
        past_attempt last;
        last.token = deliveries;
        if (ran_by) last.consumer = *ran_by;
        last.started_at = started_at;
        last.ended_at = when;
        return detail::attempt_of(state, std::move(last), failed_attempts, extras ? extras->error : std::string());
    }

    /// An attempt that has begun is over, and does not end the task. `number`: as users count them.
    void keep_attempt(attempt_outcome outcome, unsigned number, std::string why, time_point now) {
        if (started_at == time_point{}) return;
        past_attempt one;
        one.attempt = number;
        one.token = deliveries;
        if (ran_by) one.consumer = *ran_by;
        one.started_at = started_at;
        one.ended_at = now;
        one.outcome = outcome;
        one.error = std::move(why);
        more().attempts.add(std::move(one));
    }

    /// An attempt is over that is not counted: where its task ends with it, the state does not tell its number.
    void keep_uncounted(attempt_outcome outcome, std::string why, time_point now) {
        if (cancel_requested) outcome = attempt_outcome::cancelled, why.clear();
        keep_attempt(outcome, failed_attempts + 1, std::move(why), now);
    }

    /// Gives its end to the callers waiting for it.
    void tell_waiters() {
        for (auto* waiter = std::exchange(waiters, nullptr); waiter;) {
            auto* const following = waiter->next;
            waiter->outcome = outcome();
            waiter->notify(*waiter);
            waiter = following;
        }
    }

    /// When the broker gives the task up unless it has started (or, after a first try, ended) by then.
    time_point limit() const {
        const auto& policy = spec->policy;
        if (policy.deadline == duration::zero() && policy.expires_in == duration::zero()) return never;
        const auto from = extras && extras->limits_from > time_point{} ? extras->limits_from : submitted_at;
        time_point limit = never;
        if (policy.deadline > duration::zero()) limit = later(from, policy.deadline);
        if (policy.expires_in > duration::zero() && first_started_at == time_point{}) {
            limit = (std::min)(limit, later(from, policy.expires_in));
        }
        return limit;
    }
};

/// Whether that is the attempt that runs.
inline bool is_current(const entry& task, const consumer* who, std::uint32_t token) {
    return task.state == task_state::running && who && task.holder == who && task.deliveries == token;
}

/// A worker known to the queue, and what it holds.
struct consumer {
    std::string name;
    std::shared_ptr<const std::string> label;  ///< the name, for those whose tasks outlive it
    time_point lease_end{};
    entry_list held;
    bool has_news = false;  ///< it has something to cancel and has not been told yet
    bool is_passing = false;  ///< it has acquired tasks by name, and asks for no others
};

inline void entry_list::push_back(entry& item) {
    item.previous = tail_;
    item.next = nullptr;
    (tail_ ? tail_->next : head_) = &item;
    tail_ = &item;
    item.home = this;
}

inline void entry_list::push_front(entry& item) {
    item.previous = nullptr;
    item.next = head_;
    (head_ ? head_->previous : tail_) = &item;
    head_ = &item;
    item.home = this;
}

inline void entry_list::remove(entry& item) {
    (item.previous ? item.previous->next : head_) = item.next;
    (item.next ? item.next->previous : tail_) = item.previous;
    item.previous = item.next = nullptr;
    item.home = nullptr;
}

}  // namespace taskflux::memory
