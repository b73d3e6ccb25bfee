#pragma once

#include <string_view>

namespace taskflux::redis {

/// A Lua script of the engine: its name for messages, the SHA-1 of its text in lower-case hex, the text,
/// and the letters of those keys of a queue that it wants first.
struct script {
    std::string_view name;
    std::string_view sha1;
    std::string_view text;
    std::string_view keys = {};
};

}  // namespace taskflux::redis
