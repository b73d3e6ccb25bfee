#pragma once

#include <taskflux/calls/call_observer.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Options of a service.
class service_options {
public:
    service_options() {}

    /// The instance's id, unique among all instances; default: a new UUID.
    service_options& id(std::string_view name) { return id_ = detail::checked_name(name), *this; }

    /// The host's name in the directory; empty, the default: this machine's name. Up to 255 bytes of UTF-8 without control
    /// characters. Errors: `invalid_argument`.
    service_options& host(std::string name) {
        detail::check_name(detail::limits::host, name, true);
        return host_ = std::move(name), *this;
    }

    /// The limit of calls in flight, running or waiting for the CPU pool; a further call gets `errc::busy`. Default 1000, at
    /// least 1.
    service_options& max_running(std::size_t count) {
        if (count == 0) throw error(errc::invalid_argument, "service_options: max_running must be at least 1");
        return max_running_ = count, *this;
    }

    /// How long the instance counts as alive without a heartbeat; default 5 s, at least 100 ms. It sends one after each third
    /// of the lease.
    service_options& lease(duration length) {
        return lease_ = detail::checked_lease(length, "service_options"), *this;
    }

    /// How long calls in flight may take to finish when the service ends, before they are cancelled; default 10 s, zero: at
    /// once.
    service_options& drain_for(duration limit) {
        return drain_for_ = detail::not_negative(limit, "drain_for"), *this;
    }

    /// The executor of plain functions; default: a pool of the service's own, if it has plain functions.
    service_options& cpu(asio::any_io_executor executor) { return cpu_ = std::move(executor), *this; }

    /// Threads of the service's own pool, up to 1000; 0 (the default): as many as the machine has cores.
    service_options& cpu_threads(std::size_t count) {
        return cpu_threads_ = detail::checked_threads(count, "service_options"), *this;
    }

    /// How long a service tries to reach the broker when it starts, before `run` throws; default: for ever, with back-off and a
    /// line in the log for each attempt.
    service_options& start_timeout(duration limit) { return start_timeout_ = detail::not_negative(limit, "start_timeout"), *this; }

    /// Receives a line for each problem with the broker; default: they go to standard error.
    service_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// Is told of each call that it runs; default: none.
    service_options& observer(std::shared_ptr<call_observer> to) { return observer_ = std::move(to), *this; }

    const std::string& id() const { return id_; }
    const std::string& host() const { return host_; }
    std::size_t max_running() const { return max_running_; }
    duration lease() const { return lease_; }
    duration drain_for() const { return drain_for_; }
    const asio::any_io_executor& cpu() const { return cpu_; }
    std::size_t cpu_threads() const { return cpu_threads_; }
    const std::optional<duration>& start_timeout() const { return start_timeout_; }
    const log_sink& log() const { return log_; }
    const std::shared_ptr<call_observer>& observer() const { return observer_; }

private:
    std::string id_;
    std::string host_;
    std::size_t max_running_ = 1000;
    duration lease_ = std::chrono::seconds(5);
    duration drain_for_ = std::chrono::seconds(10);
    asio::any_io_executor cpu_;
    std::size_t cpu_threads_ = 0;
    std::optional<duration> start_timeout_;
    log_sink log_;
    std::shared_ptr<call_observer> observer_;
};

}  // namespace taskflux
