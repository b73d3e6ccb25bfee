#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/run_once.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>
#include <taskflux/http/exposed.hpp>
#include <taskflux/http/gateway_options.hpp>
#include <taskflux/http/router.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {
class server_common;
class server_core;
}  // namespace detail

/// Serves a broker's tasks over HTTP: the native API, `/livez`, `/readyz`, `/metrics`, and the dialects that are mounted.
///
///     taskflux::gateway gate(broker, taskflux::gateway_options().listen("127.0.0.1", 8080));
///     gate.expose(circle_area);
///     co_await gate.run();
///
/// Must not outlive the execution context of its broker, on which it runs; several threads may run that. `stop` and `connections`
/// are for any thread, at any time; the rest is for one thread.
class gateway {
public:
    /// Errors: `invalid_argument` for a broker that is null.
    explicit gateway(broker_ptr broker, gateway_options options = gateway_options());
    gateway(const gateway&) = delete;
    gateway& operator=(const gateway&) = delete;

    /// Abandons what is being answered.
    ~gateway();

    /// Lets clients submit tasks of this contract. Errors: `invalid_argument` for a second one of its name, `wrong_state` once the
    /// gateway listens.
    template <class R, class P>
    gateway& expose(const detail::contract<R, P>& contract) {
        add(http::exposed_task(contract));
        return *this;
    }

    /// Serves a dialect below `prefix`. It comes before the native API. Errors: `wrong_state` once the gateway listens.
    template <std::derived_from<http::dialect> Dialect>
    gateway& mount(Dialect dialect, std::string_view prefix = "/") {
        add(std::make_shared<Dialect>(std::move(dialect)), prefix);
        return *this;
    }

    /// Routes of the program's own below `prefix`. Errors: `wrong_state` once the gateway listens.
    http::routes& routes(std::string_view prefix = "/");

    /// Begins to listen; `run` does so where it was not called. Clients can connect, and wait for `run`. Errors: those of the
    /// system; `invalid_argument` for an address that others can reach without authentication.
    void listen();

    /// The port at which it listens; 0 before.
    std::uint16_t port() const { return port_; }

    /// The port of `redirect_from`; 0 where it does not redirect.
    std::uint16_t redirect_port() const { return redirect_port_; }

    /// Serves until it is cancelled or `stop` is called; then accepts nothing more, lets requests end within `drain_for`, cancels
    /// the others, and returns. Long polls answer early. Errors: as of `listen`; `shut_down` when the broker is closed, unless the
    /// gateway was stopped before; `wrong_state` when it has been called before.
    asio::awaitable<void> run();

    /// Ends `run` as cancelling it does; a `run` that is called later ends at once.
    void stop();

    /// How many connections there are.
    std::size_t connections() const;

    /// All routes, once it listens, for a description of the API.
    const http::router& router() const;

private:
    void add(http::exposed_task task);
    void add(std::shared_ptr<http::dialect> dialect, std::string_view prefix);
    void check_open(const char* what) const;

    broker_ptr broker_;
    gateway_options options_;
    std::shared_ptr<detail::server_common> common_;
    std::shared_ptr<http::gateway_parts> parts_;
    std::vector<std::pair<std::shared_ptr<http::dialect>, http::routes*>> dialects_;
    std::shared_ptr<detail::server_core> core_;  // once it listens
    std::uint16_t port_ = 0;
    std::uint16_t redirect_port_ = 0;
    bool has_run_ = false;
    detail::run_once<detail::server_core> life_;
};

}  // namespace taskflux
