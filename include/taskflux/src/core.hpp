#pragma once

// What stands below tasks: values, time, the executor, what passes between processes, the embedded broker; methods, services,
// streams.
#include <taskflux/broker/exchange.ipp>
#include <taskflux/broker/memory.ipp>
#include <taskflux/calls/rpc.ipp>
#include <taskflux/calls/rpc/core.ipp>
#include <taskflux/calls/rpc/messages.ipp>
#include <taskflux/calls/service.ipp>
#include <taskflux/calls/service/core.ipp>
#include <taskflux/calls/stream.ipp>
#include <taskflux/calls/stream/inlet.ipp>
#include <taskflux/calls/stream/outlet.ipp>
#include <taskflux/core/snowflake.ipp>
#include <taskflux/core/time_text.ipp>
#include <taskflux/core/zone.ipp>
#include <taskflux/detail/event.ipp>
#include <taskflux/detail/live.ipp>
#include <taskflux/detail/nursery.ipp>
#include <taskflux/detail/platform/process.ipp>
#include <taskflux/detail/sleep.ipp>
#include <taskflux/detail/spawn.ipp>
#include <taskflux/exec/executor/executor_state.ipp>
#include <taskflux/exec/slots/slots.ipp>
#include <taskflux/host.ipp>
#include <taskflux/log.ipp>
#include <taskflux/stop_on_error.ipp>
