#pragma once

#include <taskflux/http/cross_site.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <optional>
#include <string_view>

namespace taskflux::http {

bool is_cross_site(std::optional<std::string_view> sec_fetch_site, std::optional<std::string_view> origin, std::string_view host) {
    // none: the user has typed the address, or follows a bookmark.
    if (sec_fetch_site) return *sec_fetch_site != "same-origin" && *sec_fetch_site != "none";
    if (!origin) return false;
    const auto scheme = origin->find("://");
    // "null", of a page that has no origin, is another one.
    return scheme == std::string_view::npos || !syntax::same_word(origin->substr(scheme + 3), host);
}

}  // namespace taskflux::http
