#pragma once

#include <taskflux/calls/service.hpp>
#include <taskflux/calls/service/core.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/one_thread.hpp>

#include <boost/asio/ip/host_name.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

service::service(broker_ptr broker, service_options options)
    : broker_(detail::checked_broker(std::move(broker), "a service")), options_(std::move(options)),
      methods_(std::make_shared<detail::method_map>()) {
    if (options_.id().empty()) options_.id(uuid_generator().text());
    if (options_.host().empty()) options_.host(asio::ip::host_name());
}

service::~service() {
    life_.abandon();
    if (pool_) detail::join_cpu_pool(std::move(pool_), broker_->get_executor());
}

asio::awaitable<void> service::run() {
    if (life_.core()) {
        throw error(errc::wrong_state, "service " + options_.id() +
                                           " can't be run again: a service runs once; make another one");
    }
    if (methods_->empty()) {
        throw error(errc::invalid_argument,
                    "service " + options_.id() + " can't be run: it has no method; call on() before run()");
    }
    const auto core = std::make_shared<detail::service_core>(broker_, options_, methods_, cpu());
    life_.begin(core);
    tell_methods();
    return detail::live(core, pool_);
}

void service::tell_methods() const noexcept {
    if (!options_.observer()) return;
    for (const auto& [of, methods] : *methods_) {
        for (const auto& [method, handler] : methods) {
            try {
                options_.observer()->on_method(of, method);
            } catch (...) {  // an observer's
            }
        }
    }
}

void service::stop() { life_.stop(); }

std::size_t service::running() const {
    const auto core = life_.core();
    return core ? core->running() : 0;
}

void service::add(std::string_view of, std::string_view method, std::unique_ptr<detail::method_handler> handler) {
    const auto name = std::string(of) + '.' + std::string(method);
    if (life_.core()) {
        throw error(errc::wrong_state,
                    "method " + name + " can't be added: the service has been run; call on() before run()");
    }
    auto& methods = (*methods_)[std::string(of)];
    if (!methods.emplace(std::string(method), std::move(handler)).second) {
        throw error(errc::invalid_argument, "method " + name + " can't be added: this service has it already; add it once");
    }
}

asio::any_io_executor service::cpu() {
    const auto is_plain = [](const auto& named) { return named.second->kind() == detail::slot_job::kind::plain; };
    const auto has_plain = [&](const auto& named) { return std::ranges::any_of(named.second, is_plain); };
    const bool is_any_plain = std::ranges::any_of(*methods_, has_plain);
    detail::one_thread::check(broker_->get_executor(), false, is_any_plain, options_.cpu(), "service " + options_.id(),
                              "service_options::cpu and environment::get_executor()");
    if (options_.cpu() || !is_any_plain) return options_.cpu();
    pool_ = detail::make_cpu_pool(options_.cpu_threads());
    return pool_->get_executor();
}

}  // namespace taskflux
