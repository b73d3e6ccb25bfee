#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/system/error_code.hpp>

#include <utility>

namespace taskflux::detail {

/// Wakes who waits, or lets the next wait return at once when nobody does. Setting it twice before a wait
/// counts once. Thread-safe; a channel of capacity one underneath, so a context that is destroyed takes
/// its waits with it.
class event {
public:
    explicit event(boost::asio::any_io_executor executor) : channel_(std::move(executor), 1) {}

    void set() { channel_.try_send(boost::system::error_code{}); }

    /// Completes, as `void(error_code)`, when the event is set, or with an error when cancelled.
    template <class Token>
    auto async_wait(Token&& token) {
        return channel_.async_receive(std::forward<Token>(token));
    }

private:
    boost::asio::experimental::concurrent_channel<boost::asio::any_io_executor, void(boost::system::error_code)>
        channel_;
};

}  // namespace taskflux::detail
