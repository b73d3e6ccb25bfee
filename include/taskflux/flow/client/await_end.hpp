#pragma once

#include <taskflux/broker/broker.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>

namespace taskflux::detail {

/// Waits for a task's end, for at most `wait`; nothing when it has not ended by then. `here`: the executor of the coroutine that
/// calls and awaits this at once. In a handler of a worker it finds out whether a slot is left for the task. Errors: those of
/// `broker::wait`; `no_worker` when only that worker could run it, all its slots are held by handlers that wait like this, and no
/// limit ends any of these waits.
asio::awaitable<std::optional<task_outcome>> await_end(broker_ptr broker, task_id id, duration wait,
                                                       const asio::any_io_executor& here);

}  // namespace taskflux::detail
