#pragma once

#include <taskflux/broker/error_groups.hpp>
#include <taskflux/broker/events.hpp>
#include <taskflux/broker/history.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/search.hpp>
#include <taskflux/broker/statistics.hpp>
#include <taskflux/broker/why.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/task.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// Selects tasks to list. What is empty does not restrict.
struct list_query {
    std::string queue;
    std::optional<task_state> state;
    std::string name;
    time_point since{};        ///< submitted at or after
    time_point until = never;  ///< submitted before
    std::size_t limit = 100;   ///< a page of large tasks has fewer: it ends at 16 MiB
    std::string cursor;        ///< of the page before
};

struct task_page {
    std::vector<task_record> tasks;  ///< by queue, then in the order of submission
    std::string cursor;              ///< for the next page; empty: there is none
};

/// How many tasks of a queue are in each state, ended ones as long as they are kept.
struct queue_counts {
    /// Of the tasks in one state.
    std::size_t& operator[](task_state state) { return this->*field_of(state); }
    std::size_t operator[](task_state state) const { return this->*field_of(state); }

    std::size_t held = 0;
    std::size_t scheduled = 0;
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::size_t waiting_children = 0;
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;
    std::size_t expired = 0;
    std::size_t unclaimed = 0;  ///< of the waiting ones: no worker that looked had a handler
    std::size_t set_aside = 0;  ///< corrupt or foreign data that was met, and is left as it is
    std::size_t consumers = 0;  ///< workers, and receivers of messages, that have a lease; zero: nobody serves the queue
    bool paused = false;

private:
    static constexpr std::size_t queue_counts::* field_of(task_state state) {
        switch (state) {
            case task_state::held: return &queue_counts::held;
            case task_state::scheduled: return &queue_counts::scheduled;
            case task_state::waiting: return &queue_counts::waiting;
            case task_state::running: return &queue_counts::running;
            case task_state::waiting_children: return &queue_counts::waiting_children;
            case task_state::succeeded: return &queue_counts::succeeded;
            case task_state::failed: return &queue_counts::failed;
            case task_state::cancelled: return &queue_counts::cancelled;
            case task_state::expired: break;
        }
        return &queue_counts::expired;
    }
};
BOOST_DESCRIBE_STRUCT(queue_counts, (), (held, scheduled, waiting, running, waiting_children, succeeded, failed,
                                         cancelled, expired, unclaimed, set_aside, consumers, paused))

/// A schedule as it is kept. What its text says is for `scheduler` to know.
struct schedule_row {
    std::string id;
    std::string text;  ///< never empty
};

/// The schedules of a queue, by id.
struct stored_schedules {
    std::string life;  ///< which life of the queue this is: another one after a server has been emptied; empty: none has begun
    std::vector<schedule_row> rows;
};

/// The calls of a broker that look at tasks and queues and change nothing, but that reading events has them told. Threads,
/// cancellation and errors as those of `broker`.
class inspection {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// The key of the task that was submitted with the user's own id, if its record is still kept.
    virtual awaitable<std::optional<task_key>> find(std::string queue, std::string own_id) = 0;

    /// A task's record, if it is still kept.
    virtual awaitable<std::optional<task_record>> get(task_id id) = 0;

    /// Why a task is not running, if its record is still kept. Bounded: it looks at some thousand tasks at most.
    virtual awaitable<std::optional<task_situation>> why(task_id id) = 0;

    /// The newest attempts at a task, with the one under way, and how they ended. Errors: `not_found`.
    virtual awaitable<attempt_list> attempts(task_id id) = 0;

    /// Lines of a task's log, of which the newest are kept. Errors: `not_found`, `invalid_argument` for the cursor.
    virtual awaitable<log_page> log(task_id id, log_query query) = 0;

    /// A page of records. A task that is there throughout is listed exactly once over all pages.
    virtual awaitable<task_page> list(list_query query) = 0;

    /// One step of a search, which keeps no other call waiting for more than a few milliseconds. A task that is there throughout
    /// and stays as it is is found once over all steps. See `inspector::search`, whose pages are made of steps.
    virtual awaitable<search_step> search(search_query query) = 0;

    /// The names of all queues that hold or have held tasks, schedules or limits, sorted.
    virtual awaitable<std::vector<std::string>> queues() = 0;

    virtual awaitable<queue_counts> counts(std::string queue) = 0;

    /// Reads a task's journal: these keys, or a page of all that it holds. Errors: `not_found`.
    virtual awaitable<journal_page> journal(task_id id, journal_query query) = 0;

    virtual awaitable<queue_limits> limits(std::string queue) = 0;

    /// What has happened in a queue behind a cursor, and has it told for `event_query::lease` from now on. See `taskflux::events`,
    /// which reads entry by entry. Errors: `invalid_argument` for the cursor.
    virtual awaitable<event_page> events(std::string queue, event_query query) = 0;

    virtual awaitable<stored_statistics> statistics(std::string queue) = 0;

    /// The last `periods` periods that have counts, oldest first, with the one under way: of tasks of all names where `name` is
    /// empty, and otherwise without the times.
    virtual awaitable<std::vector<stored_period>> history(std::string queue, std::string name, history_tier tier,
                                                          std::size_t periods) = 0;

    /// Failed attempts by group, in no order.
    virtual awaitable<std::vector<error_group>> errors(std::string queue) = 0;

    virtual awaitable<stored_schedules> schedules(std::string queue) = 0;

    /// The text of one schedule, without a look at the others; empty: there is none.
    virtual awaitable<std::string> schedule(std::string queue, std::string id) = 0;

protected:
    inspection() = default;
    inspection(const inspection&) = default;
    inspection& operator=(const inspection&) = default;
    ~inspection() = default;
};

}  // namespace taskflux
