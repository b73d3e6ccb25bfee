#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/cancellation_condition.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <string>
#include <utility>

namespace taskflux::detail {

/// Awaits `work` and returns its result. When `source` reads `ends` before, cancels it and throws `timed_out`; `what` names
/// the work in the error.
/// `source` must outlive it. Cancellation (terminal): that of `work`.
template <class T>
asio::awaitable<T> in_time(clock& source, time_point ends, asio::awaitable<T> work, std::string what) {
    const auto executor = co_await asio::this_coro::executor;
    auto both = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                        asio::co_spawn(executor, sleep_until(source, ends), asio::deferred));
    auto [order, failure, value, cancelled] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    const bool is_late = order[0] == 1;
    if (is_late && cancelled) std::rethrow_exception(cancelled);
    if (is_late) throw error(errc::timed_out, what + " timed out: the broker has not answered; check the connection to it");
    if (failure) std::rethrow_exception(failure);
    co_return std::move(value);
}

}  // namespace taskflux::detail
