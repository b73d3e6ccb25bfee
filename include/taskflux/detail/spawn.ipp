#pragma once

#include <taskflux/detail/spawn.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace taskflux::detail {

void spawn_on(const asio::any_io_executor& executor, asio::awaitable<void> work, std::function<void(std::exception_ptr)> on_end,
              asio::cancellation_slot stop) {
    asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(stop, std::move(on_end)));
}

void spawn_ignoring_errors(const asio::any_io_executor& executor, asio::awaitable<void> work) {
    spawn_on(executor, std::move(work), [](std::exception_ptr) {});
}

}  // namespace taskflux::detail
