#pragma once

#include <taskflux/core/task.hpp>
#include <taskflux/log.hpp>

#include <string>

namespace taskflux::detail {

/// Appends lines of this level and above to a file; an empty path: writes them to the standard error stream. Errors:
/// `config_error` for a file that can't be opened.
log_sink open_log(const std::string& path, log_level least);

}  // namespace taskflux::detail
