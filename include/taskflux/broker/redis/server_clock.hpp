#pragma once

#include <taskflux/clock.hpp>

#include <atomic>
#include <memory>

namespace taskflux::redis {

/// The server's time, as far as its replies tell: a local clock and how far the server's is ahead of it.
class server_clock final : public taskflux::clock {
public:
    explicit server_clock(taskflux::clock& base) : kept_base_(base.shared()), base_(*kept_base_) {}

    time_point now() const noexcept override { return base_.now() + server_ahead(); }
    void arm(asio::steady_timer& timer, time_point when) override {
        base_.arm(timer, when == never ? never : when - server_ahead());
    }
    void disarm(asio::steady_timer& timer) noexcept override { base_.disarm(timer); }

    /// The server has just said that it is `server_time`.
    void set(time_point server_time) noexcept { server_ahead_ = (server_time - base_.now()).count(); }

    taskflux::clock& base() const { return base_; }
    const std::shared_ptr<taskflux::clock>& kept_base() const { return kept_base_; }

private:
    duration server_ahead() const noexcept { return duration(server_ahead_.load(std::memory_order_relaxed)); }

    const std::shared_ptr<taskflux::clock> kept_base_;
    taskflux::clock& base_;
    std::atomic<duration::rep> server_ahead_ = 0;
};

}  // namespace taskflux::redis
