#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/search.hpp>
#include <taskflux/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

struct most_searched {
    static constexpr std::size_t tasks = 1000;    ///< that one step gives
    static constexpr std::size_t bytes = 1024 * 1024;  ///< of their payloads and results, or one larger one
    static constexpr std::size_t entries = 5000;  ///< that one step of the embedded broker looks at
};

/// Errors: `invalid_argument`.
inline void check_search(search_query& query) {
    check_queue_name(query.queue);
    query.limit = std::clamp(query.limit, std::size_t(1), most_searched::tasks);
}

/// Whoever goes on where a step has ended comes to an end. Errors: `protocol` where it would make the same step for ever.
inline void check_progress(const search_query& asked, const search_step& got) {
    if (got.next == 0 || asked.from == 0 || got.next < asked.from) return;
    throw error(errc::protocol, "a search in queue " + asked.queue + " gets no further than task " + std::to_string(asked.from) +
                                    ": its broker says to go on at " + std::to_string(got.next));
}

/// Whether a name is that of a filter, which may give its beginning alone.
inline bool is_name_of(std::string_view wanted, std::string_view name) {
    if (wanted.empty() || wanted == name) return true;
    if (!wanted.ends_with('*')) return false;
    wanted.remove_suffix(1);
    return name.starts_with(wanted);
}

/// Whether that is a filter's node, or a consumer of it.
inline bool is_node_of(std::string_view wanted, std::string_view consumer) {
    return wanted.empty() || wanted == consumer || wanted == consumer.substr(0, (std::min)(consumer.rfind(':'), consumer.size()));
}

inline bool is_state_of(const search_filter& filter, task_state state) {
    return filter.states.empty() || std::ranges::find(filter.states, state) != filter.states.end();
}

/// Whether a task is one that a filter is for, but for its error's group; of one that does not run, its node is not known.
inline bool is_sought(const search_filter& filter, const task_record& task) {
    return is_state_of(filter, task.state) && is_name_of(filter.task, task.name) && (filter.key.empty() || filter.key == task.key) &&
           is_node_of(filter.node, task.consumer) && task.submitted_at >= filter.since && task.submitted_at < filter.until &&
           has_texts(filter, task);
}

}  // namespace taskflux::detail
