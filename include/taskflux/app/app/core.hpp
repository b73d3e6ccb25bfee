#pragma once

#include <taskflux/admin/node.hpp>
#include <taskflux/app/config/schedules.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taskflux::detail {

/// An app while it runs: its parts side by side, on one strand. The first part that fails stops the others.
class app_core final : public std::enable_shared_from_this<app_core> {
public:
    using starter = std::function<asio::awaitable<void>(client)>;

    explicit app_core(broker_ptr broker);

    const asio::any_io_executor& strand() const { return strand_; }
    const broker_ptr& broker() const { return broker_; }

    // Its parts, set before `live`.
    std::unique_ptr<taskflux::worker> worker;        // null: no task is run here
    std::unique_ptr<node> shown;                     // null where there is no worker
    std::unique_ptr<taskflux::service> service;      // null: nothing is served
    std::unique_ptr<taskflux::scheduler> scheduler;  // null: there is no schedule
    std::vector<app_schedule> schedules;
    submit_options defaults;
    std::shared_ptr<tracer> tracing;  // of the starters' clients; null: none
    std::vector<starter> starters;
    std::function<void()> on_ready = [] {};
    log_sink log;
    std::optional<duration> start_timeout;

    /// Runs until it is stopped, or a part has failed, which throws.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool>);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// The app is destroyed: says so, and stops, where it runs. Thread-safe.
    void abandon();

private:
    /// Tries again while the broker can't be reached.
    asio::awaitable<void> begin();
    asio::awaitable<void> store_schedules();
    asio::awaitable<void> remove_schedule(std::string id);

    /// A coroutine of its own, so that a part which throws as it starts is a part that fails.
    asio::awaitable<void> start_parts();

    const broker_ptr broker_;
    const asio::any_io_executor strand_;
    lifetime life_;
    nursery parts_;
};

}  // namespace taskflux::detail
