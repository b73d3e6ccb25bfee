#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/consumers.hpp>
#include <taskflux/broker/memory/family.hpp>
#include <taskflux/broker/memory/listing.hpp>
#include <taskflux/broker/memory/room.hpp>
#include <taskflux/broker/memory/rules.hpp>
#include <taskflux/broker/memory/schedules.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// One queue as the broker's calls see it: tasks by key, consumers with leases, admission. Not thread-safe.
///
/// Call `advance(now)`, or `advance_some`, before anything else at a new `now`: what time alone brings about happens there.
class task_queue {
public:
    /// `max_pending` bounds the unfinished tasks, `max_ended` the ended ones; zero: no bound.
    task_queue(std::uint64_t seed, std::size_t max_pending, std::size_t max_ended)
        : store_(seed, max_ended), max_pending_(max_pending) {}

    std::vector<submitted> submit(std::vector<new_task> tasks, time_point now) {
        detail::check_tasks(tasks);
        if (const room left{max_pending_, rules_.max_waiting()}; !left.takes(store_, tasks.size())) {
            advance(now);  // makes room
            left.check(store_, listed.name, tasks, now);
        }
        std::vector<submitted> answers;
        answers.reserve(tasks.size());
        for (auto& task : tasks) {
            const bool restarts = task.on_duplicate == duplicate::restart && !store_.find_own(task.own_id);
            const auto key = restarts ? task.unique_key : std::string();
            answers.push_back(store_.add(std::move(task), now));
            if (auto* const runs = store_.cancel_holder(key, now)) request_cancel(*runs);
        }
        return answers;
    }

    // --- consumers and what they run ------------------------------------------------------------------

    void join(const std::string& name, duration lease, time_point now) { consumers_.join(name, lease, now); }
    consumer& pass_by(const std::string& name, duration lease, time_point now) { return consumers_.join(name, lease, now, true); }
    void renew(consumer& who, duration lease, time_point now) { consumers_.renew(who, lease, now); }

    void leave(const std::string& name, time_point now) {
        consumers_.leave(name, now, [&](consumer& who) { take_back(who, now); });
    }

    void take_back(consumer& who, time_point now) {
        while (auto* task = who.held.back()) store_.release(*task, now);
    }

    consumer& replier() { return consumers_.replier(); }

    /// See `consumers`.
    consumer* find_consumer(const std::string& name) const { return consumers_.find(name); }

    /// How many consumers have gone.
    std::uint64_t gone() const { return consumers_.gone(); }

    /// Whether a consumer has a lease.
    bool is_served() const { return consumers_.size() > 0; }

    /// Appends what `who` has to cancel; `queue` is the index it knows this queue by.
    void list_cancels(consumer& who, std::size_t queue, std::vector<cancel_request>& out) {
        who.has_news = false;
        for (auto* task = who.held.front(); task; task = task->next) {
            if (task->cancel_requested) out.push_back({queue, store_.key_of(*task), task->deliveries});
        }
    }

    /// Appends what no worker that looked had a handler for; `queue` as in `list_cancels`.
    void list_unclaimed(std::size_t queue, std::vector<unclaimed_task>& out) const {
        store_.ready().visit_unclaimed(detail::most_kept::unclaimed_names, [&](const std::string& name, const entry& task) {
            out.push_back({queue, name, task.sequence});
        });
    }

    /// Whether the consumer of that name has something to cancel that it has not been told yet.
    bool has_news(const std::string& name) {
        const auto* who = find_consumer(name);
        return who && who->has_news;
    }

    /// Appends up to `max` deliveries. A call looks at a bounded number of tasks that `who` has no handler
    /// for; `has_work` tells whether there is more to look at.
    void fetch(consumer& who, const name_set* names, std::size_t queue, std::size_t max, time_point now,
               std::vector<delivery>& out) {
        std::size_t budget = 1000;
        for (auto left = rules_.may_start(max); left > 0;) {
            auto* const task = store_.ready().next(names, budget);
            if (!task) return;
            if (task->limit() <= now) {
                store_.give_up(*task, now);
                continue;
            }
            --left;
            hand_out(*task, who, now);
            out.push_back(store_.delivery_of(*task, queue));
        }
    }

    /// Hands a waiting task to a consumer, whatever limits say.
    void hand_out(entry& task, consumer& who, time_point now) {
        rules_.started(task);
        store_.deliver(task, who, now);
    }

    bool has_work(const name_set* names) const { return rules_.may_start(1) > 0 && store_.ready().has_work(names); }

