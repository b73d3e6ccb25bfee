#pragma once

// Clients, workers, workflows, schedules; nodes, their directory, task trees.
#include <taskflux/admin/directory.ipp>
#include <taskflux/admin/inspector.ipp>
#include <taskflux/admin/node.ipp>
#include <taskflux/admin/node/core.ipp>
#include <taskflux/flow/client.ipp>
#include <taskflux/flow/client/await_end.ipp>
#include <taskflux/flow/client/task_stream.ipp>
#include <taskflux/flow/context.ipp>
#include <taskflux/flow/queue_control.ipp>
#include <taskflux/flow/raw_queue.ipp>
#include <taskflux/flow/scheduler.ipp>
#include <taskflux/flow/scheduler/book.ipp>
#include <taskflux/flow/scheduler/core.ipp>
#include <taskflux/flow/scheduler/declared.ipp>
#include <taskflux/flow/worker.ipp>
#include <taskflux/flow/worker/control.ipp>
#include <taskflux/flow/worker/core.ipp>
#include <taskflux/flow/worker/crew.ipp>
#include <taskflux/flow/worker/monitor.ipp>
#include <taskflux/flow/worker/plain_call.ipp>
#include <taskflux/flow/workflow/calls.ipp>
#include <taskflux/flow/workflow/children.ipp>
#include <taskflux/flow/workflow/notebook.ipp>
#include <taskflux/flow/workflow/notebook/names.ipp>
#include <taskflux/flow/workflow/steps.ipp>
