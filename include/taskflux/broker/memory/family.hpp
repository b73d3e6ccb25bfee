#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory/store.hpp>

#include <memory>
#include <string>
#include <utility>

namespace taskflux::memory {

/// The tasks of one queue, with their journals: subtasks that a task waits for, signals, suspensions. Not thread-safe.
class family_store : public task_store {
public:
    using task_store::task_store;

    /// With subtasks that it has spawned, or must have, it ends when their policy says so, and its result is kept until then.
    void complete(entry& task, std::string result, time_point now) {
        const auto* own_journal = task.journal();
        if (task.cancel_requested || !own_journal || !own_journal->is_judged()) {
            return task_store::complete(task, std::move(result), now);
        }
        task.result = std::move(result);
        task.keep_attempt(attempt_outcome::succeeded, task.failed_attempts + 1, {}, now);
        detach(task);
        enter(task, task_event::suspend, task_state::waiting_children);
        watch_limit(task);
        judge_children(task, now);
    }

    /// Waits for a signal, which may have come, or for time alone where `awaited` is empty.
    void suspend(entry& task, std::string awaited, duration delay, time_point now) {
        if (task.cancel_requested) {
            ++task.failed_attempts;
            return cancel(task, now);
        }
        auto& own_journal = journal_of(task);
        const bool has_come = !awaited.empty() && own_journal.has(awaited);
        own_journal.awaited = awaited.empty() ? std::string(sleep_mark) : std::move(awaited);
        task.keep_attempt(attempt_outcome::suspended, task.failed_attempts + 1, {}, now);
        tell(event_kind::suspended, task, task.failed_attempts + 1, now);
        detach(task);
        make_ready(task, task_event::retry, has_come ? now : later(now, delay), now);
    }

    /// Throws `too_large`.
    void signal(entry& task, const std::string& name, std::string value, time_point now) {
        auto& own_journal = journal_of(task);
        const auto key = own_journal.add_signal(name, std::move(value));
        if (task.state == task_state::scheduled && own_journal.awaited == key) promote(task, now);
    }

    journal_written write_journal(entry& task, journal_write& what, time_point now) {
        bool has_grown = false;
        auto answer = journal_of(task).write(what, has_grown);
        if (has_grown) task.crashes = 0;  // crashes count against progress
        if (task.state == task_state::waiting_children) judge_children(task, now);  // one that was waited for may be out
        return answer;
    }

    /// A subtask has ended.
    void end_child(entry& task, const std::string& key, const std::string& own_id, const task_outcome& outcome,
                   time_point now) {
        auto* const own_journal = task.journal();
        if (!own_journal || !own_journal->end_child(key, own_id, outcome)) return;
        task.crashes = 0;
        if (task.state != task_state::waiting_children) return;
        if (key != continuation_key) return judge_children(task, now);
        end_by_continuation(task, outcome, now);
    }

private:
    static memory::journal& journal_of(entry& task) {
        auto& made = task.more().journal;
        if (!made) made = std::make_unique<memory::journal>();
        return *made;
    }

    void judge_children(entry& task, time_point now) {
        auto& own_journal = *task.journal();
        if (own_journal.is_continued) return;
        switch (own_journal.policy.judge(own_journal.counts())) {
            case children_policy::verdict::wait: return;
            case children_policy::verdict::fail: return fail_for_children(task, own_journal.failure(), now);
            case children_policy::verdict::succeed: break;
        }
        const std::string continuation(continuation_key);
        if (!own_journal.has(continuation)) return finish(task, task_event::complete, task_state::succeeded, now);
        own_journal.is_continued = true;
        // It may have ended: cancelled by hand, or in an earlier attempt.
        if (const auto ended = own_journal.outcome_of(continuation)) return end_by_continuation(task, *ended, now);
        consequences_.starts.push_back(own_journal.place_of(continuation));
    }

    void end_by_continuation(entry& task, const task_outcome& outcome, time_point now) {
        if (outcome.state != task_state::succeeded) {
            return fail_for_children(task, memory::journal::reason(std::string(continuation_key), outcome), now);
        }
        task.result = outcome.result;
        finish(task, task_event::complete, task_state::succeeded, now);
    }

    void fail_for_children(entry& task, std::string why, time_point now) {
        ++task.failed_attempts;
        fail(task, task_event::fail, std::move(why), now);
    }
};

}  // namespace taskflux::memory
