#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/core/method.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// Who is there, at one time.
struct directory_view {
    std::vector<node_info> nodes;            ///< by id
    std::vector<service_instance> services;  ///< by service and id
};

/// Which nodes are meant: all that fit. What is empty does not restrict.
struct node_filter {
    std::string id;
    std::string name;
    std::string host;   ///< name or ip
    std::string queue;  ///< that it fetches from
};

/// Shows who is there, and steers workers while they run. A value; copies and calls from several threads are safe. A node
/// or service that has been killed is gone when its lease has run out, one that has ended at once. Errors of all calls:
/// those of `broker`.
class directory {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit directory(broker_ptr broker) : broker_(broker), rpc_(std::move(broker)) {}

    awaitable<std::vector<node_info>> nodes() const;

    /// The instances of all services, or of one.
    awaitable<std::vector<service_instance>> services() const;
    awaitable<std::vector<service_instance>> services(std::string service) const;

    awaitable<directory_view> view() const;

    /// Returns when somebody has come or gone since `known`, or after `wait`; what is there then. Looks once a second.
    awaitable<directory_view> next_change(directory_view known, duration wait) const;

    /// How many attempts each of these nodes runs at a time, from now on. Gives what they say when they have done so; `keep`:
    /// nodes of their names begin with it, too, when they are started again. Errors: `not_found` where no node fits, and what
    /// a node that could not be reached has ended with: those of `rpc`.
    awaitable<std::vector<node_info>> set_concurrency(node_filter which, std::uint64_t slots, bool keep = false) const;

    /// Has these nodes take no more tasks until `resume`. Else as `set_concurrency`.
    awaitable<std::vector<node_info>> pause(node_filter which, bool keep = false) const;
    awaitable<std::vector<node_info>> resume(node_filter which, bool keep = false) const;

    /// Ends these nodes: `drain` lets what runs end as `worker_options::drain_for` says, `stop` cancels it. Else as
    /// `set_concurrency`.
    awaitable<std::vector<node_info>> drain(node_filter which) const;
    awaitable<std::vector<node_info>> stop(node_filter which) const;

private:
    broker_ptr broker_;
    rpc rpc_;
};

}  // namespace taskflux
