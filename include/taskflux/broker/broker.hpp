#pragma once

#include <taskflux/broker/claims.hpp>
#include <taskflux/broker/error_groups.hpp>
#include <taskflux/broker/exchange.hpp>
#include <taskflux/broker/inspection.hpp>
#include <taskflux/broker/history.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/operations.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// Asks for tasks to run.
struct fetch_request {
    std::string consumer;
    std::vector<std::string> queues;         ///< in the order in which they are looked at, or:
    std::function<void(std::vector<std::size_t>&)> order;  ///< brings some of `queues` into that order, by their places
    std::shared_ptr<const name_set> names;   ///< null: any. Others stay in the queue, marked as unclaimed
    std::size_t max = 1;
    duration wait{};                         ///< for the first task; zero: don't
};

/// How an attempt ended.
struct settlement {
    enum class kind { complete, fail, retry, release, cancel, suspend, throttle };

    task_key key;
    std::uint32_t token = 0;
    kind how = kind::complete;
    std::string data;          ///< complete: the result; fail and retry: the `failure` as JSON; suspend: the key of
                               ///< the signal that ends the suspension, or empty
    duration delay{};          ///< retry and suspend: from now; throttle: for how long its queue starts nothing
    bool counts = true;        ///< retry: as an attempt
    attempt_mark mark = {};
};

/// What a worker reports about an attempt while it runs.
struct attempt_report {
    task_key key;
    std::uint32_t token = 0;
    std::optional<std::string> progress;
    std::vector<log_line> log;
};

/// A running task that its consumer must cancel.
struct cancel_request {
    std::size_t queue = 0;  ///< index into the queues given to `renew`
    task_key key;
    std::uint32_t token = 0;
};

/// The task that is next among those of a name for which no worker that looked had a handler.
struct unclaimed_task {
    std::size_t queue = 0;  ///< index into the queues given to `renew`
    std::string name;
    std::uint64_t sequence = 0;  ///< in its queue
};

/// What a consumer learns when it renews its lease.
struct renewal {
    bool lost = false;  ///< the lease had run out: everything it held is others' now; join as someone new
    std::vector<cancel_request> cancels;
    std::vector<unclaimed_task> unclaimed;  ///< one of each name, up to 20 names of a queue
    std::vector<std::size_t> operating;     ///< indexes of queues that may have operations under way
};

/// Who says what limits a queue: its programs, in code, or somebody while they run.
enum class limit_kind { declared, live };

/// Where tasks live. Implementations store and hand out; they decide nothing about retries. Every call is
/// for one queue where not said otherwise, and takes and gives batches in the same order.
///
/// All functions are thread-safe, take part in cancellation (terminal; what was sent may still take
/// effect), end with `errc::shut_down` once the broker is closed, and throw `boost::system::system_error`.
/// A consumer is one worker's life between joining and losing its lease.
class broker : public exchange, public inspection, public bulk_operations, public claims {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    broker() = default;

    virtual asio::any_io_executor get_executor() = 0;
    virtual taskflux::clock& clock() = 0;

    /// Stores tasks, all or none; a broker over a network stores many in pieces, in their order, and a `queue_full` then says how
    /// many are stored (`detail::backlog_full`). Errors: `queue_full`, `invalid_argument`.
    virtual awaitable<std::vector<submitted>> submit(std::string queue, std::vector<new_task> tasks) = 0;

    /// Makes `consumer` known on `queues` and gives it a lease of length `lease`, to be renewed each
    /// `renewal_period(lease)`.
    virtual awaitable<void> join(std::string consumer, std::vector<std::string> queues, duration lease) = 0;

    /// Hands out up to `max` ready tasks, higher priority first and in order of arrival within one, but keys take turns (see
    /// `submit_options::key`); waits for the first up to `wait`. Empty when none came. Errors: `lease_lost` for a consumer that
    /// is not (or no longer) known.
    virtual awaitable<std::vector<delivery>> fetch(fetch_request request) = 0;

    /// Renews the consumer's lease on `queues`, and says what it has to cancel.
    virtual awaitable<renewal> renew(std::string consumer, std::vector<std::string> queues, duration lease) = 0;

    /// Returns when `consumer` should renew at once (a cancel has come in that `renew` has not told), or
    /// after `wait`.
    virtual awaitable<void> watch(std::string consumer, duration wait) = 0;

