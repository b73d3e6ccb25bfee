#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// How a call has ended: with a value, or with what it threw. (No aggregate: GCC 12 destroys temporaries of those twice in a
/// co_await expression.)
template <class T>
class outcome {
public:
    explicit outcome(stored<T> value) : value_(std::move(value)) {}
    explicit outcome(std::exception_ptr failure) : failure_(std::move(failure)) {}

    /// Null when it ended with a value.
    const std::exception_ptr& failure() const { return failure_; }

    /// The value, once. Throws what the call threw.
    T take() {
        if (failure_) std::rethrow_exception(failure_);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

private:
    std::optional<stored<T>> value_;
    std::exception_ptr failure_;
};

/// Whether `error` says that a coroutine was cancelled.
inline bool is_abort(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// Awaits `call`, and returns how it has ended instead of throwing, so that the code after it can await: a `catch` can't.
/// Pass a named awaitable. Where the coroutine has been cancelled before, the call is not begun, and this await itself
/// throws `operation_aborted`, as any does. Costs a coroutine frame: not for code that runs for each task.
template <class T>
asio::awaitable<outcome<T>> caught(asio::awaitable<T> call) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(call);
            co_return outcome<T>(stored<T>());
        } else {
            T value = co_await std::move(call);
            co_return outcome<T>(std::move(value));
        }
    } catch (...) {
        co_return outcome<T>(std::current_exception());
    }
}

}  // namespace taskflux::detail
