#pragma once

#include <taskflux/detail/platform/socket.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <poll.h>
#include <sys/socket.h>
#endif

namespace taskflux::detail {

#if defined(__linux__)

bool has_peer_finished(boost::asio::detail::socket_type handle) {
    pollfd one{handle, POLLRDHUP, 0};
    return poll(&one, 1, 0) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

#elif defined(__unix__) || defined(__APPLE__)

bool has_peer_finished(boost::asio::detail::socket_type handle) {
    pollfd one{handle, POLLIN, 0};
    if (poll(&one, 1, 0) <= 0) return false;
    char byte = 0;
    return recv(handle, &byte, 1, MSG_PEEK) == 0 || (one.revents & (POLLHUP | POLLERR)) != 0;
}

#else

bool has_peer_finished(boost::asio::detail::socket_type) { return false; }

#endif

}  // namespace taskflux::detail
