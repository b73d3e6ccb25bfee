#pragma once

#include <taskflux/broker/broker/search_checks.hpp>
#include <taskflux/broker/memory/inspect.hpp>
#include <taskflux/broker/memory/queues.hpp>

#include <cstdint>
#include <string_view>

namespace taskflux::memory {

/// The consumer that runs a task, or has run it to its end.
inline std::string_view runner_of(const entry& task) {
    if (task.state == task_state::running && task.holder) return task.holder->name;
    const bool has_run = task.state == task_state::succeeded || task.state == task_state::failed;
    if (!has_run || !task.ran_by) return {};
    const bool is_over = task.extras && task.extras->attempts.newest() == task.deliveries;  // its last attempt did not end it
    return is_over ? std::string_view() : std::string_view(*task.ran_by);
}

inline bool is_sought(const search_filter& filter, task_queue& in, const entry& task) {
    const auto submitted_at = shifted(task.submitted_at, in.ahead());
    if (!detail::is_state_of(filter, task.state) || !detail::is_name_of(filter.task, task.spec->name)) return false;
    if (!filter.key.empty() && (!task.has_key() || task.extras->key != filter.key)) return false;
    if (submitted_at < filter.since || submitted_at >= filter.until) return false;
    if (!filter.node.empty()) {
        const auto runner = runner_of(task);
        if (runner.empty() || !detail::is_node_of(filter.node, runner)) return false;
    }
    if (detail::asks_for_error_text(filter)) return task.extras && !task.extras->error.empty();
    if (!detail::is_error_group(filter.error)) return true;
    return (task.state == task_state::failed || !is_terminal(task.state)) &&
           in.store().errors().has(filter.error, in.key_of(task));
}

/// `broker::search`, on a queue.
inline search_step search(task_queue& in, const search_query& query) {
    const auto last = in.store().last_number();
    const auto from = query.from == 0 || query.from > last ? last : query.from;
    search_step made;
    made.from = from;
    std::size_t looked_at = 0, bytes = 0;
    auto* task = in.store().up_to(from);
    for (; task; task = in.store().up_to(task->sequence - 1)) {
        if (made.tasks.size() == query.limit || ++looked_at > detail::most_searched::entries || bytes > detail::most_searched::bytes) break;
        if (!is_sought(query.filter, in, *task)) continue;
        made.tasks.push_back(view_record(query.queue, in, *task));
        bytes += task->payload.size() + task->result.size();
    }
    made.next = task ? task->sequence : 0;
    const auto* const first = in.after(0);
    const auto below = task ? task->sequence : first ? first->sequence - 1 : from;
    made.looked_at = from > below ? from - below : 0;
    if (task) made.back_to = shifted(task->submitted_at, in.ahead());
    return made;
}

}  // namespace taskflux::memory
