#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <mutex>

namespace taskflux::detail {

/// Wakes the coroutine that waits, or lets the next wait return at once when none does. Setting it twice before a
/// wait counts once. One coroutine waits at a time; any thread sets. An event may outlive the context of the waiting
/// coroutine, and be set while that context ends: the channel, which belongs to the context, is in the frame of the
/// wait, and a wait does not return while it is being woken.
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
