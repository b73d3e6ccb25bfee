#pragma once

#include <taskflux/app/app/log_writer.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/codec/timestamp.hpp>
#include <taskflux/core/task/failure.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <cerrno>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

namespace taskflux::detail {

std::string log_text(const log_line& line, const task_id* task) {
    std::string text;
    output out(text);
    append_timestamp(out, to_instant(line.at));
    out.push_back(' ');
    out.append(boost::describe::enum_to_string(line.level, "?"));
    out.push_back(' ');
    for (const char c : line.text) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7f) append_escaped(out, c);
        else out.push_back(c);
    }
    const auto field = [&](std::string_view name, std::string_view value) {
        out.push_back(' ');
        out.append(name);
        out.push_back('=');
        append_string(out, value);
    };
    if (task) field("task", to_string(*task));
    for (const auto& [name, value] : line.fields) field(name, value);
    out.finish();
    return text;
}

log_writer::log_writer(const std::string& path, log_level least) : least_(least), out_(path.empty() ? std::cerr : file_) {
    if (path.empty()) return;
    errno = 0;
    file_.open(path, std::ios::app | std::ios::binary);
    if (file_) return;
    throw config_error("/log_path", "the log file " + path + " can't be opened: " + std::generic_category().message(errno));
}

void log_writer::write(const log_line& line, const task_id* task) {
    if (line.level < least_) return;
    const auto text = log_text(line, task) + '\n';
    const std::lock_guard lock(mutex_);
    out_.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
    out_.clear();  // a full disk may have room again
}

void log_writer::write(log_level level, std::string_view text) {
    log_line line;
    line.at = real_clock().wall();
    line.level = level;
    line.text = as_utf8(text);
    write(line);
}

}  // namespace taskflux::detail
