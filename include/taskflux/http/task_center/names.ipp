#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/task_center/content.hpp>
#include <taskflux/http/task_center/names.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace taskflux::detail::task_center {

inline constexpr std::string_view coded_queue = "_.";
inline constexpr std::string_view coded_id = "%:";

std::optional<std::string> queue_names::stored(std::string_view name) const {
    std::string made = prefix_;
    if (is_valid_name(name) && !name.starts_with(coded_queue)) {
        made += name;
    } else {
        auto letters = base64_of(name);
        std::ranges::replace(letters, '+', '-');
        std::ranges::replace(letters, '/', '_');
        letters.erase((std::min)(letters.find('='), letters.size()));
        made += coded_queue;
        made += letters;
    }
    if (!is_valid_name(made)) return std::nullopt;
    return made;
}

std::optional<std::string> queue_names::shown(std::string_view stored) const {
    if (!stored.starts_with(prefix_)) return std::nullopt;
    stored.remove_prefix(prefix_.size());
    if (!stored.starts_with(coded_queue)) return std::string(stored);
    std::string letters(stored.substr(coded_queue.size()));
    std::ranges::replace(letters, '-', '+');
    std::ranges::replace(letters, '_', '/');
    letters.append((4 - letters.size() % 4) % 4, '=');
    return bytes_of(letters);
}

std::optional<std::string> own_id_of(std::string_view id) {
    if (allows(limits::own_id, id) && !id.starts_with(coded_id)) return std::string(id);
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string made(coded_id);
    for (const char c : id) {
        if (c != '%' && !has_control_characters(std::string_view(&c, 1))) {
            made += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        made += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    if (!allows(limits::own_id, made)) return std::nullopt;
    return made;
}

std::string id_of(std::string_view own_id, const task_key& key) {
    if (own_id.empty()) return to_string(key);
    if (own_id.starts_with(coded_id)) {
        auto plain = http::percent_decoded(own_id.substr(coded_id.size()));
        if (plain && own_id_of(*plain) == own_id) return std::move(*plain);
    }
    return std::string(own_id);
}

std::optional<task_key> key_of(std::string_view id) {
    if (!id.starts_with('~')) return std::nullopt;
    try {
        return parse_task_key(id);
    } catch (const boost::system::system_error&) {
        return std::nullopt;
    }
}

}  // namespace taskflux::detail::task_center
