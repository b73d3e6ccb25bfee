#pragma once

#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/access_form.hpp>
#include <taskflux/http/cors.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/limits.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {
class transport;
}

/// Options of a gateway.
class gateway_options {
public:
    gateway_options() {}

    /// The address and port to listen at; default "127.0.0.1" and 8080. Port 0: any free one, see `gateway::port`. An address
    /// that others can reach ("0.0.0.0", "::") needs `authenticate` or `anonymous(true)`.
    gateway_options& listen(std::string address, std::uint16_t port) {
        return address_ = std::move(address), port_ = port, *this;
    }

    /// Finds out who makes a request; default: nobody is asked, and all routes are open.
    gateway_options& authenticate(http::authenticator by) { return authenticator_ = std::move(by), *this; }

    /// Lets anybody who can reach the address do everything, where there is no `authenticate`.
    gateway_options& anonymous(bool on) { return is_anonymous_ = on, *this; }

    /// What clients may send, and how long they may take.
    gateway_options& limits(const http::limits& given) { return limits_ = given, *this; }

    /// How long requests that are being answered may take when the gateway ends, before they are cancelled; default 10 s, zero: at
    /// once. Long polls answer at once.
    gateway_options& drain_for(duration limit) { return drain_for_ = detail::not_negative(limit, "drain_for"), *this; }

    /// Whether the gateway can serve, for `/readyz`: returns empty where it can, else why not. Default: the broker answers.
    gateway_options& ready(std::function<asio::awaitable<std::string>()> check) { return ready_ = std::move(check), *this; }

    /// The text of `/metrics`; default: what `read_metrics` tells of all queues.
    gateway_options& metrics(std::function<asio::awaitable<std::string>()> text) { return metrics_ = std::move(text), *this; }

    /// Receives faults, and a line for each request where `access_log` says so; default: warnings and errors go to standard error.
    gateway_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// The form of the lines for requests, which are of level `info`; default: none.
    gateway_options& access_log(http::access_form form) { return access_ = form, *this; }

    /// Which pages of other origins may call it from a browser; default: none.
    gateway_options& cors(const http::cors& allowed) { return cors_ = allowed, *this; }

    /// How connections carry bytes: `http::tls(…)` of <taskflux/http/tls.hpp>; default: as they are.
    gateway_options& carry_by(std::shared_ptr<detail::transport> by) { return transport_ = std::move(by), *this; }

    /// With TLS: tells browsers to use nothing else for so long (`Strict-Transport-Security`); default zero: nothing is said.
    gateway_options& hsts(duration length) { return hsts_ = detail::not_negative(length, "hsts"), *this; }

    /// With TLS: also listens at this port of the address, without, and sends who comes there to the encrypted one. Default: off.
    /// Port 0: any free one, see `gateway::redirect_port`.
    gateway_options& redirect_from(std::uint16_t port) { return redirect_from_ = port, *this; }

    const std::string& address() const { return address_; }
    std::uint16_t port() const { return port_; }
    const http::authenticator& authentication() const { return authenticator_; }
    bool is_anonymous() const { return is_anonymous_; }
    const http::limits& limits() const { return limits_; }
    duration drain_for() const { return drain_for_; }
    const std::function<asio::awaitable<std::string>()>& ready() const { return ready_; }
    const std::function<asio::awaitable<std::string>()>& metrics() const { return metrics_; }
    const log_sink& log() const { return log_; }
    http::access_form access() const { return access_; }
    const http::cors& cors() const { return cors_; }
    const std::shared_ptr<detail::transport>& carrier() const { return transport_; }
    duration hsts() const { return hsts_; }
    const std::optional<std::uint16_t>& redirect_from() const { return redirect_from_; }

private:
    std::string address_ = "127.0.0.1";
    std::uint16_t port_ = 8080;
    http::authenticator authenticator_;
    bool is_anonymous_ = false;
    http::limits limits_;
    duration drain_for_ = std::chrono::seconds(10);
    std::function<asio::awaitable<std::string>()> ready_;
    std::function<asio::awaitable<std::string>()> metrics_;
    log_sink log_;
    http::access_form access_ = http::access_form::none;
    http::cors cors_;
    std::shared_ptr<detail::transport> transport_;
    duration hsts_{};
    std::optional<std::uint16_t> redirect_from_;
};

}  // namespace taskflux
