#pragma once

#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/log.hpp>

#include <memory>
#include <string>

namespace taskflux::detail {

/// A task that has failed for good while no worker ran it, so that no worker can tell.
struct dead_letter {
    task_id task;
    std::string name;
    std::string why;  ///< a `failure` as JSON
};

/// What is said of it.
inline std::string dead_letter_text(const dead_letter& what, const failure& why) {
    auto text = "task " + what.name + " (" + to_string(what.task) + ") has failed for good: " + why.message;
    if (why.code == "crashed") {
        text += "; each time its worker died, or was blocked for longer than its lease: look at their logs, and retry the task "
                "when that is mended";
    }
    return text;
}

/// Says it to the log, and to an observer, if there is one.
inline void tell_dead_letter(const log_sink& log, const std::shared_ptr<broker_observer>& to, const dead_letter& what) noexcept {
    try {
        const auto why = read_failure(what.why);
        log(log_level::error, dead_letter_text(what, why));
        if (to) to->on_dead_letter(what.task, what.name, why);
    } catch (...) {  // an observer's, or no memory
    }
}

}  // namespace taskflux::detail
