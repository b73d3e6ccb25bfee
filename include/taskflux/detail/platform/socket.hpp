#pragma once

#include <boost/asio/detail/socket_types.hpp>

namespace taskflux::detail {

/// Whether the other side of a connected TCP socket sends nothing more, because it has closed it, or is gone: also where bytes
/// that were sent before are not read yet, if the system tells. False where it can't be known.
bool has_peer_finished(boost::asio::detail::socket_type handle);

}  // namespace taskflux::detail
