#pragma once

#include <taskflux/admin/node.hpp>
#include <taskflux/admin/node/boards.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/platform/process.hpp>
#include <taskflux/host.hpp>
#include <taskflux/version.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

/// As many slots as a worker of this machine can count.
inline std::size_t slots_of(std::uint64_t wanted) {
    return static_cast<std::size_t>((std::min)(wanted, std::uint64_t((std::numeric_limits<std::size_t>::max)())));
}

/// A node while it runs.
class node_core : public std::enable_shared_from_this<node_core> {
public:
    node_core(broker_ptr broker, worker& shown, node_options options)
        : broker_(std::move(broker)), worker_(shown), options_(std::move(options)), id_(uuid_generator().text()),
          service_(broker_, service_options().id(id_).host(host()).lease(options_.lease()).log(options_.log())),
          started_at_(broker_->clock().now()) {
        service_.on(steer_node, [this](node_order order) { return obey(*this, order); });
    }

    node_info info() const {
        node_info made;
        made.id = id_;
        made.name = options_.name().empty() ? host() : options_.name();
        made.host = host();
        made.ip = ip_;
        made.pid = process_id();
        made.version = version;
        made.started_at = started_at_;
        made.queues = worker_.queues();
        made.tasks = worker_.tasks();
        made.concurrency = worker_.concurrency();
        made.running = worker_.counts().running;
        made.load = host_load();
        made.memory = resident_memory();
        made.paused = worker_.is_paused();
        return made;
    }

    static asio::awaitable<void> run(std::shared_ptr<node_core> self) {
        std::exception_ptr unread;
        try {
            co_await self->take_settings();
        } catch (...) {
            unread = std::current_exception();
        }
        self->tell("reading what is kept for it", unread);
        const auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, self->service_.run(), [self](const std::exception_ptr& error) { self->tell("steering it", error); });
        asio::co_spawn(executor, show(self), asio::bind_cancellation_slot(self->stop_showing_.slot(), [self](std::exception_ptr) {
                           self->is_shown_ = false;
                           self->shown_.set();
                       }));
        std::exception_ptr failure;
        try {
            co_await self->worker_.run();
        } catch (...) {
            failure = std::current_exception();
        }
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        self->service_.stop();
        self->is_over_ = true;
        self->changed_->set();
        while (self->is_shown_) co_await self->shown_.wait();
        std::exception_ptr trouble;
        try {
            co_await self->broker_->withdraw(nodes_board, self->id_);
        } catch (...) {
            trouble = std::current_exception();
        }
        self->tell("leaving the directory", trouble);
        if (failure) std::rethrow_exception(failure);
    }

private:
    std::string host() const { return options_.host().empty() ? asio::ip::host_name() : options_.host(); }

    asio::awaitable<void> take_settings() {
        const auto name = info().name;
        const auto rows = co_await broker_->announced(settings_board);
        for (const auto& row : rows) {
            if (row.id != name) continue;
            const auto settings = decode<node_settings>(row.text);
            if (settings.concurrency) worker_.set_concurrency(slots_of(*settings.concurrency));
            if (settings.paused) worker_.pause();
        }
    }

    /// Tells the directory now and then, and when something has changed.
    static asio::awaitable<void> show(std::shared_ptr<node_core> self) {
        const auto executor = co_await asio::this_coro::executor;
        auto& clock = self->broker_->clock();
        while (!self->is_over_) {
            auto next = later(clock.now(), renewal_period(self->options_.lease()));
            std::exception_ptr trouble;
            try {
                auto text = encode(self->info());
                co_await self->broker_->announce(nodes_board, self->id_, std::move(text), self->options_.lease());
            } catch (...) {
                trouble = std::current_exception();
            }
            self->tell("telling that it is there", trouble);
            if (self->is_over_) break;
            const alarm at(clock, executor, self->changed_, next);
            co_await self->changed_->wait();
        }
    }

    static asio::awaitable<node_info> obey(node_core& self, node_order order) {
        if (order.concurrency) self.worker_.set_concurrency(slots_of(*order.concurrency));
        switch (order.action) {
            case node_action::none: break;
            case node_action::pause: self.worker_.pause(); break;
            case node_action::resume: self.worker_.resume(); break;
            case node_action::drain: self.worker_.stop(); break;
            case node_action::stop: self.worker_.stop_now(); break;
        }
        self.changed_->set();
        co_return self.info();
    }

    void tell(const std::string& what, const std::exception_ptr& error) const {
        if (!error || !options_.log()) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            options_.log()("node " + id_ + ": " + what + " failed: " + e.what());
        }
    }

    const broker_ptr broker_;
    worker& worker_;
    const node_options options_;
    const std::string id_;
    const std::string ip_ = own_ip();
    service service_;
    const time_point started_at_;
    const std::shared_ptr<event> changed_ = std::make_shared<event>();
    event shown_;  // is_shown_ has become false
    asio::cancellation_signal stop_showing_;
    std::atomic<bool> is_over_ = false;
    std::atomic<bool> is_shown_ = true;
};

}  // namespace detail

node::node(broker_ptr broker, worker& shown, node_options options)
    : core_(std::make_shared<detail::node_core>(std::move(broker), shown, std::move(options))) {}

node::~node() = default;

asio::awaitable<void> node::run() { return detail::node_core::run(core_); }

node_info node::info() const { return core_->info(); }

}  // namespace taskflux