    effect settle(const consumer* who, const settlement& end, time_point now) {
        auto* task = find(end.key);
        if (!task) return effect::not_found;
        if (!is_current(*task, who, end.token)) return effect::lease_lost;
        if (end.how == settlement::kind::cancel && !task->cancel_requested) return effect::wrong_state;
        store_.count_end(*task, end, who->name, now);
        switch (end.how) {
            case settlement::kind::complete: store_.complete(*task, end.data, now); break;
            case settlement::kind::fail:
                ++task->failed_attempts;
                store_.fail(*task, task_event::fail, end.data, now);
                break;
            case settlement::kind::retry:
                if (auto* own_journal = task->journal()) own_journal->awaited.clear();
                if (end.counts) {
                    ++task->failed_attempts;
                    if (auto* own_journal = task->journal()) task_store::begin_epoch(*own_journal);
                }
                store_.retry(*task, end.data, end.delay, end.counts ? attempt_outcome::retried : attempt_outcome::postponed, now);
                break;
            case settlement::kind::release: store_.release(*task, now); break;
            case settlement::kind::cancel:
                ++task->failed_attempts;
                store_.cancel(*task, now);
                break;
            case settlement::kind::suspend: store_.suspend(*task, end.data, end.delay, now); break;
            case settlement::kind::throttle:
                rules_.throttle(end.delay, now);
                store_.release(*task, now);
                break;
        }
        return effect::done;
    }

    effect report(const consumer* who, attempt_report&& news) {
        auto* task = find(news.key);
        if (!task) return effect::not_found;
        if (!is_current(*task, who, news.token)) return effect::lease_lost;
        auto& more = task->more();
        if (news.progress) more.progress = std::move(*news.progress);
        for (auto& line : news.log) more.log.add(std::move(line), task->attempts(), who->name);
        return effect::done;
    }

    // --- journals ------------------------------------------------------------------------------------

    /// Errors: see `broker::write_journal`.
    journal_written write_journal(const task_id& id, journal_write& what, time_point now) {
        detail::check_writes(what);
        auto& task = existing(id);
        if (is_terminal(task.state)) throw detail::task_has_ended(id);
        if (!what.consumer.empty() && !is_current(task, find_consumer(what.consumer), what.token)) {
            throw detail::attempt_is_over(id);
        }
        return store_.write_journal(task, what, now);
    }

    journal_page read_journal(const task_id& id, const journal_query& query) {
        journal::check_cursor(query.cursor);
        const auto* own_journal = existing(id).journal();
        return own_journal ? own_journal->read(query) : journal_page();
    }

    effect signal(task_key key, const std::string& name, std::string value, time_point now) {
        detail::check_name(detail::limits::call, name);
        auto* task = find(key);
        if (!task) return effect::not_found;
        if (is_terminal(task->state)) return effect::wrong_state;
        store_.signal(*task, name, std::move(value), now);
        return effect::done;
    }

    void end_child(const memory::ended_child& child, time_point now) {
        auto* task = find(child.parent.id.key);
        if (task) store_.end_child(*task, child.parent.key, child.own_id, child.outcome, now);
    }

    bool is_child_of(task_key child, task_key parent) {
        const auto* task = find(child);
        return task && task->extras && task->extras->parent && task->extras->parent->id.key == parent;
    }

    bool has_consequences() const { return store_.has_consequences(); }
    memory::consequences take_consequences() { return store_.take_consequences(); }

    // --- steering ------------------------------------------------------------------------------------

    /// `requested` for a running task.
    effect cancel(task_key key, time_point now) {
        return step(key, task_event::cancel, [&](entry& task) {
            if (task.state == task_state::running) return request_cancel(task), effect::requested;
            store_.cancel(task, now);
            return effect::done;
        });
    }

    effect start(task_key key, time_point now) {
        return step(key, task_event::start, [&](entry& task) {
            if (store_.is_successor(task)) return effect::wrong_state;  // its turn comes by itself
            return store_.start(task, now), effect::done;
        });
    }

    effect promote(task_key key, time_point now) {
        return step(key, task_event::promote, [&](entry& task) { return store_.promote(task, now), effect::done; });
    }

    effect requeue(task_key key, time_point now) {
        return step(key, task_event::requeue, [&](entry& task) {
            return store_.requeue(task, now) ? effect::done : effect::wrong_state;
        });
    }

    effect update(task_key key, std::string payload) {
        auto* task = find(key);
        if (!task) return effect::not_found;
        if (!is_before_attempt(task->state)) return effect::wrong_state;
        task->payload = std::move(payload);
        return effect::done;
    }

    effect remove(task_key key, time_point now) {
        auto* task = find(key);
        if (!task) return effect::not_found;
        if (task->state == task_state::running) return effect::wrong_state;
        store_.remove(*task, now);
        return effect::done;
    }

