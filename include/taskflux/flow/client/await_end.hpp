#pragma once

#include <taskflux/broker/broker.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>

namespace taskflux::detail {

struct plain_call;

/// The handler whose plain function makes a call on this thread, which it may block until the end of what it calls; null where
/// there is none.
std::shared_ptr<const plain_call> calling_function();

/// Waits for a task's end, for at most `wait`; nothing when it has not ended by then. `here`: the executor of the coroutine that
/// calls and awaits this at once. `by`: for which plain function. In a handler of a worker it finds out whether a slot, or a
/// thread, is left for the task; of a plain function, which may wait for something else, that is only said. Errors: those of
/// `broker::wait`; `no_worker` when only that worker could run it, all its slots are held by handlers that wait like this, and no
/// limit ends any of these waits.
asio::awaitable<std::optional<task_outcome>> await_end(broker_ptr broker, task_id id, duration wait,
                                                       const asio::any_io_executor& here, std::shared_ptr<const plain_call> by);

}  // namespace taskflux::detail
