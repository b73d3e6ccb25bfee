#pragma once

#include <taskflux/admin/statistics.hpp>
#include <taskflux/broker/broker.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace taskflux {

/// What metrics say of a queue.
struct queue_metrics {
    std::string queue;
    queue_counts counts;
    queue_statistics statistics;
};

/// The text of metrics in Prometheus' exposition format, version 0.0.4. Every process gives the same of a queue: HELP says so. O(queues
/// and task names).
std::string metrics_text(const std::vector<queue_metrics>& queues);

/// Reads what the metrics of these queues say; of all where there are none given. Errors: those of `broker`. Cancellation: terminal.
asio::awaitable<std::string> read_metrics(broker_ptr broker, std::vector<std::string> queues = {});

}  // namespace taskflux
