#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <exception>
#include <functional>

namespace taskflux::detail {

/// Begins `work` on `executor`, at once where the caller runs there. `on_end` is called there, with what `work` threw, or
/// null; not when the context ends before. `stop`, emitted where `work` runs and once this has returned, cancels it (terminal
/// cancellation only).
/// For code that does not run for each task: each further type of handler for `asio::co_spawn` makes builds slower.
void spawn_on(const asio::any_io_executor& executor, asio::awaitable<void> work, std::function<void(std::exception_ptr)> on_end,
              asio::cancellation_slot stop = asio::cancellation_slot());

/// Begins `work` on `executor`, and drops what it throws: for work that handles its errors itself, or whose failure does no
/// harm.
void spawn_ignoring_errors(const asio::any_io_executor& executor, asio::awaitable<void> work);

}  // namespace taskflux::detail
