#pragma once

#include <taskflux/core/limit.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

/// What a worker declares: of a queue, of each of its keys (an empty text), or of one.
using queue_limit_map = std::map<std::pair<std::string, std::optional<std::string>>, limit>;

}  // namespace taskflux::detail
