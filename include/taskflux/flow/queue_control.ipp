#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <utility>

namespace taskflux {

queue_control::queue_control(broker_ptr broker, std::string queue)
    : broker_(detail::checked_broker(std::move(broker), "a queue_control")), queue_(std::move(queue)) {
    detail::check_queue_name(queue_);
}

asio::awaitable<queue_counts> queue_control::counts() const { return broker_->counts(queue_); }
asio::awaitable<void> queue_control::pause() const { return broker_->pause(queue_); }
asio::awaitable<void> queue_control::resume() const { return broker_->resume(queue_); }

asio::awaitable<std::size_t> queue_control::clear(std::optional<task_state> state) const {
    constexpr std::size_t at_once = 1000;
    const auto broker = broker_;
    const auto queue = queue_;
    std::size_t removed = 0;
    for (;;) {
        const auto some = co_await broker->clear(queue, state, at_once);
        if (some == 0) co_return removed;
        removed += some;
    }
}

asio::awaitable<void> queue_control::set_limit(limit value, std::string reason) const {
    return broker_->set_limit(queue_, limit_kind::live, value, std::move(reason));
}

asio::awaitable<void> queue_control::reset_limit() const {
    return broker_->set_limit(queue_, limit_kind::live, std::nullopt, {});
}

asio::awaitable<void> queue_control::declare_limit(limit value) const {
    return broker_->set_limit(queue_, limit_kind::declared, value, {});
}

asio::awaitable<void> queue_control::set_key_limit(limit value, std::string reason) const {
    return broker_->set_key_limit(queue_, {}, limit_kind::live, value, std::move(reason));
}

asio::awaitable<void> queue_control::set_key_limit(std::string key, limit value, std::string reason) const {
    detail::check_name(detail::limits::key, key);
    return broker_->set_key_limit(queue_, std::move(key), limit_kind::live, value, std::move(reason));
}

asio::awaitable<void> queue_control::reset_key_limit() const {
    return broker_->set_key_limit(queue_, {}, limit_kind::live, std::nullopt, {});
}

asio::awaitable<void> queue_control::reset_key_limit(std::string key) const {
    detail::check_name(detail::limits::key, key);
    return broker_->set_key_limit(queue_, std::move(key), limit_kind::live, std::nullopt, {});
}

asio::awaitable<void> queue_control::declare_key_limit(limit value) const {
    return broker_->set_key_limit(queue_, {}, limit_kind::declared, value, {});
}

asio::awaitable<void> queue_control::declare_key_limit(std::string key, limit value) const {
    detail::check_name(detail::limits::key, key);
    return broker_->set_key_limit(queue_, std::move(key), limit_kind::declared, value, {});
}

asio::awaitable<void> queue_control::keep_events(std::size_t most, duration age) const {
    constexpr std::size_t at_most = 1'000'000;
    if (most > at_most || age < duration::zero()) {
        throw error(errc::invalid_argument, "queue " + queue_ + " can't keep " + std::to_string(most) + " events for " +
                                                std::to_string(age.count()) + " ms: at most 1,000,000, and the age must not be negative");
    }
    const auto broker = broker_;
    co_await broker->keep_events(queue_, most, age);
}

asio::awaitable<queue_limits> queue_control::limits() const { return broker_->limits(queue_); }
asio::awaitable<void> queue_control::end_throttle() const { return broker_->end_throttle(queue_); }

}  // namespace taskflux
