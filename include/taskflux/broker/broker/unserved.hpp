#pragma once

#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/log.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

/// How long a caller waits for a result before it is said that nobody serves the queue.
inline constexpr duration unserved_after = std::chrono::seconds(10);

/// A queue that nobody serves, and how long a caller has waited for a result there.
using unserved_queue = std::pair<std::string, duration>;

/// That nobody serves a queue any more.
struct desertion {
    time_point since{};
    bool has_left = false;  ///< all workers have; else one of them has lost its lease, and joins again when it is heard

    /// How long callers that wait for results are left to hope for another worker.
    duration patience() const { return has_left ? std::chrono::seconds(3) : std::chrono::seconds(30); }
};

/// A caller waits for a task whose queue no worker serves any more.
inline error no_worker_left(const task_id& id, const desertion& how) {
    return {errc::no_worker, "task " + to_string(id) + " can't end: " + (how.has_left ? "the last" : "a") + " worker of queue " +
                                 id.queue + (how.has_left ? " has stopped" : " has lost its lease, and was not heard since") +
                                 ", and no other was started within " +
                                 std::to_string(std::chrono::floor<std::chrono::seconds>(how.patience()).count()) +
                                 " s; the tasks of memory:// are run by this process alone: start a worker, then wait"};
}

/// What is said when nobody serves a queue.
inline std::string unserved_text(const std::string& queue, duration waited) {
    return "no worker serves queue " + queue + ", and a caller has waited " +
           std::to_string(std::chrono::floor<std::chrono::seconds>(waited).count()) +
           " s for the result of a task in it: start a worker with a handler in that queue, or submit to a queue that has one";
}

/// Tells an observer, if there is one.
inline void tell_unserved(const std::shared_ptr<broker_observer>& to, const std::string& queue, duration waited) noexcept {
    if (!to) return;
    try {
        to->on_unserved(queue, waited);
    } catch (...) {  // an observer's
    }
}

}  // namespace taskflux::detail
