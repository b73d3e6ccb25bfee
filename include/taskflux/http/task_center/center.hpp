#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/http/task_center/content.hpp>
#include <taskflux/http/task_center/names.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The calls of Task Center, made of those of a broker. Nothing is kept here: what one gateway has taken another can reply to. Queues
// are the broker's names, ids those of clients.
namespace taskflux::detail::task_center {

/// What the calls need. Shared by them: each keeps it.
class center {
public:
    center(broker_ptr of, std::string queue_prefix) : broker(std::move(of)), queues(std::move(queue_prefix)) {}

    const broker_ptr broker;
    const queue_names queues;
};

using center_ptr = std::shared_ptr<const center>;

/// A task to be stored.
class new_entry {
public:
    new_entry() = default;

    std::string queue;
    std::string own_id;  ///< as of `own_id_of`
    std::string info = "null";
    std::string content;
    std::string forward_to;  ///< a queue; empty: none
    duration cached = std::chrono::seconds(60);
};

/// A waiting task.
class peeked_entry {
public:
    std::string id;
    std::string info;
    std::string cursor;
};

/// A task that was taken.
class taken_entry {
public:
    std::string id;
    std::string info;
    std::string content;
};

class queue_state {
public:
    std::size_t length = 0;
    std::string oldest, newest;  ///< cursors; empty: no task waits
};

class queue_page {
public:
    std::vector<std::string> names;  ///< the clients'
    std::string cursor;              ///< empty: that was all
};

/// False where a task of that id is there: it waits, somebody has it, or its result is kept. One that has ended otherwise makes room.
asio::awaitable<bool> put(center_ptr on, new_entry what);

/// Waiting tasks behind a cursor, up to `size`, or fewer where they are large; waits for the first.
asio::awaitable<std::vector<peeked_entry>> peek(center_ptr on, std::string queue, std::string cursor, std::size_t size, duration wait);

/// Takes those of the tasks that wait and that limits let start, for `promise`; zero: for good, so that they are known no more.
asio::awaitable<std::vector<taken_entry>> acquire(center_ptr on, std::string queue, std::vector<std::string> ids, duration promise);

/// Ends a task, whoever has it, or gives it another result. False where it is not known.
asio::awaitable<bool> reply(center_ptr on, std::string queue, std::string id, result what);

/// The result of a task that is put unless it is there, within `wait`; nothing where there is none by then. Zero: only one that is
/// kept, and nothing is put.
asio::awaitable<std::optional<result>> call(center_ptr on, new_entry what, duration wait);

/// Removes a task, whoever has it. False where it is not known.
asio::awaitable<bool> remove(center_ptr on, std::string queue, std::string id);

/// Removes a task, whoever has it. Those that wait for its result are given none.
asio::awaitable<void> remove_task(center_ptr on, task_id id);

/// Removes all tasks of a queue, `step` at a time; false where `steps` were too few.
asio::awaitable<bool> clear(center_ptr on, std::string queue, std::int64_t steps, std::size_t step);

/// Nothing for a queue that never was, or has not been used since it was cleared.
asio::awaitable<std::optional<queue_state>> stat(center_ptr on, std::string queue);

/// Up to `size` queues behind a cursor.
asio::awaitable<queue_page> list(center_ptr on, std::string cursor, std::size_t size);

/// The record of a client's task.
asio::awaitable<std::optional<task_record>> find(center_ptr on, std::string queue, std::string id);

}  // namespace taskflux::detail::task_center
