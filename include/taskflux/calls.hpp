#pragma once

// Work wanted now, kept nowhere: methods, services, streams of values. Stands on the broker's messages alone.
#include <taskflux/calls/call_context.hpp>
#include <taskflux/calls/call_observer.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/calls/service_options.hpp>
#include <taskflux/calls/stream.hpp>
