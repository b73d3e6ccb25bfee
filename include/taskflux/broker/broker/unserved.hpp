#pragma once

#include <taskflux/broker/broker_observer.hpp>
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
