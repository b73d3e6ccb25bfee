#pragma once

// A whole program from one config: queues, services, schedules, log, signals.
#include <taskflux/app/app.hpp>
#include <taskflux/app/config.hpp>
