#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/dead_letter.hpp>
#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/broker/memory/errors.hpp>
#include <taskflux/broker/memory/operations.hpp>
#include <taskflux/broker/memory/following.hpp>
#include <taskflux/broker/memory/places.hpp>
#include <taskflux/broker/memory/statistics.hpp>
#include <taskflux/core/codec.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The tasks of one queue and every step that they may take: the state table in motion. Knows no clock
/// (`now` is an argument), starts nothing, waits for nothing. Not thread-safe.
class task_store : public task_places {
public:
    /// `seed` makes the nonces of keys; `max_ended` bounds how many ended tasks are kept, zero: no bound.
    task_store(std::uint64_t seed, std::size_t max_ended) : task_places(seed), max_ended_(max_ended) {}

    /// Stores a task, or finds the one that is there already under its own id or unique key.
    submitted add(new_task&& from, time_point now) {
        if (auto* const there = find_same(from, now)) {
            if (from.is_awaited) ++there->announced_waits;
            if (is_replaced(*there, from)) {
                replace(*there, std::move(from), now);
                tell(event_kind::replaced, *there, there->failed_attempts, now);
            }
            return {key_of(*there), true};
        }
        const bool follows = unique_holder(from.unique_key, now);
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
            follows ? unique_.set_successor(task.extras->unique_key, task.sequence) : lock_unique_key(task, now);
        }
        if (!from.key.empty()) task.more().key = std::move(from.key);
        if (from.parent) task.more().parent = std::move(from.parent);
        task.when = (std::max)(later(now, from.delay), now);
        wall_.add(task, from.at);
        task.state = task_state::held;  // where every task begins, most of them for no time at all
        ++counts_[index(task.state)];
        statistics_.count(*task.spec, detail::counted::submitted, now);
        watch_limit(task);
        tell(event_kind::submitted, task, 0, now);
        newest_ = &task;
        if (!from.hold && !follows) start(task, now);
        newest_ = nullptr;
        return {key_of(task), false};
    }

    /// Cancels the holder of a unique key, if it has begun and no parent has called it; gives it where it runs, so that its
    /// consumer is told.
    entry* cancel_holder(const std::string& key, time_point now) {
        auto* const holder = unique_holder(key, now);
        if (!holder || !has_begun(*holder) || has_parent(*holder)) return nullptr;
        if (holder->state == task_state::running) return holder;
        cancel(*holder, now);
        return nullptr;
    }

    /// Whether it waits for another's end, which holds its unique key.
    bool is_successor(const entry& task) { return task.extras && successor(task.extras->unique_key) == &task; }

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
        if (auto last = task.last_attempt()) more.attempts.add(std::move(*last));
        detach(task);
        task.failed_attempts = task.crashes = 0;
        task.first_started_at = task.started_at = {};
        task.cancel_requested = false;
        task.when = now;
        more.limits_from = now;
        more.error.clear();
        if (more.journal) begin_epoch(*more.journal);
        make_ready(task, task_event::requeue, now, now);
        tell(event_kind::requeued, task, 1, now);
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
        task.ran_by = who.label;
        who.held.push_back(task);
        tell(event_kind::started, task, task.failed_attempts + 1, now);
    }

    void complete(entry& task, std::string result, time_point now) {
        if (task.cancel_requested) {
            ++task.failed_attempts;
            return cancel(task, now);
        }
        task.result = std::move(result);
        finish(task, task_event::complete, task_state::succeeded, now);
    }

    /// Of a task that has succeeded: another result, which is kept for as long again.
    void replace_result(entry& task, std::string result, time_point now) {
        task.result = std::move(result);
        task.when = now;
        task.home->remove(task);
        auto retention = task.spec->policy.retention;
        if (retention == duration::zero()) retention = duration(detail::most_kept::unheard_ms);  // somebody has not heard of it
        ended_.add(task, retention);
        expect(later(now, retention));
    }

    void fail(entry& task, task_event event, std::string why, time_point now) {
        if (task.cancel_requested) return cancel(task, now);
        task.more().error = std::move(why);
        finish(task, event, task_state::failed, now);
    }

    /// Counts an attempt that is about to be settled.
    void count_end(const entry& task, const settlement& end, const std::string& consumer, time_point now) {
        const auto became = changed_end(task, end, now);
        statistics_.count_attempt(end, became, now);
        if (detail::is_error(end, became)) {
            errors_.add(*task.spec, end.key, end.data, detail::is_last_error(end, became), consumer, now);
        }
    }

    /// What becomes of a task whose attempt is settled so, where it is something else than that says.
    static detail::changed_end changed_end(const entry& task, const settlement& end, time_point now) {
        const bool is_retry = end.how == settlement::kind::retry;
        if (!is_retry && end.how != settlement::kind::fail) return std::nullopt;
        if (task.cancel_requested) return task_state::cancelled;
        return is_retry && ends_before(task, later(now, end.delay)) ? detail::changed_end(task_state::failed) : std::nullopt;
    }
    static bool ends_before(const entry& task, time_point due) { return task.limit() != never && due >= task.limit(); }

    /// Due again after `delay`, which may be for ever; failed instead when its deadline comes first.
    void retry(entry& task, std::string why, duration delay, attempt_outcome outcome, time_point now) {
        const auto due = later(now, delay);
        if (task.cancel_requested || ends_before(task, due)) {
            if (outcome == attempt_outcome::postponed) task.keep_uncounted(attempt_outcome::failed, why, now);
            if (why.empty()) why = why_late(task);
            return fail(task, task_event::time_out, std::move(why), now);
        }
        const bool is_retry = outcome == attempt_outcome::retried;
        const auto number = task.failed_attempts + (is_retry ? 0 : 1);
        task.keep_attempt(outcome, number, why, now);
        tell(is_retry ? event_kind::retried : event_kind::postponed, task, number, now);
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
        task.keep_uncounted(attempt_outcome::released, {}, now);
        if (!task.cancel_requested) tell(event_kind::released, task, task.failed_attempts + 1, now);
        if (task.is_first_try) task.first_started_at = task.started_at = {};
        give_back(task, task_event::release, now);
    }

    /// After its consumer's death.
    void recover(entry& task, time_point now) {
        statistics_.count(*task.spec, detail::counted::attempt_lost, now);
        const auto limit = task.spec->policy.crash_limit;
        tell(event_kind::lost, task, task.failed_attempts + 1, now);
        const bool is_last = ++task.crashes >= limit && limit != 0;
        if (task.cancel_requested || !is_last) task.keep_uncounted(attempt_outcome::lost, {}, now);
        if (!is_last) return give_back(task, task_event::recover, now);
        const auto why = "the lease was lost " + std::to_string(task.crashes) + " times";
        bury(task, task_event::crash, encode(failure{"crashed", "", why, "", ""}), now);
    }

    void cancel(entry& task, time_point now) {
        finish(task, task_event::cancel, task_state::cancelled, now);
    }

    /// Removes a task for good; callers waiting for it get the outcome `cancelled`.
    void remove(entry& task, time_point now) {
        const bool has_ended = is_terminal(task.state);
        if (!has_ended) conclude(task, task_event::cancel, task_state::cancelled, now);
        tell(event_kind::removed, task, task.failed_attempts, now);
        has_ended ? forget(task) : erase(task);
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
        bury(task, task_event::time_out, why_late(task), now);
    }

    /// Why a task has failed whose deadline has passed.
    static std::string why_late(const entry& task) {
        if (task.extras && !task.extras->error.empty()) return task.extras->error;
        return encode(failure{"timed_out", "", "the task's overall deadline passed", "", ""});
    }

    /// Those that have failed while no worker ran them, since the last call; their queue's name is left out.
    std::vector<detail::dead_letter> take_dead() { return std::exchange(dead_, {}); }

    error_book& errors() { return errors_; }
    operation_book& operations() { return operations_; }
    statistics_book& counted() { return statistics_; }

    stored_statistics statistics(time_point now) {
        auto read = statistics_.read(now);
        auto first = now;
        ready_.visit_first([&](const entry& task) { first = (std::min)(first, due_since(task)); });
        read.oldest_waiting = now - first;
        read.at = shifted(now, wall_.ahead());
        return read;
    }

    std::vector<stored_period> history(const std::string& name, history_tier tier, std::size_t periods, time_point now) {
        auto found = statistics_.history(name, tier, periods, now);
        for (auto& one : found) one.begin = shifted(one.begin, wall_.ahead());
        return found;
    }

    bool has_consequences() const { return !consequences_.empty(); }
    consequences take_consequences() { return std::exchange(consequences_, {}); }

