#pragma once

#include <taskflux/core/failure.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace test {

namespace asio = boost::asio;

/// How a spawned coroutine ended, once it has.
template <class R>
struct coroutine_end {
    bool done = false;
    std::exception_ptr error;
    std::optional<taskflux::detail::stored<R>> value;
    asio::cancellation_signal signal;

    void cancel() { signal.emit(asio::cancellation_type::terminal); }

    /// What it returned; throws what it threw.
    R get() {
        if (error) std::rethrow_exception(error);
        if (!done) throw std::logic_error("it has not ended");
        if constexpr (!std::is_void_v<R>) return std::move(*value);
    }

    /// The code that it threw, or none.
    boost::system::error_code code() const {
        if (!error) return {};
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& e) {
            return e.code();
        }
    }
    bool failed_with(taskflux::errc why) const { return code() == why; }

    std::string what() const {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::exception& e) {
            return e.what();
        }
        return {};
    }

    taskflux::task_failed failed() const {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const taskflux::task_failed& e) {
            return e;
        } catch (const std::exception& e) {
            throw std::logic_error(std::string("ended otherwise: ") + e.what());
        }
        throw std::logic_error(done ? "it did not fail" : "it has not ended");
    }
};

template <class R>
asio::awaitable<void> keep_value(asio::awaitable<R> coroutine, std::shared_ptr<coroutine_end<R>> into) {
    if constexpr (std::is_void_v<R>) {
        co_await std::move(coroutine);
        into->value.emplace();
    } else {
        into->value.emplace(co_await std::move(coroutine));
    }
}

/// Starts a coroutine; what is returned tells how it ended. Only `keep_value` is made anew for each type of result:
/// `asio::co_spawn` with a handler that takes the value would be, and costs a source some 0.5 s for each.
template <class R>
std::shared_ptr<coroutine_end<R>> start_on(const asio::any_io_executor& executor, asio::awaitable<R> coroutine) {
    auto end = std::make_shared<coroutine_end<R>>();
    taskflux::detail::spawn_on(
        executor, keep_value(std::move(coroutine), end),
        [end](std::exception_ptr error) {
            end->done = true;
            end->error = error;
        },
        end->signal.slot());
    return end;
}

}  // namespace test
