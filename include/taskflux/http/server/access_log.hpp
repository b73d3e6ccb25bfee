#pragma once

#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/access_form.hpp>
#include <taskflux/http/call.hpp>

#include <cstdint>
#include <exception>

namespace taskflux::detail {

/// The line of a request that was answered with `status` and a body of `sent` bytes, after `took`. Without the query, which may
/// hold what is secret. The request's id, method, path, user and status are fields, too.
log_line access_line(http::access_form form, const http::call& in, unsigned status, std::uint64_t sent, duration took, time_point now);

/// The line of a request that has failed by a fault of the server.
log_line failure_line(const http::call& in, const std::exception_ptr& why, time_point now);

}  // namespace taskflux::detail
