#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/memory/queue_list.hpp>
#include <taskflux/detail/event.hpp>

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::memory {

struct waiting;
using waiting_list = std::list<waiting*>;

/// What a coroutine waits for: tasks to fetch, a task's end, or to be told to renew.
struct waiting : result_waiter {
    explicit waiting(time_point until) : deadline(until) {}

    void finish() {
        is_over = true;
        wake.set();
    }

    void await_outcome(task_id id, entry& task, time_point now) {
        since = now;
        awaited = std::move(id);
        notify = [](result_waiter& self) { static_cast<waiting&>(self).finish(); };
        task.add_waiter(*this);
        if (task.announced_waits > 0) --task.announced_waits;
    }

    detail::event wake;
    time_point deadline;
    waiting_list* home = nullptr;  // where it is parked, and at which place
    waiting_list::iterator place;
    const fetch_request* request = nullptr;  // of a fetch
    std::shared_ptr<const queue_list> serves;  // of a fetch
    const std::string* consumer = nullptr;   // of a watch
    const std::string* peeks = nullptr;      // of a peek: the queue
    std::optional<task_id> awaited;          // of a wait
    time_point since{};                      // of a wait
    time_point look_at = never;              // whether somebody serves its queue
    std::optional<detail::desertion> deserted;  // nobody does, any more, and the wait ends for that
    bool is_woken = false;
    bool is_suspended = false;               // a fetch
    std::atomic<bool> is_over = false;
};

}  // namespace taskflux::memory
