#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/one_thread.hpp>
#include <taskflux/http/gateway.hpp>
#include <taskflux/http/native/health.hpp>
#include <taskflux/http/native/tasks.hpp>
#include <taskflux/http/server/common.hpp>
#include <taskflux/http/server/core.hpp>
#include <taskflux/http/server/transport.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace taskflux {

gateway::gateway(broker_ptr broker, gateway_options options)
    : broker_(detail::checked_broker(std::move(broker), "a gateway")), options_(std::move(options)),
      common_(std::make_shared<detail::server_common>(broker_->clock(), options_.limits(), options_.log().in_time_of(broker_->clock()))),
      parts_(std::make_shared<http::gateway_parts>(broker_, common_->log)) {
    common_->access = options_.access();
    common_->kept = parts_;
    common_->router.authenticate(options_.authentication());
    const auto hsts = std::chrono::floor<std::chrono::seconds>(options_.hsts()).count();
    common_->decorate = [cors = options_.cors(), hsts](const http::call& in, http::response& made) {
        cors.apply(in.request(), made);
        if (hsts > 0 && in.is_secure()) made.header("Strict-Transport-Security", "max-age=" + std::to_string(hsts));
    };
}

gateway::~gateway() { life_.abandon(); }

void gateway::check_open(const char* what) const {
    if (core_) throw error(errc::wrong_state, std::string("gateway: ") + what + " can't be added: it listens already; do so before run()");
}

void gateway::add(http::exposed_task task) {
    check_open("a task");
    const std::string name(task.name());
    if (!parts_->tasks().emplace(name, std::move(task)).second) {
        throw error(errc::invalid_argument, "gateway: task " + name + " is exposed already; expose it once");
    }
}

void gateway::add(std::shared_ptr<http::dialect> dialect, std::string_view prefix) {
    check_open("a dialect");
    auto& to = common_->router.mount(prefix);
    dialects_.emplace_back(std::move(dialect), &to);
}

http::routes& gateway::routes(std::string_view prefix) {
    check_open("routes");
    return common_->router.mount(prefix);
}

void gateway::listen() {
    if (core_) return;
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(options_.address(), ec);
    if (ec) {
        throw error(errc::invalid_argument, "gateway: not an address to listen at: " + detail::in_quotes(options_.address()) +
                                                "; give one of this machine in numbers, such as \"127.0.0.1\" or \"::\"");
    }
    if (!address.is_loopback() && !options_.authentication() && !options_.is_anonymous()) {
        throw error(errc::invalid_argument, "gateway: it does not listen at " + options_.address() +
                                                ", which others can reach, without authentication: set gateway_options::authenticate, or "
                                                "say anonymous(true) to let anybody do everything");
    }
    const auto& carrier = options_.carrier();
    if (options_.redirect_from() && !(carrier && carrier->is_secure())) {
        throw error(errc::invalid_argument, "gateway: redirect_from is for a gateway with TLS, to which it leads: set carry_by(http::tls(…)), or leave it out");
    }
    for (const auto& [one, to] : dialects_) {
        one->add_to(*to, *parts_);
        common_->kept_also.push_back(one);
    }
    auto& native = common_->router.mount("/");
    detail::add_health(native, *parts_, options_);
    detail::add_tasks(native, *parts_);
    auto core = std::make_shared<detail::server_core>(broker_, common_, options_.drain_for());
    port_ = core->listen({address, options_.port()}, carrier ? carrier : detail::plain_transport(), 0);
    if (options_.redirect_from()) redirect_port_ = core->listen({address, *options_.redirect_from()}, detail::plain_transport(), port_);
    core_ = std::move(core);
}

asio::awaitable<void> gateway::run() {
    if (std::exchange(has_run_, true)) throw error(errc::wrong_state, "gateway: it can't be run again: a gateway runs once; make another one");
    listen();
    life_.begin(core_);
    return detail::live(core_, nullptr);
}

void gateway::stop() { life_.stop(); }

std::size_t gateway::connections() const {
    const auto core = life_.core();
    return core ? core->connections() : 0;
}

const http::router& gateway::router() const { return common_->router; }

}  // namespace taskflux
