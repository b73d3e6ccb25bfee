#pragma once

#include <taskflux/detail/platform/process.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/host.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>

namespace taskflux {

std::string own_ip() {
    asio::io_context context;
    asio::ip::udp::socket socket(context);
    boost::system::error_code ec;
    // Connecting a datagram socket sends nothing: the system only chooses the way. The address is one for documentation
    // (RFC 5737), which no machine has.
    socket.connect(asio::ip::udp::endpoint(asio::ip::make_address_v4("192.0.2.1"), 9), ec);
    const auto mine = socket.local_endpoint(ec);
    return ec || mine.address().is_unspecified() ? "127.0.0.1" : mine.address().to_string();
}

double host_load() { return detail::load_average(); }

std::uint64_t resident_memory() { return detail::resident_bytes(); }

}  // namespace taskflux
