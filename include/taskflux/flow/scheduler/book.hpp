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

/// The queue that keeps the schedules of local jobs, and no tasks.
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

/// Throws `errc::protocol` for a text that is none.
stored_schedule read_schedule(std::string_view text);

/// Whether that is what `read_schedule` throws.
bool is_unreadable(const std::exception_ptr& failure);

scheduled_task as_scheduled(const task_spec& spec, std::string payload);

/// What a schedule submits for a tick.
new_task task_at(const schedule_definition& of, time_point tick, std::string own_id);

/// The own id of what is submitted out of turn.
std::string run_id(const std::string& schedule, time_point now, std::uint64_t revision);

/// Stores schedules, and what becomes of them, in the name of one node. A value; thread-safe. It must live until its calls
/// have returned.
class schedule_book {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    schedule_book(broker_ptr broker, std::vector<std::string> queues, std::string node)
        : broker_(std::move(broker)), queues_(std::move(queues)), node_(std::move(node)) {}

    const broker_ptr& broker() const { return broker_; }
    time_point now() const { return broker_->clock().now(); }

    /// The first tick from now on that has not fired: this clock may be behind that of who has fired the last.
    std::optional<time_point> first_tick(const schedule_state& of, const cron& when, const zone& in) const;

    /// The queues to look into.
    awaitable<std::vector<std::string>> queues() const;

    /// The rows of a queue; those that can't be read have no version.
    awaitable<std::vector<schedule_entry>> read(std::string queue) const;

    /// The rows of all queues.
    awaitable<std::vector<schedule_entry>> read_all() const;

    /// Replaces an entry's text by what it says now, and submits tasks with it. False when somebody else has changed it. No
    /// two texts are the same, so that two who write the same do not both take it for theirs.
    awaitable<bool> write(schedule_entry& entry, std::vector<new_task> tasks) const;

    awaitable<bool> remove(schedule_entry entry) const;

    /// Stores a schedule. One with the same definition stays as it is; another gives its place to this one, with its next
    /// tick from now on. Errors: `protocol` for a row that can't be read.
    awaitable<void> put(std::string queue, schedule_definition definition) const;

    /// A task that a schedule has submitted, if it has not ended. No id: none.
    awaitable<std::optional<task_key>> live_task(std::string queue, std::string own_id) const;

private:
    broker_ptr broker_;
    std::vector<std::string> queues_;  // empty: all
    std::string node_;
    std::shared_ptr<std::atomic<std::uint64_t>> writes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace taskflux::detail
