#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/admin/statistics.hpp>
#include <taskflux/core/time.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// What `/status_info` tells. Pure.
namespace taskflux::detail {

/// An attempt that is under way.
struct active_task {
    std::string id;      ///< the result id, or the printed one of a task that was submitted otherwise
    std::string name;
    std::string worker;  ///< its name
};

/// The tasks of one name.
struct task_figures {
    task_statistics all;  ///< since the first
    throughput lately;
    std::uint64_t running = 0;
};

/// `{"status_to_amount", "throughput_rates_per_second", "completed_counts"}`.
boost::json::object told_figures(const task_figures& of);

/// Both together, for all tasks.
task_figures sum_of(const std::map<std::string, task_figures>& all);

/// `{"online_worker_count", "online_workers_list", "worker_details"}`. What is not known of a worker is empty: which tasks it has
/// fetched ahead, which wait for a time, and how many of each name it has run.
boost::json::object told_workers(const std::vector<node_info>& nodes, const std::vector<active_task>& active, time_point now);

}  // namespace taskflux::detail
