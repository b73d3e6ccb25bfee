#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>

namespace taskflux::detail {

/// Coroutines side by side on one strand. Each can be stopped; the first failure is kept: an exception of a coroutine, unless
/// it is `operation_aborted` of one that was stopped. For that strand only, and one coroutine waits at a time. Coroutines that
/// outlive their nursery run on, and nobody learns of their ends.
class nursery {
    struct life;   // of one coroutine
    struct state;  // kept alive by the coroutines too

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
    ~nursery();

    /// Starts a coroutine, which runs at once until it first waits. Does nothing after `stop_all`.
    void start(asio::awaitable<void> work);

    /// Starts a coroutine, and sets `which` to it before it runs.
    void start(child& which, asio::awaitable<void> work);

    /// Stops all coroutines, and starts no further one.
    void stop_all();
    bool is_stopped() const;

    /// Returns when the coroutine has ended, with or without an error.
    asio::awaitable<void> end_of(child which);

    /// Returns when all have ended, with or without errors.
    asio::awaitable<void> end_of_all();

    /// Null while there was none.
    const std::exception_ptr& failure() const;

    /// Throws the first failure, if there was one.
    void check() const;

private:
    const std::shared_ptr<state> state_;
};

}  // namespace taskflux::detail
