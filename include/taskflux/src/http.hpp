#pragma once

// The gateway, for programs that include <taskflux/http.hpp>. Not in <taskflux/src.hpp>: others do not compile it.
#include <taskflux/detail/platform/socket.ipp>
#include <taskflux/http/call.ipp>
#include <taskflux/http/cors.ipp>
#include <taskflux/http/exposed.ipp>
#include <taskflux/http/gateway.ipp>
#include <taskflux/http/headers.ipp>
#include <taskflux/http/native/health.ipp>
#include <taskflux/http/native/job_view.ipp>
#include <taskflux/http/native/tasks.ipp>
#include <taskflux/http/problem.ipp>
#include <taskflux/http/request.ipp>
#include <taskflux/http/route.ipp>
#include <taskflux/http/router.ipp>
#include <taskflux/http/server/access_log.ipp>
#include <taskflux/http/server/answer_head.ipp>
#include <taskflux/http/server/common.ipp>
#include <taskflux/http/server/connection.ipp>
#include <taskflux/http/server/core.ipp>
#include <taskflux/http/server/drain.ipp>
#include <taskflux/http/server/head.ipp>
#include <taskflux/http/server/sending.ipp>
#include <taskflux/http/server/transport.ipp>
#include <taskflux/http/values.ipp>
