#pragma once

#include <optional>
#include <string>
#include <string_view>

// What the tasks and results of Task Center are in a queue.
namespace taskflux::detail::task_center {

/// The name of its tasks.
inline constexpr std::string_view task_name = "task_center";

/// The headers of its tasks: `info` as JSON; for one that is too long, as how many bytes it stands in front of the payload; and
/// the queue to which the result is forwarded. The payload is `content`.
inline constexpr std::string_view info_header = "task-center-info";
inline constexpr std::string_view info_size_header = "task-center-info-size";
inline constexpr std::string_view forward_header = "task-center-forward-to";

/// The bytes that a text in base64 stands for, without its blanks and line breaks; nothing where it is none.
std::optional<std::string> bytes_of(std::string_view base64);

/// Bytes in base64.
std::string base64_of(std::string_view bytes);

/// The result of a task: what its replier says about it in JSON, and bytes.
class result {
public:
    std::string info = "null";
    std::string content;

    /// As it is stored: `{"info":…,"content":"…"}`, bytes as base64, so that clients of the queue in C++ read it by a described
    /// struct with a `raw` member.
    std::string stored() const;

    /// Of a result that somebody else has stored, `info` is it where it is JSON, and `content` where it is not.
    static result read(std::string_view stored);
};

}  // namespace taskflux::detail::task_center
