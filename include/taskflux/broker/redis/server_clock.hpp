#pragma once

#include <taskflux/clock.hpp>

#include <atomic>

namespace taskflux::redis {

/// The server's time, as far as its replies tell: a local clock and how far the server's is ahead of it.
class server_clock final : public taskflux::clock {
public:
    /// `base` must outlive this.
    explicit server_clock(taskflux::clock& base) : base_(base) {}

    time_point now() const noexcept override { return base_.now() + ahead(); }
    void arm(asio::steady_timer& timer, time_point when) override {
        base_.arm(timer, when == never ? never : when - ahead());
    }
    void disarm(asio::steady_timer& timer) noexcept override { base_.disarm(timer); }

    /// The server has just said that it is `server_time`.
    void set(time_point server_time) noexcept { ahead_ = (server_time - base_.now()).count(); }

    taskflux::clock& base() const { return base_; }

private:
    duration ahead() const noexcept { return duration(ahead_.load(std::memory_order_relaxed)); }

    taskflux::clock& base_;
    std::atomic<duration::rep> ahead_ = 0;
};

}  // namespace taskflux::redis
