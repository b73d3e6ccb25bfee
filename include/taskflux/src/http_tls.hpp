#pragma once

// TLS for the gateway, for programs that include <taskflux/http/tls.hpp>; needs <taskflux/src/http.hpp> beside it.
#include <taskflux/http/tls.ipp>
