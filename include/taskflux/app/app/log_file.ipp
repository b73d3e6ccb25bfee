#pragma once

#include <taskflux/app/app/log_file.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/app/config/load.hpp>

#include <cerrno>
#include <fstream>
#include <ios>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

namespace taskflux::detail {

log_sink open_log(const std::string& path, log_level least) {
    if (path.empty()) return log_sink::standard_error(least);
    struct log_file {
        std::mutex mutex;
        std::ofstream out;
    };
    const auto file = std::make_shared<log_file>();
    errno = 0;
    file->out.open(path, std::ios::app | std::ios::binary);
    if (!file->out) {
        const auto why = std::generic_category().message(errno);
        throw config_error("/log_path", "the log file " + shown_file(path, "whose path may be a URL") + " can't be opened: " + why);
    }
    return log_sink([file, least](const log_line& line, const task_id* task) {
        if (line.level < least) return;
        const auto text = log_text(line, task) + '\n';
        const std::lock_guard lock(file->mutex);
        file->out.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
        file->out.clear();  // a full disk may have room again
    });
}

}  // namespace taskflux::detail
