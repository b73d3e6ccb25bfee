#pragma once

#include <taskflux/http/dialect/members.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail::task_center {

/// The members of a request's body, taken as the original takes them: a number or truth value where a text is asked for is its
/// text; a text or a fraction where a whole number is asked for is that number, rounded towards zero; what nobody asks for is
/// ignored. What is wrong is collected, and told by `check`. Not thread-safe.
class body_reader {
public:
    /// `text` must outlive this. Errors: `problem` 422 for what is no JSON, or no object.
    explicit body_reader(std::string_view text);

    std::string text(std::string_view name);

    /// Nothing where it is null or absent.
    std::optional<std::string> optional_text(std::string_view name);

    std::int64_t number(std::string_view name);
    std::int64_t number(std::string_view name, std::int64_t otherwise);
    std::optional<std::int64_t> optional_number(std::string_view name);
    std::vector<std::string> texts(std::string_view name);

    /// An object within, or nothing where it is null or absent. Its faults are told by `check` of this one.
    std::optional<body_reader> object(std::string_view name);

    /// Any value, as it was sent; `null` where it is absent.
    std::string_view as_sent(std::string_view name) const;

    /// Bytes in base64, in which blanks and line breaks may stand; none where it is absent.
    std::string bytes(std::string_view name);

    /// Adds what is wrong with a member.
    void refuse(std::string_view name, std::string_view message, std::string_view type);

    /// Errors: `problem` 422 with all that was wrong.
    void check() const;

private:
    body_reader(boost::json::array place, std::string_view text, const boost::json::object& members,
                std::shared_ptr<boost::json::array> faults);

    const boost::json::value* required(std::string_view name);
    const boost::json::value* find(std::string_view name) const;
    std::optional<std::string> text_of(boost::json::array place, const boost::json::value& given, std::string_view as_sent);
    std::optional<std::int64_t> number_of(std::string_view name, const boost::json::value& given);
    void refuse(boost::json::array place, std::string_view message, std::string_view type);
    boost::json::array place_of(std::string_view name) const;

    boost::json::array place_;
    std::shared_ptr<const json_text> whole_;  // of the outermost one
    const boost::json::object* members_ = nullptr;
    std::map<std::string, std::string_view, std::less<>> as_sent_;
    std::shared_ptr<boost::json::array> faults_;
};

}  // namespace taskflux::detail::task_center
