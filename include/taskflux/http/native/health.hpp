#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>
#include <taskflux/http/gateway_options.hpp>
#include <taskflux/http/router.hpp>

namespace taskflux::detail {

/// `GET /livez`, `/readyz` and `/metrics`.
void add_health(http::routes& to, const http::gateway_parts& with, const gateway_options& options);

}  // namespace taskflux::detail
