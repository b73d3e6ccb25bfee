#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

/// A text in JSON as a dialect reads it: lax in what it takes, and exact in what it passes on.
class json_text {
public:
    /// What is wrong with a text that is not JSON, and at which byte.
    class fault {
    public:
        std::size_t at = 0;
        std::string why;
    };

    /// `text` must outlive this. Errors: `fault`.
    explicit json_text(std::string_view text);

    std::string_view text() const { return text_; }
    const boost::json::value& value() const { return value_; }

private:
    std::string_view text_;
    boost::json::value value_;
};

/// The members of a text that is a JSON object, with their values as they were sent; of a name that comes twice the last.
std::map<std::string, std::string_view, std::less<>> sent_members(std::string_view object);

/// The elements of a text that is a JSON array, as they were sent.
std::vector<std::string_view> sent_elements(std::string_view array);

/// A text as JSON writes it, with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace taskflux::detail
