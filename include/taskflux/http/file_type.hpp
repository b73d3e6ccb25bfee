#pragma once

#include <string_view>

namespace taskflux::http {

/// The media type of a file by the ending of its name, in letters of any case; `application/octet-stream` where it is not known.
/// Send it with `X-Content-Type-Options: nosniff`, and as an attachment where somebody else chose the file: a browser runs scripts
/// of text/html and image/svg+xml.
std::string_view file_type(std::string_view name);

}  // namespace taskflux::http
