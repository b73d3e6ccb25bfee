#pragma once

#include <taskflux/admin/node/core.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/in_time.hpp>
#include <taskflux/detail/keep_trying.hpp>
#include <taskflux/detail/platform/process.hpp>
#include <taskflux/host.hpp>
#include <taskflux/version.hpp>

#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace taskflux::detail {

/// `wanted`, limited to what `size_t` can hold.
inline std::size_t slots_of(std::uint64_t wanted) {
    return static_cast<std::size_t>((std::min)(wanted, std::uint64_t((std::numeric_limits<std::size_t>::max)())));
}

node_core::node_core(broker_ptr broker, std::shared_ptr<worker_control> shown, node_options options)
    : broker_(checked_broker(std::move(broker), "a node")), worker_(std::move(shown)), options_(std::move(options)),
      log_(options_.log().in_time_of(broker_->clock())), id_(uuid_generator().text()), ip_(own_ip()),
      strand_(asio::make_strand(broker_->get_executor())),
      service_(broker_, service_options().id(id_).host(host()).lease(options_.lease()).log(options_.log())),
      started_at_(broker_->clock().wall()), changed_(std::make_shared<event>()),
      life_(strand_, "its worker is stopped",
            [this](const std::string& text) {
                if (!broker_->is_closed()) log_(log_level::error, "node " + info().name + ": " + text);
            }),
      parts_(strand_) {
    service_.on(steer_node, [this](node_order order) { return obey(*this, order); });
}

asio::awaitable<void> node_core::live(std::shared_ptr<asio::thread_pool>) {
    const auto self = shared_from_this();
    if (has_begun_.exchange(true)) {
        throw error(errc::wrong_state, "this node can't be run again: a node runs once; make another one");
    }
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late()) co_return;
    if (!life_.is_stopped()) parts_.start(beginning_, begin());
    co_await parts_.end_of(beginning_);
    parts_.check();
    auto running = worker_->run();  // before an order can come
    parts_.start(be_steered());
    parts_.start(showing_, show());
    parts_.start(working_, std::move(running));

    co_await parts_.end_of(working_);
    service_.stop();
    is_over_ = true;
    showing_.stop();
    co_await parts_.end_of(showing_);
    auto withdrawing = broker_->withdraw(nodes_board, id_);
    auto& clock = broker_->clock();
    auto leaving = in_time(clock, later(clock.now(), farewell), std::move(withdrawing), "leaving the directory");
    const auto left = co_await caught(std::move(leaving));
    log_trouble("leaving the directory", left.failure());
    co_await parts_.end_of_all();
    if (life_.is_stopped() && broker_->is_closed()) co_return;  // a clean end
    parts_.check();
}

void node_core::stop() {
    life_.stop();
    worker_->stop();
    asio::post(strand_, [self = shared_from_this()] { self->beginning_.stop(); });
}

void node_core::abandon() {
    life_.abandon();  // a `run` that has not begun ends at once
    if (has_begun_) stop();
}

node_info node_core::info() const {
    node_info made;
    made.id = id_;
    made.name = options_.name().empty() ? host() : options_.name();
    made.host = host();
    made.ip = ip_;
    made.pid = process_id();
    made.version = version;
    made.started_at = started_at_;
    made.queues = worker_->queues();
    made.tasks = worker_->tasks();
    made.concurrency = worker_->concurrency();
    made.running = worker_->counts().running;
    made.load = host_load();
    made.memory = resident_memory();
    made.paused = worker_->is_paused();
    return made;
}

std::string node_core::host() const { return options_.host().empty() ? asio::ip::host_name() : options_.host(); }

asio::awaitable<void> node_core::begin() {
    const auto self = shared_from_this();
    const auto limit = start_limit(broker_->clock(), options_.start_timeout() ? options_.start_timeout() : worker_->start_timeout());
    auto taking = keep_trying(broker_->clock(), limit, [this] { return take_settings(); }, [this](const std::string& why) {
        log_(log_level::warning, "node " + info().name + ": it can't start yet, and tries again: " + why);
    });
    const auto taken = co_await caught(std::move(taking));
    if (taken.failure() && code_of(describe(taken.failure())) == errc::unavailable) std::rethrow_exception(taken.failure());
    log_trouble("reading its settings", taken.failure());
}

asio::awaitable<void> node_core::take_settings() {
    const auto name = info().name;
    const auto rows = co_await broker_->announced(settings_board);
    for (const auto& row : rows) {
        if (row.id != name) continue;
        const auto settings = decode<node_settings>(row.text);
        if (settings.concurrency) worker_->set_concurrency(slots_of(*settings.concurrency));
        if (settings.paused) worker_->pause(true);
    }
}

asio::awaitable<void> node_core::be_steered() {
    const auto self = shared_from_this();
    auto serving = service_.run();
    const auto served = co_await caught(std::move(serving));
    log_trouble("serving its steering calls", served.failure());
}

asio::awaitable<node_info> node_core::obey(node_core& self, node_order order) {
    if (order.concurrency) self.worker_->set_concurrency(slots_of(*order.concurrency));
    switch (order.action) {
        case node_action::none: break;
        case node_action::pause: self.worker_->pause(true); break;
        case node_action::resume: self.worker_->pause(false); break;
        case node_action::drain: self.worker_->stop(); break;
        case node_action::stop: self.worker_->stop_now(); break;
    }
    self.changed_->set();
    co_return self.info();
}

asio::awaitable<void> node_core::show() {
    const auto self = shared_from_this();
    auto& clock = broker_->clock();
    while (!is_over_) {
        const auto next = later(clock.now(), renewal_period(options_.lease()));
        auto announcing = announce();
        const auto announced = co_await caught(std::move(announcing));
        log_trouble("its heartbeat", announced.failure());
        if (is_over_) break;
        const alarm at(clock, strand_, changed_, next);
        co_await changed_->wait();
    }
}

asio::awaitable<void> node_core::announce() {
    auto text = encode(info());
    co_await broker_->announce(nodes_board, id_, std::move(text), options_.lease());
}

void node_core::log_trouble(const std::string& what, const std::exception_ptr& error) const {
    if (!error || is_abort(error) || broker_->is_closed()) return;
    log_(log_level::warning, "node " + id_ + ": " + what + " failed: " + describe(error).message);
}

}  // namespace taskflux::detail
