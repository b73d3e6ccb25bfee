#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace taskflux {

/// The completion handler of the coroutines that `main` spawns. When one throws, it writes what has failed to the log, and
/// stops the context, so that `run()` returns: with `asio::detached` instead, the program would say nothing and never end.
///
///     taskflux::stop_on_error handler{io};
///     asio::co_spawn(io, worker.run(), handler);
///     io.run();
///     return handler.status();
///
/// Copies share one status. Thread-safe.
class stop_on_error {
public:
    /// `context`: an `io_context` or `thread_pool`, which must outlive the handler. `log` receives the failure; default: the
    /// standard error stream.
    template <class Context>
        requires requires(Context& context) { context.stop(); }
    explicit stop_on_error(Context& context, log_sink log = log_sink())
        : shared_(std::make_shared<shared>(std::move(log), [&context] { context.stop(); })) {}

    template <class... Values>
    void operator()(std::exception_ptr failure, Values&&...) const {
        if (failure) shared_->fail(failure);
    }

    /// The exit code of the program: 0, or 1 once a coroutine has failed.
    int status() const { return shared_->has_failed ? 1 : 0; }

private:
    struct shared {
        shared(log_sink to, std::function<void()> how) : log(std::move(to)), stop(std::move(how)) {}

        void fail(const std::exception_ptr& failure);

        const log_sink log;
        const std::function<void()> stop;
        std::atomic<bool> has_failed = false;
    };

    std::shared_ptr<shared> shared_;
};

}  // namespace taskflux
