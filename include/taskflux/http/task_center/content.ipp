#pragma once

#include <taskflux/core/codec/output.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/http/dialect/members.hpp>
#include <taskflux/http/task_center/content.hpp>

#include <string>
#include <utility>

namespace taskflux::detail::task_center {

std::optional<std::string> bytes_of(std::string_view base64) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    if (base64.find_first_of(blanks) == std::string_view::npos) return from_base64(base64);
    std::string letters;
    letters.reserve(base64.size());
    for (const char c : base64) {
        if (blanks.find(c) == std::string_view::npos) letters += c;
    }
    return from_base64(letters);
}

std::string base64_of(std::string_view bytes) {
    std::string text;
    output out(text);
    append_base64(out, bytes);
    out.finish();
    return text;
}

std::string result::stored() const {
    std::string text = "{\"info\":";
    text += info;
    text += ",\"content\":\"";
    text += base64_of(content);
    return text += "\"}";
}

result result::read(std::string_view stored) {
    result made;
    try {
        const json_text whole(stored);
        made.info = stored;
        if (!whole.value().is_object() || whole.value().get_object().size() != 2) return made;
        auto members = sent_members(stored);
        const auto* const content = whole.value().get_object().if_contains("content");
        if (!content || !content->is_string() || !members.contains("info")) return made;
        auto bytes = bytes_of(std::string_view(content->get_string()));
        if (!bytes) return made;
        made.info = members.find("info")->second;
        made.content = std::move(*bytes);
    } catch (const json_text::fault&) {
        made.info = "null";
        made.content = stored;
    }
    return made;
}

}  // namespace taskflux::detail::task_center
