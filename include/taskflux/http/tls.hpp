#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <memory>
#include <string>

namespace taskflux {

namespace detail {
class transport;
}

namespace http {

/// Encrypts a gateway's connections, TLS 1.2 and newer, by OpenSSL; for `gateway_options::carry_by`. Its bodies are in
/// <taskflux/src/http_tls.hpp>: who does not include this needs no TLS.
///
/// `certificate` and `key`: PEM files, the certificate with the chain behind it. They are read again within seconds when they have
/// changed; where the new ones can't be used, the old ones stay, and the log says why. An encrypted connection holds some 40 KiB.
/// Errors: `invalid_argument` for files that can't be read or do not belong together.
std::shared_ptr<detail::transport> tls(std::string certificate, std::string key);

/// With a new certificate that nobody has signed: P-256, for "localhost" and 127.0.0.1, 365 days. Clients must be told not to
/// check it: for tests, and for machines that trust their network.
std::shared_ptr<detail::transport> tls_self_signed();

}  // namespace http
}  // namespace taskflux
