#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/app/config/strict.hpp>
#include <taskflux/core/codec.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// "log_level" is TASKFLUX_LOG_LEVEL.
inline std::string variable_of(std::string_view key) {
    std::string name = "TASKFLUX_";
    for (const char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

/// Names separated by commas.
inline std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const auto comma = text.find(',');
        auto part = text.substr(0, comma);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        if (!part.empty()) parts.emplace_back(part);
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

/// A number where the text is one, else the text, which the codec refuses.
inline boost::json::value number_or_text(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc() && end == text.data() + text.size()) return number;
    return boost::json::value(text);
}

/// The value of a variable for a member of type `T`: lists are "a,b", maps "a=1,b=2".
template <class T>
boost::json::value value_in(std::string_view text) {
    if constexpr (kind_of<T> == kind::integer) {
        return number_or_text(text);
    } else if constexpr (kind_of<T> == kind::sequence) {
        boost::json::array all;
        for (const auto& part : split(text)) all.emplace_back(part);
        return all;
    } else if constexpr (kind_of<T> == kind::map) {
        boost::json::object all;
        for (const auto& part : split(text)) {
            const auto equals = part.find('=');
            all[part.substr(0, equals)] = number_or_text(equals == std::string::npos ? "" : part.substr(equals + 1));
        }
        return all;
    } else {
        return boost::json::value(text);
    }
}

/// Whether a variable can say it: not lists and maps of what has members.
template <class T>
inline constexpr bool is_in_variable = true;
template <class T>
inline constexpr bool is_in_variable<std::vector<T>> = kind_of<T> != kind::object;
template <class T>
inline constexpr bool is_in_variable<std::map<std::string, T>> = kind_of<T> != kind::object;

/// The keys that environment variables set. Throws `config_error` for a name that looks misspelt.
inline config_document read_variables(const std::map<std::string, std::string>& variables) {
    config_document made;
    auto& root = made.root.emplace_object();
    std::vector<std::string> known(1, "TASKFLUX_CONFIG");
    for_each_member<app_config>([&]<class Member>(Member) {
        using value_type = std::remove_cvref_t<decltype(std::declval<app_config&>().*Member::pointer)>;
        if constexpr (is_in_variable<value_type>) {
            const std::string key(member_name<Member>);
            const auto found = variables.find(known.emplace_back(variable_of(key)));
            if (found == variables.end() || found->second.empty()) return;
            root[key] = value_in<value_type>(found->second);
            made.places["/" + key] = "environment variable " + found->first;
        }
    });
    for (const auto& [name, value] : variables) {
        if (!name.starts_with("TASKFLUX_") || std::ranges::find(known, name) != known.end()) continue;
        // A name that is not near to any may belong to another library.
        const auto meant = nearest(name, known);
        if (meant.empty() || letters_between(name, meant) > 2) continue;
        throw config_error("", "unknown variable; did you mean " + std::string(meant) + "?",
                           "environment variable " + name);
    }
    return made;
}

}  // namespace taskflux::detail
