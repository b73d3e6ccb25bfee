#pragma once

namespace taskflux::detail {

/// Names the chain of coroutines that await each other and whose last one awaits the operation that `handler` completes.
/// Branches of a group and other coroutines that were spawned are chains of their own. Null where Asio does not tell.
template <class Handler>
const void* coroutine_chain(Handler& handler) noexcept {
    if constexpr (requires { handler.entry_point(); }) return handler.entry_point();
    else return nullptr;
}

}  // namespace taskflux::detail
