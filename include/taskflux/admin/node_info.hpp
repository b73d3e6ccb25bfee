#pragma once

#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// A process that runs a worker, as the directory lists it.
struct node_info {
    std::string id;                     ///< of this run of the node
    std::string name;                   ///< the same after a restart
    std::string host;
    std::string ip;                     ///< towards other hosts
    std::uint64_t pid = 0;
    std::string version;                ///< of taskflux
    time_point started_at{};
    std::vector<std::string> queues;
    std::vector<std::string> tasks;     ///< those that it has handlers for
    std::uint64_t concurrency = 0;
    std::uint64_t running = 0;          ///< attempts, at its last heartbeat
    double load = 0;                    ///< of its host: processes that run or wait, on average over a minute
    std::uint64_t memory = 0;           ///< resident, in bytes
    bool paused = false;
};
BOOST_DESCRIBE_STRUCT(node_info, (), (id, name, host, ip, pid, version, started_at, queues, tasks, concurrency, running, load,
                                      memory, paused))

/// What a node shall do: fetch no more tasks (`pause`) until `resume`; end when its handlers have finished (`drain`); cancel
/// its handlers and end (`stop`).
enum class node_action { none, pause, resume, drain, stop };
BOOST_DESCRIBE_ENUM(node_action, none, pause, resume, drain, stop)

/// A change that a node is asked for.
struct node_order {
    std::optional<std::uint64_t> concurrency;
    node_action action = node_action::none;
};
BOOST_DESCRIBE_STRUCT(node_order, (), (concurrency, action))

}  // namespace taskflux
