#pragma once

#include <taskflux/detail/event.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace taskflux::detail {

/// Coroutines side by side on one strand. Each can be stopped; the first failure is kept: an exception of a coroutine, unless
/// it is `operation_aborted` of one that was stopped. For that strand only, and one coroutine waits at a time. The owner of a
/// nursery waits for all its coroutines before it destroys it; a context that ends may destroy both.
class nursery {
    struct life;  // of one coroutine

public:
    /// A coroutine of a nursery. One that was never started is over.
    class child {
    public:
        bool is_over() const;

        /// Cancels it (terminal cancellation), without waiting for its end.
        void stop();

    private:
        friend class nursery;
        std::shared_ptr<life> life_;
    };

    /// `on_failure` is called after the first failure, so that others can be stopped.
    explicit nursery(asio::any_io_executor strand, std::function<void()> on_failure = nullptr);
    nursery(const nursery&) = delete;
    nursery& operator=(const nursery&) = delete;

    /// Starts a coroutine, which runs at once until it first waits. Does nothing after `stop_all`.
    void start(asio::awaitable<void> work);

    /// Starts a coroutine, and sets `which` to it before it runs.
    void start(child& which, asio::awaitable<void> work);

    /// Stops all coroutines, and starts no further one.
    void stop_all();
    bool is_stopped() const { return is_stopped_; }

    /// Returns when the coroutine has ended, with or without an error.
    asio::awaitable<void> end_of(child which);

    /// Returns when all have ended, with or without errors.
    asio::awaitable<void> end_of_all();

    /// Null while there was none.
    const std::exception_ptr& failure() const { return failure_; }

    /// Throws the first failure, if there was one.
    void check() const;

private:
    void on_end(const std::shared_ptr<life>& one, const std::exception_ptr& error);

    const asio::any_io_executor strand_;
    const std::function<void()> on_failure_;
    event changed_;  // a coroutine has ended
    std::vector<std::shared_ptr<life>> running_;
    std::exception_ptr failure_;
    bool is_stopped_ = false;
};

}  // namespace taskflux::detail
