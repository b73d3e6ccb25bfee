#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Options of a node.
class node_options {
public:
    node_options() {}

    /// What it is called whenever it is started; default: the name of its host.
    node_options& name(std::string_view value) { return name_ = detail::checked_name(value), *this; }

    /// The host as the directory shows it; default: this machine's name.
    node_options& host(std::string value) { return host_ = std::move(value), *this; }

    /// After it the node is taken for gone, unless it has told that it is there, which it does three times as often.
    /// Default 5 s, at least 100 ms.
    node_options& lease(duration length) {
        return lease_ = detail::checked_lease(length, "node_options"), *this;
    }

    /// Hears of trouble with the broker. On any thread; must not throw.
    node_options& log(std::function<void(std::string_view)> sink) { return log_ = std::move(sink), *this; }

    const std::string& name() const { return name_; }
    const std::string& host() const { return host_; }
    duration lease() const { return lease_; }
    const std::function<void(std::string_view)>& log() const { return log_; }

private:
    std::string name_;
    std::string host_;
    duration lease_ = std::chrono::seconds(5);
    std::function<void(std::string_view)> log_;
};

namespace detail {
class node_core;
}

/// Shows a worker in the directory, and lets others steer it; see `directory`.
class node {
public:
    /// `shown` must outlive `run`.
    node(broker_ptr broker, worker& shown, node_options options = node_options());
    node(const node&) = delete;
    node& operator=(const node&) = delete;
    ~node();

    /// Runs the worker, as others have asked for it to be kept, until `worker::run` returns; then is gone from the directory
    /// at once. Errors, and cancellation: as of that.
    asio::awaitable<void> run();

    /// What the directory shows.
    node_info info() const;

private:
    std::shared_ptr<detail::node_core> core_;
};

}  // namespace taskflux
