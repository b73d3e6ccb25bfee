#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/cors.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace taskflux::http {

cors& cors::allow(std::string origin) {
    const auto scheme = origin.find("://");
    const bool is_origin = (origin.starts_with("https://") || origin.starts_with("http://")) && origin.size() > scheme + 3 &&
                           origin.find_first_of("/*?# ,", scheme + 3) == std::string::npos;
    if (!is_origin) {
        throw error(errc::invalid_argument, "http::cors: not an origin: " + detail::in_quotes(origin) +
                                                "; write it as browsers send it, such as \"https://example.org\" or \"http://localhost:3000\"");
    }
    origins_.push_back(std::move(origin));
    return *this;
}

cors& cors::allow_any() {
    if (has_credentials_) {
        throw error(errc::invalid_argument, "http::cors: any origin with credentials would let any page act as whoever is logged in; name "
                                            "the origins with allow()");
    }
    is_any_ = true;
    return *this;
}

cors& cors::with_credentials() {
    has_credentials_ = true;
    return is_any_ ? allow_any() : *this;  // which throws
}

bool cors::allows(std::string_view origin) const { return is_any_ || std::ranges::find(origins_, origin) != origins_.end(); }

void cors::apply(const request& asked, response& to) const {
    if (!is_on()) return;
    auto& fields = to.fields();
    if (!is_any_) fields.add("Vary", "Origin");
    const auto origin = asked.fields.find("Origin");
    if (!origin || !allows(*origin)) return;
    to.header("Access-Control-Allow-Origin", is_any_ ? std::string_view("*") : *origin);
    if (has_credentials_) to.header("Access-Control-Allow-Credentials", "true");
    const auto method = asked.fields.find("Access-Control-Request-Method");
    if (asked.method != "OPTIONS" || !method) {
        to.header("Access-Control-Expose-Headers", "Location, Retry-After, X-Request-Id, ETag, Content-Disposition");
        return;
    }
    const std::string methods(fields["Allow"]);
    if (!methods.empty()) to.header("Access-Control-Allow-Methods", methods);
    if (const auto wanted = asked.fields.find("Access-Control-Request-Headers")) to.header("Access-Control-Allow-Headers", *wanted);
    to.header("Access-Control-Max-Age", "600");
}

}  // namespace taskflux::http
