#pragma once

#include <taskflux/http/permission.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

// The files of users and tokens: one JSON object, a member each.
namespace taskflux::http::secrets {

/// Its members. `what`: "users file". Errors: `invalid_argument`, which quotes nothing that may be a secret. Of a
/// name that is there twice the last counts.
boost::json::object read_object(std::string_view text, std::string_view what);

/// With a member a line.
std::string write_object(const boost::json::object& members);

/// Why `name` can't be the name of a user or token; empty: it can.
std::string flaw_of_name(std::string_view name);

/// Errors: `invalid_argument`, where it can't be one.
void check_name(std::string_view name);

/// Nothing: it is none of read, submit, control, admin.
std::optional<permission> permission_of(std::string_view text);
std::string_view text_of(permission may);

/// The permission in an object's member `permission`; nothing where it is missing. Errors: `invalid_argument`; `where`: "of user
/// x".
std::optional<permission> permission_in(const boost::json::object& members, const std::string& where);

}  // namespace taskflux::http::secrets
