#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/detail/required.hpp>
#include <taskflux/detail/waiters.hpp>
#include <taskflux/exec/executor/callable.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace taskflux {

class executor;

namespace detail {

/// A job that was started without waiting for it. One handle may wait later, or none.
class spawned_job : public executor_job {
public:
    using executor_job::executor_job;

    bool ended() const noexcept { return phase_.load(std::memory_order_acquire) == phase::ended; }

    /// Completes when the job has ended; `wrong_state` if another operation waits already.
    auto async_ended() {
        return asio::async_initiate<const asio::deferred_t, waiters::signature>(
            [](auto handler, boost::intrusive_ptr<spawned_job> self) {
                auto cancellation = asio::get_associated_cancellation_slot(handler);
                auto one = waiters::make(std::move(handler), self->owner().get_executor());
                if (self->phase_.load(std::memory_order_acquire) == phase::waited) {
                    return waiters::complete(std::move(one), make_error_code(errc::wrong_state));
                }
                self->waiter_ = std::move(one);
                if (cancellation.is_connected()) {
                    cancellation.assign([self](asio::cancellation_type) { self->stop_waiting(); });
                }
                auto seen = self->phase_.load(std::memory_order_acquire);
                while (seen != phase::ended) {
                    if (self->phase_.compare_exchange_weak(seen, phase::waited, std::memory_order_acq_rel))
                        return;
                }
                waiters::complete(std::exchange(self->waiter_, {}));
            },
            asio::deferred, boost::intrusive_ptr<spawned_job>(this));
    }

    /// After the end: throws the error, if there is one.
    void rethrow() {
        seen_ = true;
        if (error_) std::rethrow_exception(error_);
    }

    /// The handle is gone: an error goes to `on_error`.
    void detach() noexcept {
        auto expected = phase::pending;
        if (phase_.compare_exchange_strong(expected, phase::detached, std::memory_order_acq_rel)) return;
        if (expected == phase::ended && error_ && !seen_) owner().unseen(error_);
    }

protected:
    void deliver(std::exception_ptr error, bool) override {
        error_ = std::move(error);
        switch (phase_.exchange(phase::ended, std::memory_order_acq_rel)) {
            case phase::waited: waiters::complete(std::exchange(waiter_, {})); break;
            case phase::detached:
                if (error_) owner().unseen(error_);
                break;
            case phase::pending:
            case phase::ended: break;
        }
    }

    void let_go() noexcept override { std::exchange(waiter_, {}); }

private:
    enum class phase : std::uint8_t { pending, waited, ended, detached };

    void stop_waiting() {
        auto expected = phase::waited;
        if (phase_.compare_exchange_strong(expected, phase::pending, std::memory_order_acq_rel)) {
            waiters::complete(std::exchange(waiter_, {}), asio::error::operation_aborted);
        }
    }

    std::atomic<phase> phase_ = phase::pending;
    std::atomic<bool> seen_ = false;  // the error was thrown to a caller
    std::exception_ptr error_;
    waiters::list waiter_;
};

template <class R>
class spawned_result : public spawned_job {
public:
    using spawned_job::spawned_job;
    std::optional<stored<R>> result;
};

}  // namespace detail

/// A job that `executor::spawn` started. Moves; dropping it lets the job go on: its error is then only
/// counted, and given to `executor_options::on_error`. One handle is for one thread at a time. Calls of an empty one
/// (default-constructed or moved from) throw `wrong_state`.
template <class R>
class handle {
public:
    handle() = default;
    handle(handle&&) noexcept = default;
    handle& operator=(handle&& other) noexcept {
        handle(std::move(other)).swap(*this);
        return *this;
    }
    ~handle() {
        if (job_) job_->detach();
    }

    /// Whether the job has ended, in whichever way.
    bool done() const { return job()->ended(); }

    /// Cancels the job: at once if it has not started, else by the cancellation slot of its coroutine.
    void cancel() {
        auto& one = *job();  // an empty handle has no owner either
        owner_->cancel(one, errc::cancelled);
    }

    /// Waits for the end and returns the result; to be awaited once. This handle need not live meanwhile.
    /// Errors: what the job threw; `cancelled`, `timed_out`, `shut_down`, `queue_full`; `wrong_state` if it
    /// is awaited already. Cancellation (terminal, by default): stops waiting; the job goes on.
    asio::awaitable<R> result() { return wait(owner_, job()); }

private:
    friend class executor;
    using job_pointer = boost::intrusive_ptr<detail::spawned_result<R>>;

    const job_pointer& job() const { return detail::required(job_, "handle"); }

    handle(std::shared_ptr<detail::executor_state> owner, job_pointer j) noexcept
        : owner_(std::move(owner)), job_(std::move(j)) {}

    // The owner comes first: it must outlive the job.
    static asio::awaitable<R> wait(std::shared_ptr<detail::executor_state>, job_pointer j) {
        co_await j->async_ended();
        j->rethrow();
        if constexpr (!std::is_void_v<R>) co_return std::move(*j->result);
    }

    void swap(handle& other) noexcept {
        owner_.swap(other.owner_);
        job_.swap(other.job_);
    }

    std::shared_ptr<detail::executor_state> owner_;
    job_pointer job_;
};

}  // namespace taskflux
