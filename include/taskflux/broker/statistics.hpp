#pragma once

#include <taskflux/core/statistics.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// What a queue's statistics count of an attempt.
struct attempt_mark {
    std::shared_ptr<const task_spec> spec = {};  ///< null: it is not counted
    std::optional<duration> waited = {};         ///< from when its task was due; of a first attempt
    std::optional<duration> ran = {};
    bool has_timed_out = false;
};

/// The counts of the tasks of a name.
struct named_counts {
    std::string name;  ///< empty: of all names beyond the first 100
    detail::counted_values values;
};

/// A queue's statistics, as far as they are stored.
struct stored_statistics {
    time_point at{};             ///< when they were read
    duration oldest_waiting{};   ///< for how long the task that has waited longest has been due; zero: none waits
    detail::counted_values all;  ///< of tasks of all names
    std::vector<named_counts> names;
};

/// The counts of a period of a queue's history.
struct stored_period {
    time_point begin{};
    detail::counted_values values;
};

}  // namespace taskflux