    /// Ends attempts: done, `lease_lost`, not_found, or `wrong_state` (to end as cancelled what nobody has
    /// cancelled) for each. A task that completes while subtasks of its are open waits for them. `settlements` must
    /// live until this returns, and can be given again when it throws: what took effect then counts as lost. A result over
    /// 64 MiB is not stored: its task fails with `too_large`.
    virtual awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                                  const std::vector<settlement>& settlements) = 0;

    /// Stores progress and log lines of running attempts: done, `lease_lost`, or not_found for each. Errors: `too_large` for a
    /// progress over 1 MiB, and nothing is stored.
    virtual awaitable<std::vector<effect>> report(std::string queue, std::string consumer,
                                                  std::vector<attempt_report> reports) = 0;

    /// Writes into a task's journal, up to 200 items all or nothing. Errors: `lease_lost` for an older attempt,
    /// `wrong_state` when the task has ended, `not_found`, `too_large`.
    virtual awaitable<journal_written> write_journal(task_id id, journal_write what) = 0;

    /// Adds a signal to a task's journal, and resumes the task if that is what it waits for: done, `wrong_state` (it
    /// has ended), or `not_found`.
    virtual awaitable<effect> signal(task_id id, std::string name, std::string value) = 0;

    /// Gives back what the consumer still holds, without counting a crash, and forgets it.
    virtual awaitable<void> leave(std::string consumer, std::vector<std::string> queues) = 0;

    /// Waits up to `wait` for a task's end; nothing when it has not ended by then. Errors: `not_found`; `no_worker`,
    /// from a broker whose tasks this process alone can run, when the last worker of the queue has stopped.
    virtual awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) = 0;

    /// Cancels: done when the task has not started, requested when it runs.
    virtual awaitable<std::vector<effect>> cancel(std::string queue, std::vector<task_key> keys) = 0;

    /// Releases held tasks.
    virtual awaitable<std::vector<effect>> start(std::string queue, std::vector<task_key> keys) = 0;

    /// Makes scheduled tasks due now.
    virtual awaitable<std::vector<effect>> promote(std::string queue, std::vector<task_key> keys) = 0;

    /// Tries failed, cancelled or expired tasks afresh: attempts, crashes and limits start again.
    virtual awaitable<std::vector<effect>> requeue(std::string queue, std::vector<task_key> keys) = 0;

    /// Replaces the payload of a task that is held, scheduled or waiting.
    virtual awaitable<effect> update(task_id id, std::string payload) = 0;

    /// Removes records. Running tasks are refused: cancel them first.
    virtual awaitable<std::vector<effect>> remove(std::string queue, std::vector<task_key> keys) = 0;

    /// Removes up to `limit` tasks of a queue that are not running, or only those in `state`; returns how many.
    /// Call again until it returns 0.
    virtual awaitable<std::size_t> clear(std::string queue, std::optional<task_state> state, std::size_t limit) = 0;

    /// A paused queue takes tasks but hands none out.
    virtual awaitable<void> pause(std::string queue) = 0;
    virtual awaitable<void> resume(std::string queue) = 0;

    /// Sets the declared limit of a queue, which does nothing where it is that already, or the live one, which counts in its
    /// place; or takes it back. What runs goes on.
    virtual awaitable<void> set_limit(std::string queue, limit_kind kind, std::optional<limit> value, std::string reason) = 0;

    /// The same for the limit of each key of a queue (`key` is empty), or of one key, which counts in place of that of each.
    virtual awaitable<void> set_key_limit(std::string queue, std::string key, limit_kind kind, std::optional<limit> value,
                                          std::string reason) = 0;

    /// Lets a queue start tasks at once that a settlement has throttled.
    virtual awaitable<void> end_throttle(std::string queue) = 0;

    /// Has a queue tell its events whether somebody reads them or not: about the newest `most` entries are kept, none for longer
    /// than `age` (zero: any). `most` zero: only while somebody reads.
    virtual awaitable<void> keep_events(std::string queue, std::size_t most, duration age) = 0;

    /// Acts on a page of the tasks whose last failure was of a group, in the order of their numbers, from behind that number on. In
    /// one step each: what has ended otherwise or was tried afresh since is left alone.
    virtual awaitable<group_result> act_on_group(std::string queue, std::string group, group_verb what, std::uint64_t behind) = 0;

    /// Changes a schedule, unless somebody else has: if its text is `from` (empty: there is none) it becomes `to`
    /// (empty: none), and `tasks` are stored with it, all or nothing. Also true when it is `to` already, so that the
    /// call can be made again; make each `to` another. Errors: those of `submit`.
    virtual awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                         std::vector<new_task> tasks) = 0;

    /// Ends every wait, and every later call, with `errc::shut_down`.
    virtual void close() = 0;

protected:
    /// For a broker in front of another one.
    explicit broker(const broker* inner) : exchange(inner) {}
};

using broker_ptr = std::shared_ptr<broker>;

namespace detail {

/// `of`: what is made with it, for the error: `invalid_argument` for a null pointer.
inline broker_ptr checked_broker(broker_ptr given, const char* of) {
    if (given) return given;
    throw error(errc::invalid_argument, std::string(of) + " can't be made: its broker is a null pointer; connect() makes one, and "
                                                          "a pointer that was moved from is null");
}

}  // namespace detail

}  // namespace taskflux
