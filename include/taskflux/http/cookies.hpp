#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// The values of the cookies of this name in a Cookie field (RFC 6265, section 5.4), in their order, 16 at most. There may be
/// several, also some that another site of the same domain has set: none is to be trusted for its place. Pairs that are not
/// valid are passed over. The views are into `cookie`.
std::vector<std::string_view> cookies_named(std::string_view cookie, std::string_view name);

enum class same_site { strict, lax, none };

/// A cookie that an answer sets. By default it is for all paths, ends with the browser's session, and is `HttpOnly`, `Secure` and
/// `SameSite=Strict`.
class set_cookie {
public:
    /// Errors: `invalid_argument`, where the name is no token, or the value has blanks, quotes, commas, semicolons, backslashes or
    /// characters outside of ASCII.
    set_cookie(std::string name, std::string value);

    /// A cookie that removes the one of that name and path.
    static set_cookie removal(std::string name) { return set_cookie(std::move(name), "").max_age(std::chrono::seconds(0)); }

    /// From the root on, without semicolons and control characters. Errors: `invalid_argument`.
    set_cookie& path(std::string path);
    set_cookie& max_age(std::chrono::seconds after) { return max_age_ = after, *this; }
    /// False only for a server without TLS: the browser sends it in the clear.
    set_cookie& secure(bool is) { return secure_ = is, *this; }
    /// False: scripts of the page see it.
    set_cookie& http_only(bool is) { return http_only_ = is, *this; }
    set_cookie& site(same_site rule) { return site_ = rule, *this; }

    /// The value of the Set-Cookie field.
    std::string text() const;

private:
    std::string name_, value_, path_ = "/";
    std::optional<std::chrono::seconds> max_age_;
    bool secure_ = true, http_only_ = true;
    same_site site_ = same_site::strict;
};

}  // namespace taskflux::http
