#pragma once

#include <taskflux/detail/event.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <mutex>
#include <utility>

namespace taskflux::detail {

/// One wait, from before it sleeps until it is over.
class event::visit {
    using error_code = boost::system::error_code;

public:
    visit(event& at, const asio::any_io_executor& executor) : at_(at), channel_(executor) {
        const std::lock_guard lock(at_.mutex_);
        if (std::exchange(at_.is_set_, false)) {
            wake();
        } else {
            at_.waiting_ = this;
        }
    }
    ~visit() {
        const std::lock_guard lock(at_.mutex_);
        at_.waiting_ = nullptr;
        if (is_woken_) at_.is_set_ = true;  // it had been cancelled by then, or its context ended
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

    auto woken() { return channel_.async_receive(asio::as_tuple(asio::deferred)); }

    /// Takes the set, if there was one before a cancellation: `ec` is how `woken` has ended.
    bool takes_set(error_code ec) {
        const std::lock_guard lock(at_.mutex_);
        return ec == asio::experimental::error::channel_closed && std::exchange(is_woken_, false);
    }

    /// With the event's mutex locked. Closes the channel instead of sending: a context that ends has dropped the waiting
    /// coroutine, which the channel would not notice.
    void wake() {
        is_woken_ = true;
        channel_.close();
    }

private:
    event& at_;
    asio::experimental::concurrent_channel<asio::any_io_executor, void(error_code)> channel_;
    bool is_woken_ = false;
};

void event::set() {
    const std::lock_guard lock(mutex_);
    if (const auto waiting = std::exchange(waiting_, nullptr)) {
        waiting->wake();
    } else {
        is_set_ = true;
    }
}

asio::awaitable<void> event::wait() {
    const auto executor = co_await asio::this_coro::executor;
    visit here(*this, executor);
    const auto [ec] = co_await here.woken();
    if (!here.takes_set(ec)) throw boost::system::system_error(asio::error::operation_aborted, "wait");
}

}  // namespace taskflux::detail
