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
    std::optional<task_outcome> outcome;  ///< set when it was found in the journal and had ended
};

/// Waits for the end of a subtask. Where its record is removed by then, the parent's journal has the outcome, at the latest
/// when the relay has carried it there.
asio::awaitable<task_outcome> end_of_child(broker_ptr broker, task_id parent, std::string key, task_id child);

/// Submits subtasks that are written in the parent's journal, and returns their keys. A subtask that is not stored is taken
/// out of the journal again, since its end would never reach the parent. `write`: consumer and token of the writer.
/// `were_there[i]`: whether the journal had `tasks[i]` before, so that an earlier call may have stored it. Errors:
/// those of `broker::submit`; `invalid_argument` where an own id or a unique key is another task's.
asio::awaitable<std::vector<task_key>> submit_journalled(broker_ptr broker, std::string queue, std::vector<new_task> tasks,
                                                         journal_write write, std::vector<bool> were_there);

/// Writes subtasks of the call `at` into the journal and submits those that are new, all in one queue. `names[i]` is the name
/// of `tasks[i]`. A cancellation does not part the two, and is thrown at the next await. Errors: `journal_mismatch`; those of
/// `submit_journalled`.
asio::awaitable<std::vector<open_child>> open_children(notebook& book, place at, std::string queue, std::vector<std::string> names,
                                                       std::vector<new_task> tasks, bool are_spawned,
                                                       std::optional<children_policy> policy = std::nullopt);

/// Cancels subtasks that the handler does not wait for any more, unless another attempt has the parent, and waits for them.
/// Does not wait: the parent's end would cancel them, too.
void abandon_children(const notebook& book, const std::string& queue, std::vector<task_key> keys);

}  // namespace taskflux::detail
