#pragma once

#include <string_view>

namespace taskflux::redis {

/// A Lua script of the engine: its name for messages, the SHA-1 of its text in lower-case hex, the text.
struct script {
    std::string_view name;
    std::string_view sha1;
    std::string_view text;
};

}  // namespace taskflux::redis
