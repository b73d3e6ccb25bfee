#pragma once

#include <string>
#include <string_view>

// Texts as Python's standard library writes them: FastTask's clients and their tests compare some of them.
namespace taskflux::detail {

/// A JSON text as `json.dumps` writes it: `", "` and `": "` between values, and ASCII only. Numbers and escapes stay as they are.
/// `json`: valid JSON in UTF-8; bytes that are not UTF-8 become U+FFFD.
std::string python_json(std::string_view json);

/// A text as a JSON string, in ASCII.
std::string python_json_string(std::string_view text);

/// A text as `repr` shows it: in single quotes, or in double ones where it has single quotes only; line ends and control characters
/// escaped.
std::string python_repr(std::string_view text);

}  // namespace taskflux::detail
