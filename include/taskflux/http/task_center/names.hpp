#pragma once

#include <taskflux/core/id.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The original takes any text as the name of a queue and as an id; a broker does not.
namespace taskflux::detail::task_center {

/// Names of queues. One that a broker takes is itself; any other is `_.` and its bytes in base64url, so that each can be read back.
class queue_names {
public:
    /// `prefix`: in front of all names in the broker, which clients don't see.
    explicit queue_names(std::string prefix) : prefix_(std::move(prefix)) {}

    /// The broker's name of a client's queue; nothing where that is too long: 93 bytes fit, and more where a broker takes them.
    std::optional<std::string> stored(std::string_view name) const;

    /// The client's name of a broker's queue; nothing where it has none.
    std::optional<std::string> shown(std::string_view stored) const;

private:
    std::string prefix_;
};

/// The own id of a client's task: itself where a broker takes it, and otherwise `%:` and its bytes, those that a broker does not
/// take as `%XX`; nothing where it is too long: 1,024 bytes fit.
std::optional<std::string> own_id_of(std::string_view id);

/// The client's id of a task: its own one, or, where it has none, its key.
std::string id_of(std::string_view own_id, const task_key& key);

/// The key that an id of `id_of` is; nothing where it is none.
std::optional<task_key> key_of(std::string_view id);

}  // namespace taskflux::detail::task_center
