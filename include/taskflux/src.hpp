#pragma once

// For exactly one .cpp file of a program: the bodies of what taskflux uses from Boost, and of what it need not compile in
// every file that includes it. Each part may stand in a .cpp file of its own instead, to compile side by side and with less
// memory, and may be left out where nothing needs it: docs/install.md.
#include <taskflux/src/app.hpp>
#include <taskflux/src/core.hpp>
#include <taskflux/src/flow.hpp>
#include <taskflux/src/json.hpp>
#include <taskflux/src/redis.hpp>
#include <taskflux/src/redis_client.hpp>
