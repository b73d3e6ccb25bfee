#pragma once

// Runs coroutines and plain functions on Asio executors, bounded and with retries. Knows nothing of queues.
#include <taskflux/exec/executor.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/exec/handle.hpp>
#include <taskflux/exec/when_all.hpp>
