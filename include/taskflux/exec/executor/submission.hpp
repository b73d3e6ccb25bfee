#pragma once

#include <taskflux/exec/executor/callable.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// How an outcome reaches a completion handler: an error, or none and a value. Asio wants a value with an
/// error too, so a type without a default travels in an `optional`.
template <class R>
struct completion {
    using value = std::conditional_t<std::default_initializable<R>, R, std::optional<R>>;
    using signature = void(std::exception_ptr, value);
};
template <>
struct completion<void> {
    using signature = void(std::exception_ptr);
};

/// A completion handler and its executor, which it keeps busy until the outcome was posted to it.
template <class R, class Handler>
class receiver {
public:
    /// `home` is for handlers without an executor. While the job lasts its slots keep that context running,
    /// so only another one needs to be told that there is work.
    receiver(Handler&& handler, const asio::any_io_executor& home)
        : executor_(asio::get_associated_executor(handler, home)), handler_(std::move(handler)) {
        if (&executor_.context() != &home.context()) {
            executor_ = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
        }
    }

    /// `now`, inside the executor `home`: by calling the handler, where it belongs to the same one.
    void complete(std::exception_ptr error, std::optional<stored<R>> result, bool now,
                  const asio::any_io_executor& home) {
        if (now && executor_ == home) return call(handler_, std::move(error), std::move(result));
        asio::require(executor_, asio::execution::blocking.never)
            .execute([handler = std::move(handler_), error = std::move(error),
                      result = std::move(result)]() mutable {
                call(handler, std::move(error), std::move(result));
            });
    }

private:
    static void call(Handler& handler, std::exception_ptr error, std::optional<stored<R>> result) {
        if constexpr (std::is_void_v<R>) {
            std::move(handler)(std::move(error));
        } else if (error) {
            std::move(handler)(std::move(error), typename completion<R>::value());
        } else {
            std::move(handler)(std::exception_ptr(), std::move(*result));
        }
    }

    asio::any_io_executor executor_;
    Handler handler_;
};

/// A job whose outcome goes to one completion handler.
template <class R, class Handler>
class submitted_job : public executor_job {
protected:
    submitted_job(kind k, executor_state& owner, Handler&& handler)
        : executor_job(k, owner), receiver_(std::in_place, std::move(handler), owner.get_executor()) {}

    void deliver(std::exception_ptr error, bool now) override {
        receiver_->complete(std::move(error), std::move(result), now, owner().get_executor());
    }
    void let_go() noexcept override { receiver_.reset(); }

    std::optional<stored<R>> result;

private:
    std::optional<receiver<R, Handler>> receiver_;
};

/// Lets cancellation of the waiting operation reach the job.
template <class Slot>
void cancel_through(Slot cancellation, executor_state& owner, boost::intrusive_ptr<executor_job> j) {
    cancellation.assign(
        [owner = std::weak_ptr(owner.shared()), j = std::move(j)](asio::cancellation_type type) {
            if (type == asio::cancellation_type::none) return;
            if (const auto alive = owner.lock()) alive->cancel(*j, errc::cancelled);
        });
}

/// What `executor::submit` returns: an operation that starts when awaited, or called with a completion token.
template <class Call>
class [[nodiscard]] submission {
    using result = typename Call::result;

public:
    submission(std::shared_ptr<executor_state> owner, std::optional<run_options> options, Call call)
        : owner_(std::move(owner)), options_(std::move(options)), call_(std::move(call)) {}

    template <asio::completion_token_for<typename completion<result>::signature> Token>
    auto operator()(Token&& token) && {
        return asio::async_initiate<Token, typename completion<result>::signature>(
            []<class Handler>(Handler&& handler, submission&& self) {
                self.start(std::forward<Handler>(handler));
            },
            token, std::move(*this));
    }

private:
    template <class H>
    void start(H&& handler) {
        using Handler = std::decay_t<H>;
        using job_type = call_job<submitted_job<result, Handler>, Call>;
        auto cancellation = asio::get_associated_cancellation_slot(handler);
        boost::intrusive_ptr<executor_job> j(
            new job_type(*owner_, std::move(call_), std::forward<H>(handler)), false);
        if (cancellation.is_connected()) cancel_through(cancellation, *owner_, j);
        owner_->launch(std::move(j), options_ ? &*options_ : nullptr, Call::repeatable, true);
    }

    std::shared_ptr<executor_state> owner_;
    std::optional<run_options> options_;
    Call call_;
};

/// Makes the result of an operation with `optional` values plain again.
template <class R, class Operation>
asio::awaitable<R> unwrapped(Operation operation) {
    std::optional<R> value = co_await std::move(operation);
    co_return std::move(*value);
}

}  // namespace taskflux::detail
