#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// What an operation does to tasks: tries those afresh that have failed, were cancelled or have expired; cancels those that have
/// not ended; removes those that do not run; makes scheduled ones due.
enum class bulk_verb { retry, cancel, remove, promote };
BOOST_DESCRIBE_ENUM(bulk_verb, retry, cancel, remove, promote)

/// How far an operation is. Append only: these numbers are stored on servers.
enum class operation_state { running, done, stopped };
BOOST_DESCRIBE_ENUM(operation_state, running, done, stopped)

/// Something that is done to all tasks of a queue that a filter is for and that were there when it began.
struct operation {
    operation() = default;

    std::string id;
    std::string queue;
    bulk_verb verb = bulk_verb::retry;
    std::string filter;     ///< as `parse_search` reads it
    std::string by;         ///< who began it
    std::string reason;     ///< and why
    bool dry_run = false;   ///< it only counts
    operation_state state = operation_state::running;
    time_point began_at{};
    time_point ended_at{};  ///< 0: it is under way
    std::string carrier;    ///< who has made the last step
    std::uint64_t from = 0;       ///< the highest number when it began
    std::uint64_t next = 0;       ///< the number at which it goes on, downwards; 0: it has come to the end
    std::uint64_t looked_at = 0;  ///< how many numbers it is done with
    std::uint64_t matched = 0;    ///< tasks that the filter is for
    std::uint64_t done = 0;       ///< of them: that it was done to, or requested of those that run; in a dry run: that it would be
    std::uint64_t refused = 0;    ///< of them: that were in another state, or had changed between being found and the step
};
BOOST_DESCRIBE_STRUCT(operation, (), (id, queue, verb, filter, by, reason, dry_run, state, began_at, ended_at, carrier, from, next,
                                      looked_at, matched, done, refused))

/// A task as an operation has found it.
struct found_task {
    task_key key;
    task_state state = task_state::waiting;
};

/// A step of an operation: from which number it was looked, down to which, and what was found.
struct operation_step {
    std::uint64_t from = 0;
    std::uint64_t next = 0;  ///< 0: to the end
    std::uint64_t looked_at = 0;
    std::string carrier;            ///< who makes it
    std::vector<found_task> tasks;  ///< up to 100
};

namespace detail {

struct most_operations {
    static constexpr std::size_t running = 20;  ///< of a queue, at a time
    static constexpr std::size_t ended = 50;    ///< that are kept: the oldest go
    static constexpr std::size_t tasks = 100;   ///< of one step
};

}  // namespace detail

/// Operations as a broker keeps them: their steps are made by whoever carries them on. Threads, cancellation and errors as those of
/// `broker`.
class bulk_operations {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Begins what `id`, `queue`, `verb`, `filter`, `by`, `reason` and `dry_run` say, unless an operation of that id is there; gives
    /// it as it is stored. Errors: `queue_full` where 20 are under way; `not_found` where the queue has never had a task: none is
    /// made of a mistyped name.
    virtual awaitable<operation> begin_operation(operation what) = 0;

    /// Those of a queue that are under way, and the last 50 that have ended, in no order.
    virtual awaitable<std::vector<operation>> operations(std::string queue) = 0;

    /// Does a step, all of it or nothing: to each task that is still in the state in which it was found. Nothing happens where the
    /// operation has ended, or is elsewhere by now, because somebody else has made that step. Gives it as it is then. Errors:
    /// `not_found`.
    virtual awaitable<operation> step_operation(std::string queue, std::string id, operation_step step) = 0;

    /// Errors: `not_found`.
    virtual awaitable<operation> stop_operation(std::string queue, std::string id) = 0;

protected:
    bulk_operations() = default;
    bulk_operations(const bulk_operations&) = default;
    bulk_operations& operator=(const bulk_operations&) = default;
    ~bulk_operations() = default;
};

namespace detail {

inline error no_such_operation(const std::string& queue, const std::string& id) {
    return error(errc::not_found, "queue " + queue + " has no operation \"" + id + "\": of those that have ended, the last 50 are kept");
}

inline error no_queue_for_operation(const std::string& queue) {
    return error(errc::not_found, "an operation can't begin: queue " + queue + " has never had a task; is its name right?");
}

inline error too_many_operations(const std::string& queue) {
    return error(errc::queue_full, "queue " + queue + " has as many operations under way as may be: stop some, or wait for their end");
}

}  // namespace detail

}  // namespace taskflux
