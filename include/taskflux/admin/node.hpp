#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Options of a node.
class node_options {
public:
    node_options() {}

    /// The node's name, the same after a restart; default: the name of its host.
    node_options& name(std::string_view value) { return name_ = detail::checked_name(value), *this; }

    /// The host's name in the directory; empty, the default: this machine's name. Up to 255 bytes of UTF-8 without control
    /// characters. Errors: `invalid_argument`.
    node_options& host(std::string value) {
        detail::check_name(detail::limits::host, value, true);
        return host_ = std::move(value), *this;
    }

    /// How long the node counts as alive without a heartbeat; default 5 s, at least 100 ms. It sends one after each third of
    /// the lease.
    node_options& lease(duration length) {
        return lease_ = detail::checked_lease(length, "node_options"), *this;
    }

    /// How long a node tries to reach the broker when it starts, before `run` throws; default: as long as its worker.
    node_options& start_timeout(duration limit) { return start_timeout_ = detail::not_negative(limit, "start_timeout"), *this; }

    /// Receives a line for each problem with the broker; default: they go to standard error.
    node_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    const std::string& name() const { return name_; }
    const std::string& host() const { return host_; }
    duration lease() const { return lease_; }
    const std::optional<duration>& start_timeout() const { return start_timeout_; }
    const log_sink& log() const { return log_; }

private:
    std::string name_;
    std::string host_;
    duration lease_ = std::chrono::seconds(5);
    std::optional<duration> start_timeout_;
    log_sink log_;
};

namespace detail {
class node_core;
}

/// Lists a worker in the directory, by which other processes can steer it; see `directory`.
class node {
public:
    /// `shown` may be destroyed while the node runs, which ends the worker and with it the node.
    node(broker_ptr broker, worker& shown, node_options options = node_options());
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    /// Stops the worker if it still runs, and leaves the directory, on the broker's context.
    ~node();

    /// Runs the worker, with the settings that the directory keeps for the node's name, until `worker::run` returns; then
    /// leaves the directory at once. Errors and cancellation: as of `worker::run`.
    asio::awaitable<void> run();

    /// Ends `run` as cancelling it does; a `run` that is called later ends at once. For any thread, at any time.
    void stop();

    /// The node as the directory lists it. For any thread once `run` has been called.
    node_info info() const;

private:
    std::shared_ptr<detail::node_core> core_;
};

}  // namespace taskflux
