#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/fwd.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// A task with this header emits its values to the reader that it names.
inline constexpr std::string_view stream_header = "taskflux-stream";

struct stream_reader {
    std::string address;
    std::size_t window = 1;
};

/// See `inlet::open`; the source is the task of this name.
std::shared_ptr<inlet> open_inlet(broker_ptr broker, std::size_t window, fault_list faults, std::string_view task);

std::string stream_header_for(const inlet& reader);

/// Throws `errc::invalid_argument`.
stream_reader read_stream_header(std::string_view text);

/// Ends the inlet when that task ends, and cancels the task when the reader leaves before.
void follow_task(const task_id& id, inlet& reader);

}  // namespace taskflux::detail
