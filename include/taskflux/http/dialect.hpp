#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/exposed.hpp>
#include <taskflux/http/router.hpp>
#include <taskflux/log.hpp>

#include <string_view>

namespace taskflux::http {

/// What a gateway has for those that add routes to it. It lives as long as the gateway runs, and so may handlers refer to it.
class gateway_parts {
public:
    gateway_parts(broker_ptr of, log_sink to) : broker_(std::move(of)), log_(std::move(to)) {}

    const broker_ptr& broker() const { return broker_; }

    /// The tasks that clients may submit.
    const exposed_tasks& tasks() const { return tasks_; }
    exposed_tasks& tasks() { return tasks_; }

    /// In the broker's time.
    const log_sink& log() const { return log_; }

private:
    broker_ptr broker_;
    exposed_tasks tasks_;
    log_sink log_;
};

/// The calls of another system, for its clients: mounted into a gateway (`gateway::mount`).
class dialect {
public:
    virtual ~dialect() = default;

    /// What errors and the API's description call it.
    virtual std::string_view name() const = 0;

    /// Adds its routes, once, before the gateway runs; `to` has the prefix below which it is mounted. It sets the form of its
    /// problems and its own authentication there, if it has them. `with` lives as long as the routes.
    virtual void add_to(routes& to, const gateway_parts& with) = 0;

protected:
    dialect() = default;
    dialect(const dialect&) = default;
    dialect& operator=(const dialect&) = default;
};

}  // namespace taskflux::http
