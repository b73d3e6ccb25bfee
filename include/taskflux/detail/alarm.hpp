#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace taskflux::detail {

/// Sets an event when a clock reads a time, unless it is destroyed before. So a wait for the event ends then, without
/// an operation of its own that would have to be cancelled. An alarm that rings when something else has just ended the
/// wait leaves the event set: the next wait for it ends at once.
class alarm {
public:
    /// `source` must outlive it.
    alarm(clock& source, const asio::any_io_executor& executor, std::shared_ptr<event> rings, time_point when)
        : source_(source), timer_(executor), is_on_(std::make_shared<std::atomic<bool>>(true)) {
        source_.arm(timer_, when);
        // A clock may end the wait by cancelling it.
        timer_.async_wait([rings = std::move(rings), is_on = is_on_](const boost::system::error_code&) {
            if (*is_on) rings->set();
        });
    }
    ~alarm() {
        *is_on_ = false;
        source_.disarm(timer_);
    }
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;

private:
    clock& source_;
    asio::steady_timer timer_;
    const std::shared_ptr<std::atomic<bool>> is_on_;
};

}  // namespace taskflux::detail
