#pragma once

// All of taskflux but its HTTP edge, floor by floor. Exactly one .cpp file of a program also includes <taskflux/src.hpp>.
#include <taskflux/admin.hpp>
#include <taskflux/app.hpp>
#include <taskflux/broker.hpp>
#include <taskflux/calls.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core.hpp>
#include <taskflux/exec.hpp>
#include <taskflux/flow.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/host.hpp>
#include <taskflux/log.hpp>
#include <taskflux/stop_on_error.hpp>
#include <taskflux/version.hpp>
