#pragma once

#include <taskflux/core/limit.hpp>

#include <map>
#include <string>

namespace taskflux::detail {

/// What a worker declares, by queue.
using queue_limit_map = std::map<std::string, limit>;

}  // namespace taskflux::detail
