#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <mutex>

namespace taskflux::detail {

/// Whether anything may still be begun on threads that are joined, and gone, some time after `close`. Thread-safe. After
/// Seastar's `gate`.
class gate {
public:
    /// `threads` with outstanding work: they are not joined while what this returns lives. Empty once the gate is closed;
    /// then `threads` is not touched.
    asio::any_io_executor enter(const asio::any_io_executor& threads) const {
        const std::lock_guard lock(mutex_);
        if (is_closed_) return {};
        return asio::prefer(threads, asio::execution::outstanding_work.tracked);
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
    }

    bool is_closed() const {
        const std::lock_guard lock(mutex_);
        return is_closed_;
    }

private:
    mutable std::mutex mutex_;
    bool is_closed_ = false;
};

}  // namespace taskflux::detail
