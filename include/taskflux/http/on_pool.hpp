#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace taskflux::http {

namespace pool_calls {

/// What is spawned: its result may have no default, which `co_spawn` asks for.
template <class Result, class Function>
boost::asio::awaitable<std::optional<Result>> call(Function function) {
    co_return std::optional<Result>(function());
}

template <class Function>
boost::asio::awaitable<void> call_only(Function function) {
    function();
    co_return;
}

}  // namespace pool_calls

/// Calls a function that blocks on a thread of `pool`, and comes back with what it returns or throws, on the caller's executor.
/// A call that has begun is not cancelled, and this does not come back before it; a pool that is stopped before never calls it.
template <class Function>
boost::asio::awaitable<std::invoke_result_t<Function&>> on_pool(boost::asio::any_io_executor pool, Function function) {
    using result = std::invoke_result_t<Function&>;
    if constexpr (std::is_void_v<result>) {
        auto called = boost::asio::co_spawn(pool, pool_calls::call_only(std::move(function)), boost::asio::use_awaitable);
        co_await std::move(called);
    } else {
        auto called = boost::asio::co_spawn(pool, pool_calls::call<result>(std::move(function)), boost::asio::use_awaitable);
        auto made = co_await std::move(called);
        co_return std::move(*made);
    }
}

}  // namespace taskflux::http
