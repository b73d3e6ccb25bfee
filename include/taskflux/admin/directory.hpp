#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/detail/required.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// The nodes and services that are alive at one time.
struct directory_view {
    std::vector<node_info> nodes;            ///< by id
    std::vector<service_instance> services;  ///< by service and id
};

/// Selects the nodes that match all members; an empty member matches every node.
struct node_filter {
    std::string id;
    std::string name;
    std::string host;   ///< name or ip
    std::string queue;  ///< one that it fetches from
};

/// Lists the nodes and services that are alive, and steers workers while they run. A value; copies and calls from several
/// threads are safe. A node or service that was killed disappears when its lease has run out, one that has ended at once.
/// Errors of all calls: those of `broker`.
class directory {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit directory(broker_ptr broker) : broker_(detail::checked_broker(broker, "a directory")), rpc_(std::move(broker)) {}

    awaitable<std::vector<node_info>> nodes() const;

    /// The instances of all services, or of one.
    awaitable<std::vector<service_instance>> services() const;
    awaitable<std::vector<service_instance>> services(std::string service) const;

    awaitable<directory_view> view() const;

    /// Waits until a node or service has appeared or disappeared since `known`, or for `wait`; returns the view of that time.
    /// Looks once a second.
    awaitable<directory_view> next_change(directory_view known, duration wait) const;

    /// Changes how many attempts each of these nodes runs at a time, from now on. Returns the nodes' new state. `keep`: nodes
    /// with these names start with it, too, after a restart. Errors: `not_found` where no node matches; those of `rpc` for a
    /// node that could not be reached, after all others have been changed.
    awaitable<std::vector<node_info>> set_concurrency(node_filter which, std::uint64_t slots, bool keep = false) const;

    /// Makes these nodes fetch no more tasks until `resume`. `keep`, result and errors: as of `set_concurrency`.
    awaitable<std::vector<node_info>> pause(node_filter which, bool keep = false) const;
    awaitable<std::vector<node_info>> resume(node_filter which, bool keep = false) const;

    /// Ends these nodes: `drain` lets handlers finish within `worker_options::drain_for`, `stop` cancels them. Result and
    /// errors: as of `set_concurrency`.
    awaitable<std::vector<node_info>> drain(node_filter which) const;
    awaitable<std::vector<node_info>> stop(node_filter which) const;

private:
    const broker_ptr& broker() const { return detail::required(broker_, "directory"); }

    broker_ptr broker_;
    rpc rpc_;
};

}  // namespace taskflux
