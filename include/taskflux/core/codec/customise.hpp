#pragma once

#include <taskflux/core/codec/limits.hpp>

#include <string>
#include <string_view>

namespace taskflux {
namespace detail {

/// What the library's own codecs derive from; a user's specialisation does not.
struct json_codec {};

}  // namespace detail

/// Bytes that are not JSON. As a whole payload they travel untouched; inside JSON they are base64.
struct raw {
    std::string bytes;
    bool operator==(const raw&) const = default;
};

/// How a `T` becomes text and back. The default is JSON through the members that Boost.Describe lists:
///
/// - a described class is an object; a member that the text does not mention keeps the value that a
///   default-constructed `T` gives it; unknown keys are ignored; of a key that comes twice the last counts;
/// - an enum is its name; integers are exact and range-checked; a duration is a whole count of its own
/// period;
///   a `sys_time` is RFC 3339 text in UTC, rounded down to its precision when read;
/// - an empty `std::optional` or pointer member is left out, elsewhere it is null;
/// - a variant is `{"type": payload_name<T>, "value": …}`; pairs, tuples and `std::array` are arrays of fixed
/// length;
/// - a map's keys are strings, integers or enums as text; `raw` is base64, but untouched as a whole payload.
///
/// Specialise it with `static void encode(const T&, std::string& out)`, which appends, and `static T
/// decode(std::string_view)`, which throws `decode_error`. As a whole payload it may be any bytes; as a part
/// of another it has to be JSON.
template <class T>
struct codec : detail::json_codec {
    static void encode(const T& value, std::string& out, const decode_limits& limits = {});
    static T decode(std::string_view text, const decode_limits& limits = {});
};

}  // namespace taskflux
