#pragma once

#include <taskflux/http/media_type.hpp>
#include <taskflux/http/refusal.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace taskflux::http {

// What a request's Accept, Accept-Encoding and Content-Type ask of an answer: RFC 9110, section 12.5. Of a field, all values
// joined by commas; nothing where it is missing. Members that are not valid, and those after the 64th, do not count.

/// Which of the offered media types (`text/html`, without parameters) the client likes most: the first of equal ones. Nothing: it
/// accepts none of them. A field without a valid member accepts all.
std::optional<std::size_t> choose_type(std::optional<std::string_view> accept, std::span<const std::string_view> offered);

/// What to say where `choose_type` finds nothing: 406.
refusal not_acceptable(std::span<const std::string_view> offered);

enum class content_coding {
    identity,
    gzip,
    none  ///< the client accepts neither: 406, or identity all the same
};

/// gzip where the client likes it at least as much as no coding, which counts little where it is not named.
content_coding choose_coding(std::optional<std::string_view> accept_encoding);

/// 415, unless the body is JSON in UTF-8: `application/json` or `application/...+json`.
std::optional<refusal> refused_unless_json(std::optional<std::string_view> content_type);

}  // namespace taskflux::http
