#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/admin/process_metrics.hpp>
#include <taskflux/admin/statistics.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// What metrics say of a schedule.
struct schedule_metrics {
    std::string id;
    std::optional<time_point> last;  ///< the last tick that fired
    std::optional<time_point> next;  ///< the next one, unless the schedule is paused or has no more
};

/// What metrics say of a queue.
struct queue_metrics {
    std::string queue;
    queue_counts counts;
    queue_statistics statistics;
    queue_limits limits = {};
    std::vector<schedule_metrics> schedules = {};  ///< by id
};

/// The text of metrics in Prometheus' exposition format, version 0.0.4. Every process gives the same of a queue: HELP says so. O(queues
/// and task names). `nodes`: those that are alive; nothing: nothing is said of them.
std::string metrics_text(const std::vector<queue_metrics>& queues,
                         const std::optional<std::vector<node_info>>& nodes = std::nullopt);

/// Reads what the metrics of these queues, of all where there are none given, and of the nodes say; of a queue's schedules the first
/// 100 by id. Behind it stands what `mine` has
/// counted in this process, if it is given, which then stands alone where the broker can't be read. Errors: without `mine`, those of
/// `broker`; else `invalid_argument` for a null pointer. Cancellation: terminal.
asio::awaitable<std::string> read_metrics(broker_ptr broker, std::vector<std::string> queues = {},
                                          std::shared_ptr<const process_metrics> mine = nullptr);

}  // namespace taskflux
