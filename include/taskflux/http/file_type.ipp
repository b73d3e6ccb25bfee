#pragma once

#include <taskflux/http/file_type.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace taskflux::http {

std::string_view file_type(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 36> types = {{
        {"avi", "video/x-msvideo"},
        {"bmp", "image/bmp"},
        {"bz2", "application/x-bzip2"},
        {"css", "text/css; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"gif", "image/gif"},
        {"gz", "application/gzip"},
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"ico", "image/vnd.microsoft.icon"},
        {"jpeg", "image/jpeg"},
        {"jpg", "image/jpeg"},
        {"js", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"log", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},
        {"ndjson", "application/x-ndjson"},
        {"pdf", "application/pdf"},
        {"png", "image/png"},
        {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
        {"svg", "image/svg+xml"},
        {"tar", "application/x-tar"},
        {"tif", "image/tiff"},
        {"tiff", "image/tiff"},
        {"txt", "text/plain; charset=utf-8"},
        {"wav", "audio/x-wav"},
        {"webp", "image/webp"},
        {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {"xml", "application/xml"},
        {"yaml", "application/yaml"},
        {"yml", "application/yaml"},
        {"zip", "application/zip"},
        {"zst", "application/zstd"},
    }};
    const auto dot = name.rfind('.');
    if (dot != std::string_view::npos) {
        for (const auto& [ending, type] : types) {
            if (syntax::same_word(name.substr(dot + 1), ending)) return type;
        }
    }
    return "application/octet-stream";
}

}  // namespace taskflux::http
