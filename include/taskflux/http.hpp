#pragma once

// Serves tasks over HTTP: a router of typed handlers, a server, and the gateway that puts both in front of a broker.
#include <taskflux/http/access_form.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/cors.hpp>
#include <taskflux/http/dialect.hpp>
#include <taskflux/http/exposed.hpp>
#include <taskflux/http/gateway.hpp>
#include <taskflux/http/gateway_options.hpp>
#include <taskflux/http/headers.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/limits.hpp>
#include <taskflux/http/long_task.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/route.hpp>
#include <taskflux/http/router.hpp>
#include <taskflux/http/task_center.hpp>
#include <taskflux/http/values.hpp>
