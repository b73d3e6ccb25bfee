#pragma once

#include <taskflux/broker/tasks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/describe/enum.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace taskflux {

/// Which waiting tasks of a queue to look at, without taking any of them.
struct peek_query {
    std::string cursor;                     ///< of an earlier page or task, behind which to look; empty: from the first
    std::size_t limit = 100;                ///< tasks, 1 to 1,000; a page of large ones has fewer: it ends at 1 MiB
    std::shared_ptr<const name_set> names;  ///< of tasks; null: any
    bool with_payload = false;              ///< otherwise payloads stay where they are
    duration wait{};                        ///< for the first task; zero: don't
};

/// A waiting task as somebody sees it who may want it.
struct peeked_task {
    task_key key;
    std::string cursor;             ///< behind this task
    std::string own_id;             ///< the user's, or empty
    std::string key_name;           ///< by which it takes turns and is limited, or empty
    std::shared_ptr<const task_spec> spec;
    std::size_t size = 0;           ///< bytes of the payload, as it is stored
    std::string payload;            ///< where it was asked for
    std::exception_ptr unreadable;  ///< why that can't be read, by a broker with codecs; null: it can
    time_point submitted_at{};
    unsigned deliveries = 0;        ///< so often it was handed out before
};

struct peek_page {
    std::vector<peeked_task> tasks;  ///< in the order in which they have become ready
    std::string cursor;              ///< behind all that was looked at
};

/// A task of a queue: by the user's own id, or by its key where that is empty.
struct task_reference {
    task_key key{};
    std::string own_id;
};

/// Asks for tasks by name. The consumer is a new one, and has them for `lease`: `settle`, `renew` and `leave` are those of
/// `broker`. A task that it still has when the lease ends is handed out again, which counts as a crash (`crash_limit`).
struct acquire_request {
    std::string queue;
    std::string consumer;               ///< a name that no consumer of the queue has or had; one that has joined is refused
    duration lease{};                   ///< at least 1 ms
    std::vector<task_reference> tasks;  ///< up to 1,000
};

enum class acquire_outcome {
    taken,
    not_waiting,  ///< somebody else has it, it is held or scheduled, or has ended
    limited,      ///< its queue is paused or throttled, or a limit of the queue or of its key is reached
    not_found,
};
BOOST_DESCRIBE_ENUM(acquire_outcome, taken, not_waiting, limited, not_found)

/// What became of one `task_reference`.
struct acquired_task {
    acquire_outcome what = acquire_outcome::not_found;
    std::optional<delivery> task;  ///< that was taken; its `queue` is 0
    bool is_by_key = false;        ///< of a `limited` one: by its key alone, so that tasks of other keys may start
};

/// Whom a reply may speak for.
enum class reply_scope {
    attempt,  ///< the attempt whose token it gives
    waiting,  ///< nobody: the task waits
    any,      ///< anybody, who may have the task or not; and where it has succeeded, the result is replaced, and kept anew
};
BOOST_DESCRIBE_ENUM(reply_scope, attempt, waiting, any)

/// The result of a task, from somebody who need not be a consumer.
struct task_reply {
    task_reference task;
    reply_scope scope = reply_scope::waiting;
    std::uint32_t token = 0;            ///< of an attempt
    std::string result;
    std::string forward_to;             ///< a queue; empty: none
    std::optional<new_task> forwarded;  ///< is submitted there once the reply has taken effect; has the own id of its task
};

/// Looking at waiting tasks, and taking those that are wanted: part of `broker`, and its rules hold.
class claims {
public:
    virtual ~claims() = default;

    /// Looks at waiting tasks in the order in which they have become ready: from their submission on, or later, where they were
    /// held, scheduled, retried or given back; these come again behind those that were looked at before. None is left out that
    /// waits throughout; one may be seen twice. A queue whose order nobody has asked for within an hour is looked at from its
    /// first task again, whatever the cursor. Errors: `invalid_argument` for the cursor or limit.
    virtual asio::awaitable<peek_page> peek(std::string queue, peek_query query) = 0;

    /// Hands named tasks to a new consumer, those that wait and that limits let start. In one step each up to 100. When it throws
    /// it may have had an effect, which ends with the lease. Errors: `invalid_argument` for the lease, names or too many of them.
    virtual asio::awaitable<std::vector<acquired_task>> acquire(acquire_request request) = 0;

    /// Ends a task with a result in one step: done; `lease_lost` where the token is not that of the current attempt; `wrong_state`
    /// where the task does not wait, or can't be replied to; `not_found`. What is forwarded follows, at least once: in memory at
    /// once, whatever `max_waiting` says there; on Redis later, where its queue is full. A reply that is sent again with the same
    /// result is done, too, as long as the task is kept. Errors: `invalid_argument`, `too_large`.
    virtual asio::awaitable<effect> reply(std::string queue, task_reply what) = 0;
};

namespace detail {

/// How far somebody has come who peeks: in which order, and behind which place of it.
struct peek_cursor {
    std::uint64_t order = 0;
    std::uint64_t place = 0;

    std::string text() const { return std::to_string(order) + '.' + std::to_string(place); }

    /// Of an empty text: from the first. Errors: `invalid_argument`.
    static peek_cursor parse(std::string_view text) {
        peek_cursor made;
        if (text.empty()) return made;
        const auto dot = text.find('.');
        if (dot != std::string_view::npos && read(text.substr(0, dot), made.order) && read(text.substr(dot + 1), made.place)) return made;
        throw error(errc::invalid_argument, "\"" + std::string(text.substr(0, 100)) +
                                                "\" is no cursor of waiting tasks: give one that `peek` has given, or an empty one");
    }

private:
    static bool read(std::string_view text, std::uint64_t& into) {
        const auto* const end = text.data() + text.size();
        const auto [at, ec] = std::from_chars(text.data(), end, into);
        return ec == std::errc() && at == end;
    }
};

}  // namespace detail

}  // namespace taskflux