    std::size_t clear(std::optional<task_state> state, std::size_t limit, time_point now) {
        std::size_t removed = 0;
        for (auto* task = after(0); task && removed < limit;) {
            const auto sequence = task->sequence;
            if (!state || task->state == *state) removed += remove(key_of(*task), now) == effect::done;
            task = after(sequence);
        }
        return removed;
    }

    queue_rules& rules() { return rules_; }
    const queue_rules& rules() const { return rules_; }

    // --- schedules -------------------------------------------------------------------------------------

    /// See `broker::set_schedule`.
    bool set_schedule(const std::string& id, const std::string& from, std::string to, std::vector<new_task> tasks,
                      time_point now) {
        return schedules_.set(id, from, std::move(to), [&] {
            const auto stored = submit(std::move(tasks), now);
            for (const auto& one : stored) events().tell(event_kind::schedule_fired, one.key.sequence, 0, {}, id, now);
        });
    }

    stored_schedules schedules() const {
        stored_schedules found;
        if (has_been_used()) found.life = "1";  // it lives as long as its broker
        found.rows = schedules_.rows();
        return found;
    }

    std::string schedule(const std::string& id) const { return schedules_.text(id); }

    // --- looking and waiting ---------------------------------------------------------------------------

    entry* find(task_key key) { return store_.find(key); }
    /// Throws `not_found`.
    entry& existing(const task_id& id) {
        if (auto* task = find(id.key)) return *task;
        throw detail::no_such_task(id);
    }
    entry* after(std::uint64_t sequence) { return store_.after(sequence); }
    task_key key_of(const entry& task) const { return store_.key_of(task); }
    std::optional<task_key> find_own(const std::string& own_id) const { return store_.find_own(own_id); }

    queue_counts counts() const {
        queue_counts made;
        for (std::size_t n = 0; n != task_state_count; ++n) {
            const auto state = static_cast<task_state>(n);
            made[state] = store_.count(state);
        }
        made.unclaimed = store_.ready().unclaimed_size();
        made.consumers = consumers_.size();
        made.paused = rules_.gate().is_paused();
        return made;
    }

    /// Does everything that has fallen due, and takes back what dead consumers held.
    void advance(time_point now) {
        while (now >= next()) advance_some(now);  // what a dead consumer gives back may be past its own deadline
    }

    /// Like `advance`, but only a bounded part of it, so that others need not wait while many tasks have fallen due: `next` is
    /// then past. What has fallen due and is not yet done is not handed out, and tasks past their deadlines neither.
    void advance_some(time_point now) {
        constexpr std::size_t most = 500;
        rules_.pass(now);
        if (now < next()) return;
        store_.advance(now, most);
        consumers_.bury(now, [&](consumer& who) {
            while (auto* task = who.held.back()) store_.recover(*task, now);
        });
    }

    /// Consumers that have something to cancel, since the last call.
    std::vector<std::string> take_nudged() { return std::exchange(nudged_, {}); }

    /// See `task_store`.
    std::vector<detail::dead_letter> take_dead() { return store_.take_dead(); }
    event_log& events() { return store_.events(); }
    void follow(duration ahead) { store_.follow(ahead); }
    bool follows_wall() const { return !store_.wall().empty(); }
    duration ahead() const { return store_.wall().ahead(); }

    /// When `advance` will next have something to do, at the earliest.
    time_point next() const { return (std::min)({store_.next(), consumers_.next_lease_end(), rules_.next()}); }

    /// Whether any task, schedule or limit has ever been here.
    bool has_been_used() const { return store_.has_held_tasks() || schedules_.has_held_any() || rules_.has_had_limits(); }

    family_store& store() { return store_; }
    const family_store& store() const { return store_; }
    std::vector<std::string> busy_consumers(std::size_t most) const { return consumers_.busy(most); }

    attendance& attended() { return consumers_.attended; }
    const attendance& attended() const { return consumers_.attended; }

    listing listed;

private:
    void request_cancel(entry& running) {
        running.cancel_requested = true;
        running.holder->has_news = true;
        nudged_.push_back(running.holder->name);
    }

    template <class Action>
    effect step(task_key key, task_event event, Action action) {
        auto* task = find(key);
        if (!task) return effect::not_found;
        return is_legal(task->state, event) ? action(*task) : effect::wrong_state;
    }

    family_store store_;
    std::size_t max_pending_;
    consumers consumers_;
    queue_rules rules_{store_};
    memory::schedules schedules_;
    std::vector<std::string> nudged_;
};

}  // namespace taskflux::memory
