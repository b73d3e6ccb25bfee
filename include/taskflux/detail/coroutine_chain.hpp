#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <utility>

namespace taskflux::detail {

/// Names the chain of coroutines that await each other and whose last one awaits the operation that `handler` completes.
/// Branches of a group and other coroutines that were spawned are chains of their own. Null where Asio does not tell.
template <class Handler>
const void* coroutine_chain(Handler& handler) noexcept {
    if constexpr (requires { handler.entry_point(); }) return handler.entry_point();
    else return nullptr;
}

/// The chain of the coroutine that awaits this.
inline auto own_chain() {
    return asio::async_initiate<const asio::deferred_t, void(const void*)>(
        [](auto handler) {
            const auto* const chain = coroutine_chain(handler);
            std::move(handler)(chain);
        },
        asio::deferred);
}

}  // namespace taskflux::detail
