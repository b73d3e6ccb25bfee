#pragma once

// All of taskflux but its HTTP edge. Exactly one .cpp file of a program also includes <taskflux/src.hpp>.
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/exec/executor.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/version.hpp>
