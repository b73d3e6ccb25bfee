#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/queues.hpp>

#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace taskflux::memory {

/// What a task looks like from outside.
inline task_record view_record(const std::string& queue, const task_queue& in, const entry& task) {
    static const entry_extras none;
    const auto& more = task.extras ? *task.extras : none;
    task_record record;
    record.id = {queue, in.key_of(task)};
    record.own_id = more.own_id;
    record.name = task.spec->name;
    record.key = more.key;
    record.state = task.state;
    record.priority = task.spec->priority;
    record.headers = task.spec->headers;
    if (more.parent) {
        record.parent = to_string(more.parent->id);
        record.call = more.parent->key.substr(1);
    }
    record.payload = task.payload;
    record.result = task.result;
    record.error = more.error;
    record.progress = more.progress;
    record.log.assign(more.log.lines().begin(), more.log.lines().end());
    record.attempts = task.attempts();
    record.deliveries = task.deliveries;
    record.crashes = task.crashes;
    if (task.holder) record.consumer = task.holder->name;
    record.cancel_requested = task.cancel_requested;
    record.unclaimed = task.unclaimed;
    const auto shown = [&](time_point when) { return shifted(when, in.ahead()); };
    record.submitted_at = shown(task.submitted_at);
    if (task.state == task_state::scheduled || task.state == task_state::held) record.due_at = shown(task.when);
    record.started_at = shown(task.started_at);
    if (is_terminal(task.state)) record.ended_at = shown(task.when);
    else if (task.limit() != never) record.limit_at = shown(task.limit());
    return record;
}

/// `broker::attempts`.
inline attempt_list attempts_of(const task_queue& in, const entry& task) {
    auto made = task.extras ? task.extras->attempts.list() : attempt_list();
    detail::add_last(made, task.extras ? task.extras->attempts.newest() : 0, task.last_attempt());
    for (auto& one : made.attempts) {
        one.started_at = shifted(one.started_at, in.ahead());
        if (one.outcome != attempt_outcome::running) one.ended_at = shifted(one.ended_at, in.ahead());
    }
    return made;
}

/// `broker::log`.
inline log_page log_of(const entry& task, const log_query& query) {
    static const task_log none;
    return (task.extras ? task.extras->log : none).page(query, is_terminal(task.state));
}

/// A page of records, by queue and then by sequence. The cursor names the last task that was looked at,
/// so tasks that come or go between two pages make it neither skip nor repeat others.
inline task_page list(queue_map& queues, const list_query& query) {
    auto [name, sequence] = detail::start_of(query);
    detail::page_filler page(query);
    if (query.limit == 0) return page.take();
    for (auto at = queues.lower_bound(name); at != queues.end(); ++at, sequence = 0) {
        auto& [queue_name, queue] = *at;
        if (!query.queue.empty() && queue_name != query.queue) break;
        if (queue_name != name) sequence = 0;
        for (auto* task = queue->after(sequence); task; task = queue->after(task->sequence)) {
            if (!detail::matches(query, task->state, task->spec->name, shifted(task->submitted_at, queue->ahead()))) continue;
            if (page.is_full()) return page.take();
            page.add(view_record(queue_name, *queue, *task));
        }
    }
    return page.take();
}

}  // namespace taskflux::memory
