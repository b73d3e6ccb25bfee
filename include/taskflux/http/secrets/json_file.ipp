#pragma once

#include <taskflux/core/codec/limits.hpp>
#include <taskflux/core/codec/parse.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/secrets/json_file.hpp>
#include <taskflux/http/syntax/plain_text.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http::secrets {

inline constexpr std::array<std::pair<std::string_view, permission>, 4> permission_names = {
    {{"read", permission::read}, {"submit", permission::submit}, {"control", permission::control}, {"admin", permission::admin}}};

boost::json::object read_object(std::string_view text, std::string_view what) {
    const auto refuse = [&](const std::string& why) {
        return error(errc::invalid_argument, "the " + std::string(what) + " is not valid: " + why);
    };
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    boost::json::value read;
    try {
        read = taskflux::detail::parse_json(text, decode_limits(), {});
    } catch (const error& e) {
        throw refuse(e.what());
    }
    if (!read.is_object()) throw refuse("it must be one JSON object, with a member for each name");
    return std::move(read.get_object());
}

std::string write_object(const boost::json::object& members) {
    std::string made = "{";
    for (const auto& [name, value] : members) {
        made.append(made.size() == 1 ? "\n  " : ",\n  ")
            .append(boost::json::serialize(boost::json::string_view(name)))
            .append(": ");
        made += boost::json::serialize(value);
    }
    return made += "\n}\n";
}

std::string flaw_of_name(std::string_view name) {
    constexpr std::size_t longest = 128;
    if (name.empty()) return "is empty";
    if (name.size() > longest) return "has more than 128 bytes";
    if (name.find(':') != std::string_view::npos) return "has a colon, which ends a name in HTTP Basic";
    return syntax::is_plain_text(name) ? "" : "has control characters";
}

void check_name(std::string_view name) {
    const auto flaw = flaw_of_name(name);
    if (!flaw.empty())
        throw error(errc::invalid_argument, "the name " + taskflux::detail::in_quotes(name) + " " + flaw + "; use another one");
}

std::optional<permission> permission_of(std::string_view text) {
    for (const auto& [name, may] : permission_names) {
        if (name == text) return may;
    }
    return std::nullopt;
}

std::string_view text_of(permission may) {
    for (const auto& [name, other] : permission_names) {
        if (other == may) return name;
    }
    return "none";
}

std::optional<permission> permission_in(const boost::json::object& members, const std::string& where) {
    const auto* const given = members.if_contains("permission");
    if (!given) return std::nullopt;
    const auto may = given->is_string() ? permission_of(given->get_string()) : std::nullopt;
    if (may) return may;
    throw error(errc::invalid_argument, "the permission " + where + " is none; use \"read\", \"submit\", \"control\" or \"admin\"");
}

}  // namespace taskflux::http::secrets
