#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/http/server/connection.hpp>
#include <taskflux/http/server/core.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

server_core::server_core(broker_ptr broker, std::shared_ptr<server_common> common, duration drain_for)
    : broker_(std::move(broker)), common_(std::move(common)), drain_for_(drain_for), strand_(asio::make_strand(broker_->get_executor())),
      changed_(std::make_shared<event>()), all_(common_->limits),
      life_(strand_, "requests that are being answered are cancelled",
            [this](const std::string& text) {
                if (!broker_->is_closed()) common_->log(log_level::error, "gateway: " + text);
            }),
      parts_(strand_) {}

std::uint16_t server_core::listen(const asio::ip::tcp::endpoint& at, std::shared_ptr<transport> by, std::uint16_t redirect_to) {
    by->log_to(common_->log);
    try {
        asio::ip::tcp::acceptor acceptor(strand_);
        acceptor.open(at.protocol());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        acceptor.bind(at);
        acceptor.listen();
        const auto port = acceptor.local_endpoint().port();
        listener made{std::move(acceptor), std::move(by), redirect_to};
        listeners_.push_back(std::make_unique<listener>(std::move(made)));
        return port;
    } catch (const boost::system::system_error& e) {
        throw boost::system::system_error(e.code(), "gateway: it can't listen at " + at.address().to_string() + " port " +
                                                        std::to_string(at.port()) + "; is it in use, or not an address of this machine?");
    }
}

asio::awaitable<void> server_core::live(std::shared_ptr<asio::thread_pool>) {
    const auto self = shared_from_this();
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late() || life_.is_stopped()) co_return listeners_.clear();
    const auto closing = broker_->on_close([weak = weak_from_this()] {
        const auto alive = weak.lock();
        if (alive) asio::post(alive->strand_, [alive] { alive->stop_accepting(); });
    });
    parts_.start(ticking_, tick());
    serving_.resize(listeners_.size());
    for (std::size_t i = 0; i < listeners_.size(); ++i) parts_.start(serving_[i], accept(*listeners_[i]));
    for (std::size_t i = 0; i < serving_.size(); ++i) co_await parts_.end_of(serving_[i]);
    listeners_.clear();
    co_await drain();
    ticking_.stop();
    parts_.stop_all();
    co_await parts_.end_of_all();
    if (life_.is_stopped()) co_return;
    parts_.check();
    throw broker_is_closed();
}

void server_core::stop() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] { self->stop_accepting(); });
}

void server_core::stop_accepting() {
    for (auto& one : serving_) one.stop();
    changed_->set();
}

void server_core::abandon() {
    is_hurried_ = true;
    life_.abandon();
    for (const auto& one : all_.all()) one->abort();
    changed_->set();
    stop();
}

asio::awaitable<void> server_core::accept(listener& on) {
    const auto self = shared_from_this();
    for (;;) {
        asio::ip::tcp::endpoint from;
        boost::system::error_code ec;
        auto strand = asio::make_strand(broker_->get_executor());
        auto accepted = co_await on.acceptor.async_accept(strand, from, asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) take(std::move(accepted), from.address().to_string(), on);
        else if (ec == asio::error::operation_aborted || life_.is_stopped()) co_return;
        else co_await recover(ec);
    }
}

void server_core::take(asio::ip::tcp::socket accepted, const std::string& address, const listener& on) {
    const auto admitted = all_.admit(address);
    if (admitted == connection_set::admission::dropped) return;
    try {
        begin(std::move(accepted), address, on, admitted == connection_set::admission::refused);
    } catch (const std::exception& e) {  // for want of memory, perhaps: others are served
        all_.remove(nullptr, address);
        common_->log(log_level::error, "gateway: a connection of " + address + " can't be served: " + e.what());
    }
}

void server_core::begin(asio::ip::tcp::socket accepted, const std::string& address, const listener& on, bool is_refused) {
    boost::system::error_code ignored;
    accepted.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto strand = asio::any_io_executor(accepted.get_executor());
    connection_role role(on.by->is_secure(), on.redirect_to);
    role.is_refused = is_refused;
    const auto one = std::make_shared<http_connection>(common_, strand, on.by->make(std::move(accepted)), address, role);
    all_.add(one);
    one->start([self = shared_from_this(), one](const std::exception_ptr& error) {
        self->all_.remove(one, one->address());
        self->changed_->set();
        if (error && !is_abort(error)) {
            try {
                std::rethrow_exception(error);
            } catch (const std::exception& e) {
                self->common_->log(log_level::error, "gateway: a connection of " + one->address() + " has ended by a fault: " + e.what());
            } catch (...) {  // of a handler's body writer
                self->common_->log(log_level::error, "gateway: a connection of " + one->address() + " has ended by a fault");
            }
        }
    });
}

asio::awaitable<void> server_core::recover(const boost::system::error_code& why) {
    constexpr auto pause = std::chrono::milliseconds(100);
    constexpr auto between_lines = std::chrono::seconds(10);
    if (why == asio::error::connection_aborted) co_return;  // the client was quicker
    for (const auto& one : all_.all()) one->close_if_idle();  // their descriptors are needed
    const auto now = common_->clock.now();
    if (said_ == time_point() || now - said_ >= between_lines) {
        said_ = now;
        common_->log(log_level::error, "gateway: no connection can be accepted now: " + why.message() +
                                           "; it goes on once there is room. Where the limit of open files is low, raise it (ulimit -n)");
    }
    co_await sleep_for(common_->clock, pause);
}

asio::awaitable<void> server_core::tick() {
    const auto self = shared_from_this();
    constexpr auto period = std::chrono::milliseconds(250);
    for (;;) {
        co_await sleep_for(common_->clock, period);
        const auto now = common_->clock.now();
        for (const auto& one : all_.all()) one->tick(now);
    }
}

asio::awaitable<void> server_core::drain() {
    const auto self = shared_from_this();
    common_->ending->begin();
    for (const auto& one : all_.all()) one->drain();
    auto& clock = common_->clock;
    const auto patience = is_hurried_ || broker_->is_closed() ? duration::zero() : drain_for_;
    const auto until = later(clock.now(), patience);
    while (all_.size() > 0 && clock.now() < until && !is_hurried_) {
        const alarm at(clock, strand_, changed_, until);
        co_await changed_->wait();
    }
    for (const auto& one : all_.all()) one->abort();
    constexpr auto last = std::chrono::seconds(1);  // for handlers that heed their cancellation
    const auto end = later(clock.now(), last);
    while (all_.size() > 0 && clock.now() < end) {
        const alarm at(clock, strand_, changed_, end);
        co_await changed_->wait();
    }
}

}  // namespace taskflux::detail
