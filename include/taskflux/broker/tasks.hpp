#pragma once

#include <taskflux/broker/journal.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace taskflux {

/// A task to be stored.
struct new_task {
    std::shared_ptr<const task_spec> spec;
    std::string payload;
    std::string own_id;          ///< empty: none
    std::string unique_key;      ///< empty: none
    duration unique_window{};    ///< zero: until the task has ended
    duplicate on_duplicate = duplicate::join;  ///< where another task has the unique key
    duration at_most{};          ///< replacing moves the due time at most so far behind the first submission; zero: any
    duration delay{};            ///< from now, by the broker's clock
    time_point at{};             ///< not before; 0: at once. With a delay, the later one counts
    bool hold = false;
    bool is_awaited = false;     ///< its client will `wait` for its end at once: may spare a call
    std::optional<parent_link> parent;  ///< whose journal its end is written into
    std::string key;             ///< by which it takes turns and is limited; empty: none
};

/// What became of a `new_task`: its key, or the key of the task that was there already (whose place it may have taken).
struct submitted {
    task_key key;
    bool duplicate = false;
};

/// What a call did to one task.
enum class effect {
    done,
    requested,    ///< cancel: the task is running, its worker has been told
    lease_lost,   ///< the attempt is not the current one
    wrong_state,  ///< the task's state does not allow it
    not_found
};

/// Task names that a worker has handlers for.
using name_set = std::set<std::string, std::less<>>;

/// A task handed to a consumer. `token` fences this attempt off from older ones.
struct delivery {
    std::size_t queue = 0;  ///< index into `fetch_request::queues`
    task_key key;
    std::uint32_t token = 0;
    unsigned attempt = 1;  ///< 1 for the first; grows with failures, not with crashes
    std::shared_ptr<const task_spec> spec;
    std::string payload;
    std::string own_id;
    time_point submitted_at{};
    time_point first_started_at{};
    time_point started_at{};
    time_point deadline_at = never;  ///< of the whole task
    std::exception_ptr unreadable = {};  ///< why its payload can't be read, by a broker with codecs; null: it can
    time_point due_at{};     ///< `submitted_at`, or later where it was scheduled
};

/// Whether nothing of the task was tried before.
inline bool is_first_attempt(const delivery& what) {
    return what.attempt == 1 && what.started_at == what.first_started_at;
}

}  // namespace taskflux
