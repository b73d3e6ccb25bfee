#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::http {

/// The proxies in front of a gateway, which alone are believed: by addresses and ranges of them. A value.
class proxies {
public:
    /// None.
    proxies() = default;

    /// `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. Errors: `invalid_argument`, for what is neither, and for a range whose address has
    /// bits behind its prefix.
    explicit proxies(std::span<const std::string> ranges);

    bool contains(const boost::asio::ip::address& one) const;

private:
    struct range {
        boost::asio::ip::address first;
        unsigned prefix;  // in bits
    };

    std::vector<range> ranges_;
};

/// The fields that a proxy adds, as they were received: several fields of one name joined by commas.
struct forwarded_fields {
    std::optional<std::string_view> for_, proto, host;
};

/// Where a request comes from, as far as it can be believed.
struct client_origin {
    boost::asio::ip::address address;
    bool is_https = false;
    std::string host;  ///< as the client named it; from the Host field, or X-Forwarded-Host
};

/// Of a connection from `peer`. X-Forwarded-For, -Proto and -Host count only where that is one of the proxies. X-Forwarded-For is
/// read from its end on, where the nearest proxy has written, until an address that is no proxy: that is the client; an entry
/// that is no address ends it. Of the other two the last value counts: the nearest proxy wrote or passed it.
client_origin origin_of(const boost::asio::ip::address& peer, bool is_tls, std::string_view host, const forwarded_fields& fields,
                        const proxies& believed);

}  // namespace taskflux::http
