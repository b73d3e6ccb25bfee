#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <mutex>

namespace taskflux::detail {

/// Wakes who waits, or lets the next wait return at once when nobody does. Setting it twice before a wait
/// counts once. One waits at a time, anyone sets. It may outlive the context of who waits, and be set while that
/// context ends: what belongs to the context, a channel, stands in the frame of the wait, which goes with it, and
/// a wait does not return while it is being woken.
class event {
    class visit;  // one wait

public:
    void set();

    /// Returns when the event is set. Throws `operation_aborted` when cancelled.
    asio::awaitable<void> wait();

private:
    std::mutex mutex_;
    bool is_set_ = false;
    visit* waiting_ = nullptr;
};

}  // namespace taskflux::detail
