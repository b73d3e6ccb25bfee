#pragma once

#include <taskflux/http/refusal.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// Why a file may not be asked for by this name; nothing: it may, and may be missing all the same. A name is a path below the
/// store's folder, with `/` between its parts. 400: it is empty, has `..`, begins with `/`, has a part that is empty or `.`, a
/// backslash, control characters, bytes that are not UTF-8, or more than 255 bytes in a part or 1,024 in all. 403: it is in the
/// folder `fasttask`, in letters of any case, which is the system's.
std::optional<refusal> refused_file_name(std::string_view name);

/// Why a file may not be stored under the name that a form gives; nothing: `upload_name` is its name. Also refused: a name with a
/// `/`, and one of more than 218 bytes, which leaves no room for what is put in front. An empty one is not.
std::optional<refusal> refused_upload_name(std::string_view given);

/// `<id>_<given>`, or `<id>_files` where no name is given.
inline std::string upload_name(std::string_view id, std::string_view given) {
    return std::string(id) + '_' + std::string(given.empty() ? std::string_view("files") : given);
}

}  // namespace taskflux::http
