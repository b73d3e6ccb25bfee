#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/http/native/job_view.hpp>

#include <string>

namespace taskflux::detail {

boost::json::value stored_json(std::string_view text) {
    try {
        return parse_json(text, decode_limits().max_size(text.size()).max_depth(64), {});
    } catch (const payload_error&) {  // bytes: a payload or result of type `raw`
        if (is_utf8(text)) return boost::json::value(text);
        std::string coded;
        output out(coded);
        append_base64(out, text);
        out.finish();
        return boost::json::value(coded);
    }
}

http::job_view view_of(const task_record& record) {
    const auto text = [](const std::string& given) { return given.empty() ? std::optional<std::string>() : std::optional(given); };
    const auto time = [](time_point given) {
        return given == time_point() ? std::optional<http::moment>() : std::optional<http::moment>(given);
    };
    http::job_view made;
    made.id = to_string(record.id);
    made.own_id = text(record.own_id);
    made.task = record.name;
    made.queue = record.id.queue;
    made.state = record.state;
    made.priority = record.priority;
    made.key = text(record.key);
    made.parent = text(record.parent);
    made.attempts = record.attempts;
    made.cancel_requested = record.cancel_requested;
    made.submitted_at = time(record.submitted_at);
    made.due_at = time(record.due_at);
    made.started_at = time(record.started_at);
    made.ended_at = time(record.ended_at);
    if (!record.progress.empty()) made.progress = stored_json(record.progress);
    if (record.state == task_state::succeeded) made.result = stored_json(record.result);
    if (!record.error.empty()) {
        const auto why = read_failure(record.error);
        http::job_error told;
        told.code = why.code;
        told.type = why.type;
        told.message = why.message;
        if (!why.pointer.empty()) told.pointer = why.pointer;
        if (!why.details.empty()) told.details = stored_json(why.details);
        made.error = std::move(told);
    }
    return made;
}

}  // namespace taskflux::detail
