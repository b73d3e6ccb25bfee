#pragma once

#include <taskflux/broker/tasks.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/http/task_center/center.hpp>
#include <taskflux/http/task_center/content.hpp>

#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

// How a client's task is stored, and read back.
namespace taskflux::detail::task_center {

inline std::string header_of(const header_map& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

inline new_task stored_entry(const new_entry& what) {
    constexpr std::size_t most = 32'768;  // of a header's value, half of what a broker takes
    auto spec = std::make_shared<task_spec>();
    spec->name = task_name;
    spec->policy.retention = what.cached;
    spec->policy.crash_limit = 0;  // promises may be missed any number of times
    new_task made;
    if (what.info.size() > most) {
        spec->headers.emplace(info_size_header, std::to_string(what.info.size()));
        made.payload = what.info;
    } else if (what.info != "null") {
        spec->headers.emplace(info_header, what.info);
    }
    if (!what.forward_to.empty()) spec->headers.emplace(forward_header, what.forward_to);
    made.payload += what.content;
    made.own_id = what.own_id;
    made.spec = std::move(spec);
    return made;
}

/// How many bytes of the payload are `info`.
inline std::size_t info_size(const header_map& headers) {
    const auto text = header_of(headers, info_size_header);
    std::size_t size = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), size);
    return ec == std::errc() && end == text.data() + text.size() ? size : 0;
}

/// `payload`: of the task; need not be given where `info_size` is 0. A task of the queue that is not a client's has no info.
inline std::string info_of(const header_map& headers, std::string_view payload) {
    if (const auto size = info_size(headers); size > 0 && size <= payload.size()) return std::string(payload.substr(0, size));
    const auto text = header_of(headers, info_header);
    return text.empty() ? "null" : text;
}

inline std::string content_of(const header_map& headers, std::string payload) {
    const auto size = info_size(headers);
    return size <= payload.size() ? payload.substr(size) : payload;
}

/// Whether a task of that name has been put by a client.
inline bool is_clients(std::string_view name) { return name == task_name; }

}  // namespace taskflux::detail::task_center
