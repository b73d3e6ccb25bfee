#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace taskflux::detail {

/// The name of a FastTask deployment: what its result ids begin with. 8 letters and digits, drawn once, and kept by the broker, so
/// that all gateways have it, also after restarts. Errors: those of the broker.
asio::awaitable<std::string> fasttask_running_id(broker_ptr broker);

/// A result id of a deployment.
std::string new_fasttask_id(std::string_view running_id);

/// A random UUID (version 4).
std::string random_uuid();

/// Whether an id is of that deployment.
inline bool is_of_deployment(std::string_view id, std::string_view running_id) { return id.starts_with(running_id); }

}  // namespace taskflux::detail
