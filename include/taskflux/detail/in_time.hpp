#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// What a core that ends says to the broker once it has nothing left to do may take so long: as much as three of them are
/// over within a second. Where it does not come through, leases end.
inline constexpr duration farewell = std::chrono::milliseconds(300);

/// Some work and a time limit, on a strand of their own.
template <class T>
class timed_work : public std::enable_shared_from_this<timed_work<T>> {
public:
    timed_work(asio::any_io_executor strand, clock& source, time_point ends, asio::awaitable<T> work)
        : strand_(std::move(strand)), source_(source), ends_(ends), work_(std::move(work)), both_(strand_) {}

    const asio::any_io_executor& strand() const { return strand_; }

    /// Returns when the work has ended; `stop`, and the time limit, cancel it.
    asio::awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> threads) {
        const auto self = this->shared_from_this();
        both_.start(working_, run());
        if (!working_.is_over()) both_.start(timing_, cut_off());
        co_await both_.end_of(working_);
        timing_.stop();
        co_await both_.end_of_all();
    }

    /// Thread-safe.
    void stop() {
        asio::post(strand_, [self = this->shared_from_this()] { self->working_.stop(); });
    }

    /// After `live`. Errors: `timed_out`; those of the work.
    T take(const std::string& what) {
        if (made_ && !made_->failure()) return made_->take();
        if (is_late_) {
            throw error(errc::timed_out, what + " timed out: the broker has not answered; check the connection to it");
        }
        if (made_) return made_->take();
        both_.check();
        throw boost::system::system_error(asio::error::operation_aborted, what);
    }

private:
    asio::awaitable<void> run() {
        const auto self = this->shared_from_this();
        auto ended = co_await caught(std::move(work_));
        made_.emplace(std::move(ended));
    }

    asio::awaitable<void> cut_off() {
        const auto self = this->shared_from_this();
        co_await sleep_until(source_, ends_);
        is_late_ = !made_;
        working_.stop();
    }

    const asio::any_io_executor strand_;
    clock& source_;
    const time_point ends_;
    asio::awaitable<T> work_;
    std::optional<outcome<T>> made_;
    bool is_late_ = false;
    nursery both_;
    nursery::child working_, timing_;
};

/// Awaits `work` and returns its result. When `source` reads `ends` before, cancels it and throws `timed_out`; `what` names
/// the work in the error. The work runs on a strand on the caller's executor: several threads may run that.
/// `source` must outlive it. Cancellation (terminal): that of `work`.
template <class T>
asio::awaitable<T> in_time(clock& source, time_point ends, asio::awaitable<T> work, std::string what) {
    const auto executor = co_await asio::this_coro::executor;
    const auto both = std::make_shared<timed_work<T>>(asio::make_strand(executor), source, ends, std::move(work));
    co_await live(both, nullptr);
    if constexpr (std::is_void_v<T>) both->take(what);
    else co_return both->take(what);
}

}  // namespace taskflux::detail
