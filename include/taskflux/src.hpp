#pragma once

// For exactly one .cpp file of a program: the bodies of what taskflux uses from Boost, and of what it need not compile in
// every file that includes it.
#include <taskflux/admin/directory.ipp>
#include <taskflux/admin/inspector.ipp>
#include <taskflux/admin/node.ipp>
#include <taskflux/app/app.ipp>
#include <taskflux/app/app/command_line.ipp>
#include <taskflux/app/app/log_writer.ipp>
#include <taskflux/app/config.ipp>
#include <taskflux/app/config/check.ipp>
#include <taskflux/broker/exchange.ipp>
#include <taskflux/broker/memory.ipp>
#include <taskflux/broker/redis.ipp>
#include <taskflux/calls/rpc.ipp>
#include <taskflux/calls/rpc/letters.ipp>
#include <taskflux/calls/service.ipp>
#include <taskflux/calls/service/core.ipp>
#include <taskflux/calls/stream.ipp>
#include <taskflux/calls/stream/inlet.ipp>
#include <taskflux/calls/stream/outlet.ipp>
#include <taskflux/core/snowflake.ipp>
#include <taskflux/core/time_text.ipp>
#include <taskflux/core/zone.ipp>
#include <taskflux/exec/slots/slots.ipp>
#include <taskflux/flow/client.ipp>
#include <taskflux/flow/client/task_stream.ipp>
#include <taskflux/flow/context.ipp>
#include <taskflux/flow/raw_queue.ipp>
#include <taskflux/flow/scheduler.ipp>
#include <taskflux/flow/scheduler/book.ipp>
#include <taskflux/flow/worker.ipp>
#include <taskflux/flow/workflow/calls.ipp>
#include <taskflux/flow/workflow/children.ipp>
#include <taskflux/flow/workflow/notebook.ipp>
#include <taskflux/flow/workflow/steps.ipp>
#include <taskflux/host.ipp>

#include <boost/json/src.hpp>
#include <boost/redis/src.hpp>
