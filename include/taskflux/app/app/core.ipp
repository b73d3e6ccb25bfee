#pragma once

#include <taskflux/app/app/core.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/keep_trying.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <string>
#include <utility>

namespace taskflux::detail {

app_core::app_core(broker_ptr broker)
    : broker_(checked_broker(std::move(broker), "an app")), strand_(asio::make_strand(broker_->get_executor())),
      life_(strand_, "its parts are stopped",
            [this](const std::string& text) {
                if (!broker_->is_closed()) log.in_time_of(broker_->clock())(log_level::error, "the app: " + text);
            }),
      parts_(strand_, [this] { parts_.stop_all(); }) {}

asio::awaitable<void> app_core::live(std::shared_ptr<asio::thread_pool>) {
    const auto self = shared_from_this();
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late()) co_return;
    parts_.start(begin());
    co_await parts_.end_of_all();
    parts_.start(start_parts());
    co_await parts_.end_of_all();
    parts_.check();
}

asio::awaitable<void> app_core::start_parts() {
    const auto self = shared_from_this();
    on_ready();  // before the first handler can print
    if (shown) parts_.start(shown->run());
    if (service) parts_.start(service->run());
    if (scheduler) parts_.start(scheduler->run());
    for (const auto& one : starters) parts_.start(one(client(broker_, defaults).traced_by(tracing)));
    co_return;
}

void app_core::stop() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] { self->parts_.stop_all(); });
}

void app_core::abandon() {
    const bool runs = life_.is_under_way();  // else its context may be gone
    life_.abandon();
    if (runs) stop();
}

asio::awaitable<void> app_core::begin() {
    const auto self = shared_from_this();
    auto& clock = broker_->clock();
    auto storing = keep_trying(clock, start_limit(clock, start_timeout), [this] { return store_schedules(); },
                               [this](const std::string& why) {
                                   log.in_time_of(broker_->clock())(log_level::warning, "the app can't start yet, and tries again: " + why);
                               });
    co_await std::move(storing);
}

asio::awaitable<void> app_core::store_schedules() {
    const auto self = shared_from_this();
    for (const auto& one : schedules) {
        if (!one.is_enabled) {
            co_await remove_schedule(one.id());
            continue;
        }
        const contract<void, raw> task(one.task, with_defaults(one.contract, defaults));
        const raw payload{one.payload};
        auto stored = scheduler->every(one.cron, one.options.zone(), task, payload, one.options);
        co_await std::move(stored);
    }
}

asio::awaitable<void> app_core::remove_schedule(std::string id) {
    try {
        co_await scheduler->remove(std::move(id));
    } catch (const error& e) {
        if (e.code() != errc::not_found) throw;
    }
}

}  // namespace taskflux::detail
