#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/awaitable.hpp>

#include <utility>

namespace taskflux::detail {

/// Begins `work` on the broker's executor, and drops what it throws. Does nothing where the broker is closed: its context may
/// be gone. For values, which may outlive that.
inline void spawn_in_background(const broker_ptr& on, asio::awaitable<void> work) {
    if (!on->is_closed()) spawn_ignoring_errors(on->get_executor(), std::move(work));
}

}  // namespace taskflux::detail
