#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

namespace taskflux::http::syntax {

/// An IPv4 address that a socket for both kinds gives as ::ffff:1.2.3.4 as what it is; of others, without a zone.
inline boost::asio::ip::address plain_address(const boost::asio::ip::address& given) {
    namespace ip = boost::asio::ip;
    if (given.is_v4()) return given;
    const auto six = given.to_v6();
    if (six.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, six);
    return ip::address_v6(six.to_bytes());
}

}  // namespace taskflux::http::syntax
