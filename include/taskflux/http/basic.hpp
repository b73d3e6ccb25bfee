#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// What an Authorization field gives.
class credentials {
public:
    enum class kind {
        none,      ///< there is no field
        basic,     ///< `name()` and `secret()`, the password; both may be empty
        bearer,    ///< `secret()`, the token
        other,     ///< another scheme, or no scheme: `secret()` is the whole value
        malformed  ///< Basic or Bearer with something that can't follow it
    };

    /// Reads the field's value (RFC 7617, RFC 6750); strict base64, UTF-8 without control characters, the name up to the first
    /// colon. What is longer than 8 KiB is malformed.
    static credentials parse(std::optional<std::string_view> authorization);

    kind is() const { return is_; }
    const std::string& name() const { return name_; }
    const std::string& secret() const { return secret_; }

private:
    kind is_ = kind::none;
    std::string name_, secret_;
};

/// The value of a WWW-Authenticate: `Basic realm="taskflux", charset="UTF-8"`. `realm` has no quotes and backslashes.
inline std::string basic_challenge(std::string_view realm) {
    return "Basic realm=\"" + std::string(realm) + "\", charset=\"UTF-8\"";
}

}  // namespace taskflux::http
