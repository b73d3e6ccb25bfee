#pragma once

// Values and decisions: contracts, options, states, retry, cron, JSON. No I/O, no clock, no randomness.
#include <taskflux/core/children.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/core/cron.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/fault.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/core/search.hpp>
#include <taskflux/core/snowflake.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/statistics.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/time_text.hpp>
#include <taskflux/core/trace_context.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/core/zone.hpp>
