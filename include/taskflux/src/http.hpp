#pragma once

// The gateway, for programs that include <taskflux/http.hpp>. Not in <taskflux/src.hpp>: others do not compile it.
#include <taskflux/http/call.ipp>
#include <taskflux/http/headers.ipp>
#include <taskflux/http/problem.ipp>
#include <taskflux/http/request.ipp>
#include <taskflux/http/route.ipp>
#include <taskflux/http/router.ipp>
#include <taskflux/http/server/drain.ipp>
#include <taskflux/http/values.ipp>
