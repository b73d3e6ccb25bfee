#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/claims.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace taskflux::detail {

/// What every broker checks of calls of `claims`.
struct most_claimed {
    static constexpr std::size_t peeked = 1000, acquired = 1000, bytes = 1 << 20;
};

/// Gives where to begin.
inline peek_cursor check_peek(const std::string& queue, const peek_query& query) {
    check_queue_name(queue);
    if (query.limit == 0 || query.limit > most_claimed::peeked) {
        throw error(errc::invalid_argument, "queue " + queue + " can't be peeked at: the limit is " + std::to_string(query.limit) +
                                                "; use 1 to " + std::to_string(most_claimed::peeked) + ", and the page's cursor for more");
    }
    return peek_cursor::parse(query.cursor);
}

inline void check_reference(const task_reference& one, const std::string& queue) {
    if (!one.own_id.empty()) return check_name(limits::own_id, one.own_id);
    if (one.key.sequence > 0) return;
    throw error(errc::invalid_argument, "a task of queue " + queue + " is named by nothing: give its key, or its own id");
}

inline void check_acquire(const acquire_request& request) {
    check_queue_name(request.queue);
    check_consumer(request.consumer);
    if (request.lease < std::chrono::milliseconds(1)) {
        throw error(errc::invalid_argument, "tasks of queue " + request.queue + " can't be acquired for " +
                                                std::to_string(request.lease.count()) +
                                                " ms: promise a reply within at least 1 ms; an acquired task is handed out again then");
    }
    if (request.tasks.size() > most_claimed::acquired) {
        throw error(errc::invalid_argument, std::to_string(request.tasks.size()) + " tasks of queue " + request.queue +
                                                " can't be acquired at once: name up to " + std::to_string(most_claimed::acquired));
    }
    for (const auto& one : request.tasks) check_reference(one, request.queue);
}

/// The consumer that asks has another lease, which is not the promise.
inline error has_joined(const acquire_request& request) {
    return error(errc::invalid_argument, "tasks of queue " + request.queue + " can't be acquired by " + request.consumer +
                                             ": a consumer of that name has joined the queue, and its lease is another; use a new name");
}

/// A task that was named twice in one call is given once.
inline void drop_repeated(std::vector<acquired_task>& answers) {
    std::set<std::uint64_t> given;
    for (auto& one : answers) {
        if (!one.task || given.insert(one.task->key.sequence).second) continue;
        one.what = acquire_outcome::not_waiting;
        one.task.reset();
    }
}

inline void check_reply(const std::string& queue, const task_reply& what) {
    check_queue_name(queue);
    check_reference(what.task, queue);
    check_result_size(what.result);
    if (what.forward_to.empty() != !what.forwarded) {
        throw error(errc::invalid_argument, "a reply in queue " + queue + " can't be forwarded: it has " +
                                                (what.forwarded ? "a task and no queue for it" : "a queue and no task for it"));
    }
    if (!what.forwarded) return;
    check_queue_name(what.forward_to);
    if (what.forward_to == queue) {
        throw error(errc::invalid_argument, "a reply in queue " + queue + " can't be forwarded to the same queue, where its task has the "
                                            "id: forward it to another one");
    }
    if (what.forwarded->own_id.empty()) {
        throw error(errc::invalid_argument, "a reply in queue " + queue + " can't be forwarded to " + what.forward_to +
                                                ": what is forwarded needs an own id, by which a second one is known; that of its task");
    }
    const std::vector<new_task> tasks(1, *what.forwarded);
    check_tasks(tasks);
}

}  // namespace taskflux::detail
