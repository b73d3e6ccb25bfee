#pragma once

#include <taskflux/admin/node.hpp>
#include <taskflux/admin/node/boards.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <string>

namespace taskflux::detail {

/// A node while it runs: its worker, the service that steers it, and its heartbeat in the directory, on one strand.
class node_core final : public std::enable_shared_from_this<node_core> {
public:
    node_core(broker_ptr broker, std::shared_ptr<worker_control> shown, node_options options);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Runs until the worker has ended and the node has left the directory. Throws what the worker threw.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool>);

    /// Stops the worker, and with it the node. Thread-safe; may come before `live`, and more than once.
    void stop();

    /// For a node that is destroyed: stops it, if it runs.
    void abandon();

    node_info info() const;

private:
    std::string host() const;

    /// Applies the settings that the directory keeps for this node's name.
    asio::awaitable<void> begin();
    asio::awaitable<void> take_settings();

    asio::awaitable<void> be_steered();
    static asio::awaitable<node_info> obey(node_core& self, node_order order);

    /// Sends heartbeats to the directory, also when something has changed.
    asio::awaitable<void> show();
    asio::awaitable<void> announce();

    /// Logs an error, if there is one.
    void log_trouble(const std::string& what, const std::exception_ptr& error) const;

    const broker_ptr broker_;
    const std::shared_ptr<worker_control> worker_;
    const node_options options_;
    const log_sink log_;
    const std::string id_;
    const std::string ip_;
    const asio::any_io_executor strand_;
    service service_;
    const time_point started_at_;
    const std::shared_ptr<event> changed_;
    std::atomic<bool> has_begun_ = false;
    lifetime life_;

    // On the strand.
    nursery parts_;
    nursery::child beginning_, working_, showing_;
    bool is_over_ = false;  // the worker has ended
};

}  // namespace taskflux::detail
