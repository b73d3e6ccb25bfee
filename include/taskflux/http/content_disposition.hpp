#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// The value of a Content-Disposition, of a part of a form or of an answer.
struct content_disposition {
    std::string type;                      ///< in small letters: form-data, attachment
    std::optional<std::string> name;       ///< of the field of a form
    std::optional<std::string> file_name;  ///< in UTF-8: of `filename*` where that is there, else of `filename`
};

/// Reads what browsers and libraries write (RFC 7578, RFC 8187, the HTML standard): names in raw UTF-8; `%22`, `%0D` and `%0A`
/// for a quote and line ends; quotes and backslashes behind a backslash, while another backslash is one (a Windows path);
/// `filename*` in UTF-8 or ISO-8859-1. Nothing: it is not of that form, or not UTF-8.
std::optional<content_disposition> parse_content_disposition(std::string_view text);

/// `attachment; filename="report.txt"`, and for a name with characters outside of ASCII `filename*` as well (RFC 6266), with
/// `_` for each of those in `filename`. Control characters are written as `_`.
std::string attachment(std::string_view file_name);

}  // namespace taskflux::http
