#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace taskflux::memory {

/// Calls back once, at the earliest time for which it has been armed. To be used under its owner's lock.
class tick_timer {
public:
    tick_timer(const asio::any_io_executor& executor, std::shared_ptr<taskflux::clock> clock)
        : clock_(std::move(clock)), timer_(std::in_place, executor) {}
    ~tick_timer() { drop(); }
    tick_timer(const tick_timer&) = delete;
    tick_timer& operator=(const tick_timer&) = delete;

    /// Calls `on_time` with a number, that `take` must accept, by `when`, in place of what it is armed for if that is later.
    template <class OnTime>
    void arm(time_point when, OnTime on_time) {
        if (when >= armed_ || !timer_) return;
        armed_ = when;
        clock_->arm(*timer_, when);
        timer_->async_wait([on_time = std::move(on_time), number = ++number_](const boost::system::error_code&) { on_time(number); });
    }

    /// Whether that call counts: it has not been replaced or disarmed. The timer is then to be armed again.
    bool take(std::uint64_t number) {
        if (number != number_) return false;
        armed_ = never;
        return true;
    }

    /// It keeps its context running no more.
    void disarm() {
        ++number_;
        armed_ = never;
        if (timer_) timer_->cancel();
    }

    /// For good: its context ends.
    void drop() {
        if (timer_) clock_->disarm(*timer_);
        timer_.reset();
    }

private:
    const std::shared_ptr<taskflux::clock> clock_;
    std::optional<asio::steady_timer> timer_;
    time_point armed_ = never;
    std::uint64_t number_ = 0;  // of the current wait; older ones are void
};

}  // namespace taskflux::memory
