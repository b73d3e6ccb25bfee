#pragma once

#define TASKFLUX_VERSION_MAJOR 0
#define TASKFLUX_VERSION_MINOR 1
#define TASKFLUX_VERSION_PATCH 0

namespace taskflux {

/// The library's version as text, "major.minor.patch".
inline constexpr const char* version = "0.1.0";

}  // namespace taskflux
