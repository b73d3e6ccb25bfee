#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/children.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A subtask of the task whose handler runs: new, or found again in the journal.
struct open_child {
    task_id id;
    std::string own_id;
    std::optional<task_outcome> outcome;  ///< found, and it had ended
};

/// The end of a subtask. Where its record has gone by then, the parent's journal has it, at the latest when whoever saw
/// its end has carried it there.
asio::awaitable<task_outcome> end_of_child(broker_ptr broker, task_id parent, std::string key, task_id child);

/// Submits tasks whose notes have been written; gives their keys. What does not come is taken out of the journal again:
/// its end would never reach the parent. `notes`: by whom. Errors: those of `broker::submit`; `invalid_argument` where an
/// own id or a unique key is another task's.
asio::awaitable<std::vector<task_key>> submit_noted(broker_ptr broker, std::string queue, std::vector<new_task> tasks,
                                                    journal_notes notes);

/// Notes subtasks in the journal and submits those that are new, all in one queue. Names and tasks go by pairs.
/// Errors: `journal_mismatch`; those of `submit_noted`.
asio::awaitable<std::vector<open_child>> open_children(notebook& book, std::string queue, std::vector<std::string> names,
                                                       std::vector<new_task> tasks, bool are_spawned,
                                                       std::optional<children_policy> policy = std::nullopt);

/// Cancels subtasks that nobody waits for any more. Waits for nothing: the parent's end would see to it too.
void abandon_children(const broker_ptr& broker, const std::string& queue, std::vector<task_key> keys);

}  // namespace taskflux::detail
