#pragma once

// Tasks as users see them: clients, workers, handlers, workflows, schedules, raw queues.
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/consumer.hpp>
#include <taskflux/flow/context.hpp>
#include <taskflux/flow/job.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/running_task.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/scheduler_observer.hpp>
#include <taskflux/flow/scheduler_options.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker_observer.hpp>
#include <taskflux/flow/worker_options.hpp>
