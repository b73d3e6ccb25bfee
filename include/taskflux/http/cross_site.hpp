#pragma once

#include <optional>
#include <string_view>

namespace taskflux::http {

/// Whether a page of another origin made a browser send this request: by Sec-Fetch-Site where the browser sends it, else by an
/// Origin that is not that of `host`, the Host as `origin_of` gives it. Browsers add cookies, and passwords of HTTP Basic that they
/// remember, to such requests as well: refuse those that change something. A bearer token is nothing that browsers
/// add, and programs send neither field.
bool is_cross_site(std::optional<std::string_view> sec_fetch_site, std::optional<std::string_view> origin, std::string_view host);

}  // namespace taskflux::http
