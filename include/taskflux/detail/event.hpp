#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace taskflux::detail {

/// Wakes who waits, or lets the next wait return at once when nobody does. Setting it twice before a wait
/// counts once. One waits at a time, anyone sets. A channel of capacity one underneath, so that a context
/// which is destroyed takes its waits with it.
class event {
public:
    explicit event(asio::any_io_executor executor) : channel_(std::move(executor), 1) {}

    void set() { channel_.try_send(boost::system::error_code{}); }

    /// Returns when the event is set. Throws `operation_aborted` when cancelled.
    asio::awaitable<void> wait() {
        const auto [ec] = co_await channel_.async_receive(asio::as_tuple(asio::deferred));
        if (ec) throw boost::system::system_error(asio::error::operation_aborted, "wait");
    }

private:
    asio::experimental::concurrent_channel<asio::any_io_executor, void(boost::system::error_code)> channel_;
};

}  // namespace taskflux::detail
