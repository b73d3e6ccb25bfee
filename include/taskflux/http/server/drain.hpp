#pragma once

#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace taskflux::detail {

/// Tells those that wait that the server ends. Thread-safe.
class drain {
public:
    using listener = std::list<std::function<void()>>::iterator;

    /// Calls all that listen, once. They only post.
    void begin();

    bool has_begun() const {
        const std::lock_guard lock(mutex_);
        return has_begun_;
    }

    /// Nothing where draining has begun.
    std::optional<listener> listen(std::function<void()> hears);
    void forget(listener which);

private:
    mutable std::mutex mutex_;  // guards both
    std::list<std::function<void()>> listeners_;
    bool has_begun_ = false;
};

/// Some work that ends early when the server drains. On the strand of its caller. Many of these wait: their frames are small.
template <class T>
class drained_work {
public:
    drained_work(asio::any_io_executor strand, asio::awaitable<T> work) : strand_(std::move(strand)), work_(std::move(work)), part_(strand_) {}

    static asio::awaitable<std::optional<T>> await(std::shared_ptr<drain> ending, asio::awaitable<T> work) {
        const auto strand = co_await asio::this_coro::executor;
        const auto self = std::make_shared<drained_work>(strand, std::move(work));
        const auto listening = ending->listen([weak = std::weak_ptr(self)] {
            const auto alive = weak.lock();
            if (alive) asio::post(alive->strand_, [alive] { alive->end_early(); });
        });
        if (!listening) co_return std::nullopt;
        const forgetting until_then{*ending, *listening};
        self->part_.start(self->working_, run(self));
        try {
            co_await self->part_.end_of(self->working_);
        } catch (...) {  // the client is gone
            self->working_.stop();
            throw;
        }
        co_return self->take();
    }

private:
    struct forgetting {
        drain& of;
        drain::listener which;
        ~forgetting() { of.forget(which); }
    };

    static asio::awaitable<void> run(std::shared_ptr<drained_work> self) {
        try {
            T value = co_await std::move(self->work_);
            self->made_.emplace(std::move(value));
        } catch (...) {
            self->failure_ = std::current_exception();
        }
    }

    void end_early() {
        is_early_ = true;
        working_.stop();
    }

    /// Nothing where it has ended early. Errors: those of the work.
    std::optional<T> take() {
        if (failure_ && !(is_early_ && is_abort(failure_))) std::rethrow_exception(failure_);
        return std::move(made_);
    }

    const asio::any_io_executor strand_;
    asio::awaitable<T> work_;
    std::optional<T> made_;
    std::exception_ptr failure_;
    bool is_early_ = false;
    nursery part_;
    nursery::child working_;
};

/// Awaits `work` for a server that never drains.
template <class T>
asio::awaitable<std::optional<T>> await_all_of(asio::awaitable<T> work) {
    T value = co_await std::move(work);
    std::optional<T> made(std::move(value));
    co_return made;
}

/// See `call::unless_draining`.
template <class T>
asio::awaitable<std::optional<T>> unless_draining(std::shared_ptr<drain> ending, asio::awaitable<T> work) {
    if (!ending) return await_all_of(std::move(work));
    return drained_work<T>::await(std::move(ending), std::move(work));
}

}  // namespace taskflux::detail
