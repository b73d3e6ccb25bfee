#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/schedule.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The queue that stores the schedules of local jobs, and no tasks.
inline constexpr const char* local_queue = "taskflux/local";

/// A schedule's row, read. `row` is its id; where a job runs once per host, that of the definition with '@' and the
/// host behind it, which is the definition's id, too.
struct schedule_entry {
    std::string queue;
    std::string row;
    std::string text;
    stored_schedule what;

    bool is_called(std::string_view id) const {
        return row == id || (queue == local_queue && row.starts_with(id) && row.substr(id.size()).starts_with('@'));
    }
};

/// Decodes a stored schedule. Throws `errc::protocol`.
stored_schedule read_schedule(std::string_view text);

/// Whether this is an error of `read_schedule`, or of a queue with a damaged key.
bool is_unreadable(const std::exception_ptr& failure);

/// Whether a call has failed because of what is stored in its queue, so that others may go on; keeps the first of such failures.
/// `failure` may be null.
bool is_of_one_queue(const std::exception_ptr& failure, std::exception_ptr& first);

/// `key`: empty for none.
scheduled_task as_scheduled(const task_spec& spec, std::string payload, std::string key = {});

/// The task that a schedule submits for a tick.
new_task task_at(const schedule_definition& of, time_point tick, std::string own_id);

/// The own id of a task that `run_now` submits.
std::string run_id(const std::string& schedule, time_point now, std::uint64_t revision);

/// Reads and writes stored schedules for one node. A value; thread-safe. It must live until its calls have returned.
class schedule_book {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    schedule_book(broker_ptr broker, std::vector<std::string> queues, std::string node)
        : broker_(std::move(broker)), queues_(std::move(queues)), node_(std::move(node)) {}

    const broker_ptr& broker() const { return broker_; }
    time_point now() const { return broker_->clock().wall(); }

    /// The first tick from now on that has not fired; the node that fired the last one may have a clock ahead of this one.
    std::optional<time_point> first_tick(const schedule_state& of, const cron& when, const zone& in) const;

    /// The queues whose schedules to read.
    awaitable<std::vector<std::string>> queues() const;

    /// The rows of a queue, as they are stored.
    awaitable<stored_schedules> rows(std::string queue) const { return broker_->schedules(std::move(queue)); }

    /// The rows of a queue; those that can't be read have no version.
    awaitable<std::vector<schedule_entry>> read(std::string queue) const;

    /// The row of that id; nothing where there is none. It has no version where it can't be read.
    awaitable<std::optional<schedule_entry>> find(std::string queue, std::string row) const;

    /// The rows of all queues that can be read; throws where no row is found and a queue can't be read.
    awaitable<std::vector<schedule_entry>> read_all() const;

    /// Replaces a row by `entry` as it is now, and submits tasks with it. False when another process has changed the row. No
    /// two texts are equal, so that of two processes that write the same change only one gets true.
    awaitable<bool> write(schedule_entry& entry, std::vector<new_task> tasks) const;

    awaitable<bool> remove(schedule_entry entry) const;

    /// Stores a schedule. A row with the same definition stays as it is; another is replaced, with its next tick from now on.
    /// A new one goes on where `from` has been. Errors: `protocol` for a row that can't be read.
    awaitable<void> put(std::string queue, schedule_definition definition,
                        std::optional<stored_schedule> from = std::optional<stored_schedule>()) const;

    /// Stores a schedule; false where there is one of its id.
    awaitable<bool> add(std::string queue, schedule_definition definition) const;

    /// Takes a task's schedule out of a queue, and gives what it was; nothing where there is none that can be read.
    awaitable<std::optional<stored_schedule>> take(std::string queue, std::string id) const;

    /// The key of a task that a schedule has submitted, if it has not ended. Nothing for an empty id.
    awaitable<std::optional<task_key>> live_task(std::string queue, std::string own_id) const;

private:
    broker_ptr broker_;
    std::vector<std::string> queues_;  // empty: all
    std::string node_;
    std::shared_ptr<std::atomic<std::uint64_t>> writes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace taskflux::detail
