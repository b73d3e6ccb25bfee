#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/response.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// Which pages of other origins may call a server from a browser; none by default.
class cors {
public:
    cors() {}

    /// An origin as browsers send it: "https://example.org", with its port where that is not the scheme's. Errors:
    /// `invalid_argument` for another form.
    cors& allow(std::string origin);

    /// Any origin; then never with credentials. Errors: `invalid_argument` with `with_credentials`.
    cors& allow_any();

    /// Browsers may send cookies and logins along. Errors: `invalid_argument` with `allow_any`.
    cors& with_credentials();

    bool is_on() const { return is_any_ || !origins_.empty(); }

    /// Adds what the browser asks for, if it asks and the origin is allowed, to the answer to a request; the router has answered a
    /// preflight (`OPTIONS`) with the methods that there are.
    void apply(const request& asked, response& to) const;

private:
    bool allows(std::string_view origin) const;

    std::vector<std::string> origins_;
    bool is_any_ = false;
    bool has_credentials_ = false;
};

}  // namespace taskflux::http
