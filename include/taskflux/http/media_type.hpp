#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// The value of a Content-Type: `text/html; charset=utf-8`. A value; type, subtype and the names of parameters in small letters.
class media_type {
public:
    /// Nothing: it is none (RFC 9110, section 8.3.1), or has more than 16 parameters.
    static std::optional<media_type> parse(std::string_view text);

    const std::string& type() const { return type_; }
    const std::string& subtype() const { return subtype_; }

    /// `text/html`, without parameters.
    std::string essence() const { return type_ + '/' + subtype_; }

    /// The first parameter of this name, which is in small letters; null: there is none.
    const std::string* parameter(std::string_view name) const {
        for (const auto& [key, value] : parameters_) {
            if (key == name) return &value;
        }
        return nullptr;
    }

    /// `application/json`, or of another subtype that ends in `+json`.
    bool is_json() const { return type_ == "application" && (subtype_ == "json" || subtype_.ends_with("+json")); }

    /// Whether its `charset`, if it has one, is UTF-8 or part of it.
    bool is_utf8() const;

private:
    std::string type_, subtype_;
    std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace taskflux::http
