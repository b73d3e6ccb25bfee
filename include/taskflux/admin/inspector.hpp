#pragma once

#include <taskflux/admin/history.hpp>
#include <taskflux/admin/operation_options.hpp>
#include <taskflux/admin/search.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/required.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// A task and the subtasks below it.
struct task_node {
    task_record task;
    std::string name;            ///< of the call in its parent's journal
    children_counts spawned;     ///< how many subtasks it has spawned, and how they have ended
    std::vector<task_node> children;
    bool is_cut = false;         ///< it has more subtasks than `children` holds
};

/// A task among its ancestors and subtasks.
struct task_tree {
    std::vector<task_record> ancestors;  ///< from the root on
    task_node node;
};

/// Reads task trees, histories and logs, and why tasks wait. A value that shares its broker; copies and calls from several threads are safe. Errors: those of
/// `broker`.
class inspector {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit inspector(broker_ptr broker) : broker_(detail::checked_broker(std::move(broker), "an inspector")) {}

    /// A task with its ancestors and its subtasks at all depths, at most `most` of them. A subtask whose record is removed is
    /// shown as its parent's journal knows it. Errors: `not_found` for the task itself.
    awaitable<task_tree> tree(task_id id, std::size_t most = 1000) const;

    /// Why a task is not running: what is in its way now, that which comes first first; or that it runs, or has ended. `to_string`
    /// says it as a sentence. One call, bounded whatever waits. Errors: `not_found`.
    awaitable<task_situation> why(task_id id) const;

    /// How many subtasks a task has spawned, and how many of them have ended.
    awaitable<children_counts> progress(task_id id) const;

    /// The attempts at a task, and what its journal holds, at most `most` entries of that: a subtask costs a read of its record.
    /// Errors: `not_found`.
    awaitable<task_history> history(task_id id, std::size_t most = 200) const;

    /// Lines of a task's log, from any process: those behind `cursor`, at most `limit` (up to 100). Empty: from the first that is
    /// kept. The cursor of the answer goes on where it ends, so each line is read once, or counted in `log_page::missed`. With
    /// `wait`, in ms, it waits so long for the next line, unless the task has ended: it asks every 500 ms. Errors: `not_found`,
    /// also where the record is removed meanwhile; `invalid_argument` for the cursor.
    awaitable<log_page> log(task_id id, std::string cursor = {}, std::size_t limit = 100, duration wait = duration::zero()) const;

    /// Tasks that a filter is for: by queue, and the newest first in each. A page has at most `limit` (1 to 1,000) of them, and looks
    /// at a bounded number of tasks, so that it may have none and yet not be the last: `search_page`. Pass its cursor, with the same
    /// filter, to go on. A task that is there throughout and stays as it is is found once over all pages. `until` and `since` go by
    /// the order of submission: where a server's clock was set back, tasks from around that time may be missed. Errors:
    /// `invalid_argument` for the cursor or the queue.
    awaitable<search_page> search(search_filter filter, std::string cursor = {}, std::size_t limit = 50) const;

    /// Like `search` above, of a filter as `parse_search` reads it, by `broker::clock`. Errors: also those of `parse_search`.
    awaitable<search_page> search(std::string filter, std::string cursor = {}, std::size_t limit = 50) const;

    /// Begins an operation on all tasks of a queue that a filter is for and that are there now: `run_operation` carries it on, and any
    /// worker of the queue where nobody does. It goes through the queue once, the newest first, so that a task which comes to match
    /// meanwhile may be met or not, and none is met twice. Errors: `invalid_argument` for a filter without a queue, with an id, or
    /// one that `parse_search` does not read, and where the operation of that id is another one; `queue_full` where 20 are under way;
    /// `not_found` where the queue has never had a task.
    awaitable<operation> begin_operation(bulk_verb what, search_filter filter, operation_options options = operation_options()) const;

    /// Carries an operation on until it has ended, in steps of at most 100 tasks, each all or nothing, with pauses as long as they
    /// take; where another caller does that, waits for it. When this is cancelled or its
    /// process dies, the operation goes on where it is when somebody carries it on; several may do so at the same time. Errors:
    /// `not_found`.
    awaitable<operation> run_operation(std::string queue, std::string id) const;

    /// An operation as it is now. Errors: `not_found`.
    awaitable<operation> operation_of(std::string queue, std::string id) const;

    /// Those under way, and of each queue the last 50 that have ended: the last to begin first. An empty name: those of all queues.
    awaitable<std::vector<operation>> operations(std::string queue = {}) const;

    /// Ends an operation where it is; what it has done stays done. Errors: `not_found`.
    awaitable<operation> stop_operation(std::string queue, std::string id) const;

    /// Failed attempts of a queue by group, the last to fail first; up to 200 groups. On Redis what a process
    /// has seen since it told last may be missing: it tells once a second, with its next call or heartbeat.
    awaitable<std::vector<error_group>> errors(std::string queue) const;

    /// Tries the tasks of a group afresh that have failed, about 1,000 of them: pass the `next` of the result as `behind` to go on,
    /// until it is 0. Each task is met once, also where it fails again at once. Of a queue the 50,000 tasks that were submitted last
    /// and have failed are known by group. What failed for another reason since is in that one's group.
    awaitable<group_result> retry_group(std::string queue, std::string group, std::uint64_t behind = 0) const;

    /// Like `retry_group`, cancels those that wait for their next attempt or run it.
    awaitable<group_result> cancel_group(std::string queue, std::string group, std::uint64_t behind = 0) const;

    /// Like `retry_group`, removes those that have failed.
    awaitable<group_result> remove_group(std::string queue, std::string group, std::uint64_t behind = 0) const;

private:
    static awaitable<group_result> act(broker_ptr by, group_verb what, std::string queue, std::string group, std::uint64_t behind);

    const broker_ptr& broker() const { return detail::required(broker_, "inspector"); }

    broker_ptr broker_;
};

}  // namespace taskflux