protected:
    /// An own id that is there already changes nothing.
    static bool is_replaced(const entry& task, const new_task& by) {
        return by.on_duplicate != duplicate::join && (by.own_id.empty() || task.extras->own_id != by.own_id);
    }

    /// Gives a task that has not begun another payload, specification and due time. Where it is ready and stays so, it keeps its
    /// turn.
    void replace(entry& task, new_task&& by, time_point now) {
        const bool keeps_lane = task.state == task_state::waiting && task.spec->priority == by.spec->priority && key_in(task) == by.key &&
                                !(task.unclaimed && task.spec->name != by.spec->name);
        auto due = (std::max)(later(now, by.delay), now);
        if (by.at_most > duration::zero()) due = (std::max)((std::min)(due, later(task.submitted_at, by.at_most)), now);
        const bool keeps_turn = keeps_lane && due <= now && wall_.due(by.at) <= now;
        keeps_turn ? forget_limit(task) : detach(task);
        wall_.remove(task);
        task.when = due;
        wall_.add(task, by.at);
        task.spec = std::move(by.spec);
        task.payload = std::move(by.payload);
        task.extras->unique_window = by.unique_window;
        task.extras->key = std::move(by.key);
        task.extras->limits_from = now;
        if (is_successor(task)) return enter(task, task_event::replace, task_state::held), watch_limit(task);
        lock_unique_key(task, now);
        if (keeps_turn) return enter(task, task_event::replace, task_state::waiting), watch_limit(task);
        make_ready(task, task_event::replace, task.when, now);
    }

    static const std::string& key_in(const entry& task) { return task.extras->key; }

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
        if (!task.cancel_requested) errors_.add(*task.spec, key_of(task), why, true, {}, now);
        if (!task.cancel_requested) dead_.push_back({{"", key_of(task)}, task.spec->name, why});
        fail(task, event, std::move(why), now);
    }

    /// The end of a task: its unique key is free, callers waiting for it are notified.
    void conclude(entry& task, task_event event, task_state to, time_point now) {
        tell(kind_of(to), task, task.failed_attempts + (to == task_state::succeeded ? 1 : 0), now);
        detach(task);
        enter(task, event, to);
        statistics_.count(*task.spec, detail::counted_end(to), now);
        task.when = now;
        wall_.remove(task);  // it was held for a time of the wall clock
        if (auto* const next = unlock_unique_key(task)) {
            lock_unique_key(*next, now);
            start(*next, now);
        }
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
    static event_kind kind_of(task_state end) {
        if (end == task_state::succeeded) return event_kind::succeeded;
        if (end == task_state::failed) return event_kind::failed;
        return end == task_state::cancelled ? event_kind::cancelled : event_kind::expired;
    }

    void forget(entry& ended) {
        detach(ended);
        erase(ended);
    }

    std::size_t max_ended_;
    statistics_book statistics_;
    error_book errors_;
    operation_book operations_;
};

}  // namespace taskflux::memory
