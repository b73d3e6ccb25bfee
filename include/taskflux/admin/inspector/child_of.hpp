#pragma once

#include <taskflux/admin/inspector.hpp>

#include <boost/asio/awaitable.hpp>

namespace taskflux::detail {

/// A subtask that a parent's journal names, as its record has it, or else as the journal knows it.
asio::awaitable<task_node> child_of(broker_ptr broker, const journal_entry& entry);

}  // namespace taskflux::detail
