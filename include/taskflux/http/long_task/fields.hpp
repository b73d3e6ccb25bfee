#pragma once

#include <taskflux/http/dialect/members.hpp>

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail::long_task {

/// The members of a JSON object, each of its own type: nothing is taken for something else. Errors of all: `refusal`, for what is
/// missing or of another type. Not thread-safe.
class fields {
public:
    /// `text` must outlive this.
    explicit fields(std::string_view text);

    bool has(std::string_view name) const;
    std::string text(std::string_view name) const;

    /// Nothing where it is null or absent.
    std::optional<std::string> optional_text(std::string_view name) const;

    /// `otherwise` where it is absent.
    std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t most, std::int64_t least = 1) const;

    fields object(std::string_view name) const;
    std::vector<fields> objects(std::string_view name) const;

    /// Any value, in JSON as it was sent.
    std::string as_sent(std::string_view name) const;

private:
    const boost::json::value& at(std::string_view name) const;
    std::string_view slice(std::string_view name) const;

    std::shared_ptr<const json_text> whole_;
    std::map<std::string, std::string_view, std::less<>> as_sent_;
};

}  // namespace taskflux::detail::long_task
