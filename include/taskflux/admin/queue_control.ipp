#pragma once

#include <taskflux/admin/queue_control.hpp>
#include <taskflux/broker/broker/checks.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

queue_control::queue_control(broker_ptr broker, std::string queue)
    : broker_(detail::checked_broker(std::move(broker), "a queue_control")), name_(std::move(queue)) {
    detail::check_queue_name(name_);
}

asio::awaitable<queue_counts> queue_control::counts() const { return broker()->counts(name_); }
asio::awaitable<void> queue_control::pause() const { return broker()->pause(name_); }
asio::awaitable<void> queue_control::resume() const { return broker()->resume(name_); }
asio::awaitable<queue_limits> queue_control::limits() const { return broker()->limits(name_); }

namespace detail {

inline asio::awaitable<std::size_t> clear_all(broker_ptr on, std::string queue, std::optional<task_state> state) {
    constexpr std::size_t slice = 1000;
    std::size_t removed = 0;
    for (;;) {
        const auto some = co_await on->clear(queue, state, slice);
        if (some == 0) co_return removed;
        removed += some;
    }
}

}  // namespace detail

asio::awaitable<std::size_t> queue_control::clear(std::optional<task_state> state) const {
    return detail::clear_all(broker(), name_, state);
}

asio::awaitable<void> queue_control::declare(std::optional<limit> what) const {
    limit_change change;
    change.what = what;
    return broker()->set_limit(name_, std::move(change));
}

asio::awaitable<void> queue_control::set_limit(limit what, std::string reason) const {
    limit_change change;
    change.what = what;
    change.is_live = true;
    change.reason = std::move(reason);
    return broker()->set_limit(name_, std::move(change));
}

asio::awaitable<void> queue_control::reset_limit() const {
    limit_change change;
    change.is_live = true;
    return broker()->set_limit(name_, std::move(change));
}

}  // namespace taskflux
