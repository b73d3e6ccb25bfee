#pragma once

// Values, time, the executor, and what passes between processes.
#include <taskflux/broker/exchange.ipp>
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
