#pragma once

// For exactly one .cpp file of a program: the bodies of what taskflux uses from Boost, and of what it need not compile in
// every file that includes it.
#include <taskflux/broker/exchange.ipp>
#include <taskflux/broker/memory.ipp>
#include <taskflux/broker/redis.ipp>
#include <taskflux/core/snowflake.ipp>
#include <taskflux/core/time_text.ipp>
#include <taskflux/core/zone.ipp>
#include <taskflux/exec/slots.ipp>
#include <taskflux/flow/app.ipp>
#include <taskflux/flow/app/check.ipp>
#include <taskflux/flow/app/command_line.ipp>
#include <taskflux/flow/app/log_writer.ipp>
#include <taskflux/flow/app_config.ipp>
#include <taskflux/flow/client.ipp>
#include <taskflux/flow/context.ipp>
#include <taskflux/flow/directory.ipp>
#include <taskflux/flow/host.ipp>
#include <taskflux/flow/inspector.ipp>
#include <taskflux/flow/node.ipp>
#include <taskflux/flow/raw_queue.ipp>
#include <taskflux/flow/rpc.ipp>
#include <taskflux/flow/rpc/letters.ipp>
#include <taskflux/flow/rpc/service_core.ipp>
#include <taskflux/flow/scheduler.ipp>
#include <taskflux/flow/scheduler/book.ipp>
#include <taskflux/flow/service.ipp>
#include <taskflux/flow/stream.ipp>
#include <taskflux/flow/stream/inlet.ipp>
#include <taskflux/flow/stream/outlet.ipp>
#include <taskflux/flow/stream/task.ipp>
#include <taskflux/flow/worker.ipp>
#include <taskflux/flow/workflow/calls.ipp>
#include <taskflux/flow/workflow/children.ipp>
#include <taskflux/flow/workflow/notebook.ipp>
#include <taskflux/flow/workflow/steps.ipp>

#include <boost/json/src.hpp>
#include <boost/redis/src.hpp>
