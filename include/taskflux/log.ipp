#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/codec/timestamp.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/log.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

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

}  // namespace detail

log_sink log_sink::standard_error(log_level least) {
    return log_sink([least](const log_line& line, const task_id* task) {
        if (line.level < least) return;
        const auto text = detail::log_text(line, task) + '\n';
        std::fwrite(text.data(), 1, text.size(), stderr);  // in one call: lines of several threads don't mix
    });
}

void log_sink::operator()(log_level level, std::string text) const noexcept {
    if (!function_) return;
    try {
        log_line line;
        line.at = (clock_ ? *clock_ : real_clock()).wall();
        line.level = level;
        line.text = detail::as_utf8(text);
        (*this)(line);
    } catch (...) {  // no memory for a line
    }
}

}  // namespace taskflux
