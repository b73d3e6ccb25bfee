#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/headers.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// What a client asks for, without its body, which is read through `call`.
class request {
public:
    request() = default;

    std::string method;                 ///< as sent, such as "GET"
    std::string target;                 ///< as sent: path and query
    std::vector<std::string> segments;  ///< of the path, decoded: each may hold any character, also `/` and `:`
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in their order
    headers fields;
    unsigned version = 11;  ///< 10 or 11, for HTTP/1.0 and 1.1

    /// The first query parameter of this name; nothing where there is none.
    std::optional<std::string_view> parameter(std::string_view name) const;

    /// The path as it was sent, without the query.
    std::string_view path() const;

    /// Sets `segments` and `query` by `target`. Errors: `problem` 400 for a path that does not begin with `/`, has a segment `.`
    /// or `..` (encoded they are names like others), a `%` without two hexadecimal digits, or is not UTF-8 once decoded.
    void split_target();
};

/// Texts with their `%XX` replaced. `plus`: whether `+` is a space, as in queries. Nothing where a `%` has no two hexadecimal
/// digits behind it, or what comes out is not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);

/// `text` as a segment of a path or a value in a query: all but letters, digits and `-._~` as `%XX`.
std::string percent_encoded(std::string_view text);

}  // namespace taskflux::http
