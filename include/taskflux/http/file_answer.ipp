#pragma once

#include <taskflux/http/content_disposition.hpp>
#include <taskflux/http/date.hpp>
#include <taskflux/http/file_answer.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

file_answer answer_file(const file_question& asked, const file_subject& file, std::string_view boundary,
                        std::chrono::sys_seconds now) {
    file_answer made;
    const auto add = [&](std::string_view name, std::string value) { made.fields.emplace_back(name, std::move(value)); };
    const auto add_text = [&](std::string text) {
        made.length += text.size();
        made.body.push_back({std::move(text), std::nullopt});
    };
    const auto add_range = [&](const byte_range& range) {
        made.length += range.size();
        made.body.push_back({{}, range});
    };
    add("ETag", file.current.tag.text());
    if (file.current.last_modified) add("Last-Modified", date_text(*file.current.last_modified));
    switch (evaluate(asked.conditions, true, file.current, now)) {
        case condition::not_modified: made.status = 304; return made;
        case condition::fails: made.status = 412; return made;
        case condition::holds: break;
    }
    add("Accept-Ranges", "bytes");
    const bool has_range = asked.range && (!asked.if_range || if_range_holds(*asked.if_range, file.current, now));
    const auto choice = has_range ? choose_ranges(*asked.range, file.size) : range_choice(range_choice::kind::whole);
    if (choice.is() == range_choice::kind::unsatisfiable) {
        made.status = 416;
        add("Content-Range", unsatisfied_range(file.size));
        return made;
    }
    add("Content-Disposition", attachment(file.name));
    add("X-Content-Type-Options", "nosniff");
    if (choice.is() == range_choice::kind::partial) made.status = 206;
    if (choice.ranges().size() > 1) {
        add("Content-Type", "multipart/byteranges; boundary=" + std::string(boundary));
        for (const auto& range : choice.ranges()) {
            add_text(range_head(boundary, file.type, range, file.size));
            add_range(range);
        }
        add_text(range_end(boundary));
        return made;
    }
    add("Content-Type", std::string(file.type));
    if (choice.is() == range_choice::kind::partial) {
        add("Content-Range", content_range(choice.ranges().front(), file.size));
        add_range(choice.ranges().front());
    } else if (file.size > 0) {
        add_range({0, file.size - 1});
    }
    return made;
}

}  // namespace taskflux::http
