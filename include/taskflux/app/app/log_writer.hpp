#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <fstream>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// `2026-01-31T12:00:00.25Z warning text task="default:~1.x" name="value"`: a line whatever the text holds, with no end.
std::string log_text(const log_line& line, const task_id* task);

/// Appends log lines to a file, or to the standard error stream. Thread-safe.
class log_writer {
public:
    /// An empty path: the standard error stream. Throws `config_error` for a file that can't be opened.
    log_writer(const std::string& path, log_level least);

    /// Does nothing for a line below the least level.
    void write(const log_line& line, const task_id* task = nullptr);
    void write(log_level level, std::string_view text);

private:
    const log_level least_;
    std::mutex mutex_;
    std::ofstream file_;
    std::ostream& out_;
};

}  // namespace taskflux::detail
