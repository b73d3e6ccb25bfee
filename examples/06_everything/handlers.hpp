#pragma once

#include "contracts.hpp"

#include <taskflux/flow/worker.hpp>

/// Sets the handlers of this program's tasks. `worker` must not outlive its execution context.
void add_handlers(taskflux::worker& worker);
