#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <utility>

// Values as pydantic takes them where it is not strict: only FastTask's clients are served so.
namespace taskflux::detail {

/// Why a value is not taken: pydantic's name of the flaw, its message, and what that mentions.
struct lax_flaw {
    explicit lax_flaw(std::string name, std::string text, boost::json::object of = {})
        : type(std::move(name)), message(std::move(text)), context(std::move(of)) {}

    std::string type;
    std::string message;
    boost::json::object context;
};

/// A value in the type that is asked for, or why it is none.
class lax_value {
public:
    lax_value(boost::json::value value) : value_(std::move(value)) {}
    lax_value(lax_flaw flaw) : flaw_(std::move(flaw)) {}

    const std::optional<lax_flaw>& flaw() const { return flaw_; }
    const boost::json::value& value() const { return value_; }

private:
    boost::json::value value_;
    std::optional<lax_flaw> flaw_;
};

/// Numbers, booleans, and texts that are a number.
lax_value lax_number(const boost::json::value& given);

/// The same, where it is whole: 3.0 and "3" are 3.
lax_value lax_integer(const boost::json::value& given);

/// Booleans, 0 and 1, and texts such as "true", "no", "on".
lax_value lax_boolean(const boost::json::value& given);

lax_value lax_text(const boost::json::value& given);

/// Why an integer is out of the range of its type; a bound that is null does not count.
std::optional<lax_flaw> beyond_range(const boost::json::value& integer, const boost::json::value* least, const boost::json::value* most);

}  // namespace taskflux::detail
