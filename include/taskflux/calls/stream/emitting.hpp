#pragma once

#include <taskflux/calls/stream.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/exec/handler/typed_handler.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// Makes a handler of a function that emits: one that takes (Context&, emitter<T>&, Payload) or (emitter<T>&, Payload).
template <class T, class P, class Function, class Context>
class emitting {
    template <class... Payload>
    static constexpr bool fits_with = std::is_invocable_r_v<asio::awaitable<void>, Function&, Context&, emitter<T>&, Payload...> ||
                                      std::is_invocable_r_v<asio::awaitable<void>, Function&, emitter<T>&, Payload...>;
    static constexpr bool fits() {
        if constexpr (std::is_void_v<P>) return fits_with<>;
        else return fits_with<P>;
    }

public:
    static constexpr bool is_valid = fits();

    explicit emitting(Function function) : function_(std::move(function)) {}

    template <class... Payload>
        requires(fits_with<Payload...>)
    asio::awaitable<void> operator()(Context& ctx, Payload... payload) {
        const auto to = ctx.open_outlet();
        emitter<T> out(to);
        std::exception_ptr failure;
        try {
            if constexpr (std::invocable<Function&, Context&, emitter<T>&, Payload...>) {
                co_await std::invoke(function_, ctx, out, std::move(payload)...);
            } else {
                co_await std::invoke(function_, out, std::move(payload)...);
            }
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) {
            co_await end_stream(to);
            co_return;
        }
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() == asio::cancellation_type::none) co_await flush_stream(to);  // the values come before the failure
        std::rethrow_exception(failure);
    }

private:
    Function function_;
};

/// A handler made of a function that emits.
template <class T, class P, class Function, class Context>
std::unique_ptr<basic_handler<Context>> emitting_handler(Function function, retry_policy::predicate test = nullptr) {
    using made = emitting<T, P, Function, Context>;
    static_assert(made::is_valid,
                  "this function emits values: it must take (taskflux::emitter<T>&, Payload), perhaps behind its context, with "
                  "T and Payload as the contract names them, and return asio::awaitable<void>");
    if constexpr (!is_payload<T>) {
        detail::require_payload<T>();
    } else if constexpr (!std::is_void_v<P> && !is_payload<P>) {
        detail::require_payload<P>();
    } else if constexpr (made::is_valid) {
        return std::make_unique<typed_handler<void, P, made, Context>>(made(std::move(function)), test, true);
    }
    return nullptr;
}

}  // namespace taskflux::detail
