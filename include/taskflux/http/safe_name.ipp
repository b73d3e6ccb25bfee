#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/safe_name.hpp>
#include <taskflux/http/syntax/plain_text.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace syntax {

inline std::string flaw_of_file_name(std::string_view name) {
    constexpr std::size_t longest_part = 255, longest = 1024;
    if (name.empty()) return "is empty";
    if (name.size() > longest) return "has more than 1024 bytes";
    if (name.find("..") != std::string_view::npos) return "has two dots in a row, which may lead out of the folder";
    if (name.front() == '/') return "begins with a slash";
    if (name.find('\\') != std::string_view::npos) return "has a backslash";
    if (!is_plain_text(name)) return "has control characters, or is not UTF-8";
    for (auto rest = name;;) {
        const auto slash = (std::min)(rest.find('/'), rest.size());
        const auto part = rest.substr(0, slash);
        if (part.empty() || part == ".") return "has an empty part, or one that is a dot";
        if (part.size() > longest_part) return "has a part of more than 255 bytes";
        if (slash == rest.size()) return {};
        rest.remove_prefix(slash + 1);
    }
}

inline refusal refused_name(std::string_view name, const std::string& why) {
    return {400, "the file name " + taskflux::detail::in_quotes(name) + " " + why + "; use a plain name, such as report.txt"};
}

}  // namespace syntax

std::optional<refusal> refused_file_name(std::string_view name) {
    if (const auto flaw = syntax::flaw_of_file_name(name); !flaw.empty()) return syntax::refused_name(name, flaw);
    if (!syntax::same_word(name.substr(0, name.find('/')), "fasttask")) return std::nullopt;
    return refusal(403, "files in the folder fasttask are the system's");
}

std::optional<refusal> refused_upload_name(std::string_view given) {
    constexpr std::size_t longest = 255 - 37;  // a UUID and a line in front
    if (given.empty()) return std::nullopt;
    if (auto refused = refused_file_name(given)) return refused;
    if (given.find('/') != std::string_view::npos) return syntax::refused_name(given, "has a slash");
    if (given.size() > longest) return syntax::refused_name(given, "has more than 218 bytes");
    return std::nullopt;
}

}  // namespace taskflux::http
