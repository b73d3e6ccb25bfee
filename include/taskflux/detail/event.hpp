#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <mutex>
#include <utility>

namespace taskflux::detail {

/// Wakes who waits, or lets the next wait return at once when nobody does. Setting it twice before a wait
/// counts once. One waits at a time, anyone sets. It may outlive the context of who waits, and be set while that
/// context ends: what belongs to the context, a channel, stands in the frame of the wait, which goes with it, and
/// a wait does not return while it is being woken.
class event {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        if (const auto waiting = std::exchange(waiting_, nullptr)) {
            waiting->try_send(error_code());
        } else {
            is_set_ = true;
        }
    }

    /// Returns when the event is set. Throws `operation_aborted` when cancelled.
    asio::awaitable<void> wait() {
        const auto executor = co_await asio::this_coro::executor;
        channel woken(executor, 1);
        const visit here(*this, woken);
        const auto [ec] = co_await woken.async_receive(asio::as_tuple(asio::deferred));
        if (ec) throw boost::system::system_error(asio::error::operation_aborted, "wait");
    }

private:
    using error_code = boost::system::error_code;
    using channel = asio::experimental::concurrent_channel<asio::any_io_executor, void(error_code)>;

    /// Of one wait, from before it sleeps until it is over.
    class visit {
    public:
        visit(event& at, channel& woken) : at_(at), woken_(woken) {
            const std::lock_guard lock(at_.mutex_);
            if (std::exchange(at_.is_set_, false)) {
                woken_.try_send(error_code());
            } else {
                at_.waiting_ = &woken_;
            }
        }
        ~visit() {
            const std::lock_guard lock(at_.mutex_);
            at_.waiting_ = nullptr;
            // It was woken, but had been cancelled by then.
            woken_.try_receive([this](error_code) { at_.is_set_ = true; });
        }
        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;

    private:
        event& at_;
        channel& woken_;
    };

    std::mutex mutex_;
    bool is_set_ = false;
    channel* waiting_ = nullptr;
};

}  // namespace taskflux::detail
