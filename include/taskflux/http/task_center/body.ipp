#pragma once

#include <taskflux/http/problem.hpp>
#include <taskflux/http/task_center/body.hpp>
#include <taskflux/http/task_center/content.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux::detail::task_center {

inline http::problem invalid_body(boost::json::array faults) {
    http::problem made(422, "the request's body is not what this call takes");
    return made.with("detail", std::move(faults));
}

inline boost::json::object fault_at(boost::json::array place, std::string_view message, std::string_view type) {
    return {{"loc", std::move(place)}, {"msg", message}, {"type", type}};
}

inline std::shared_ptr<const json_text> parsed_body(std::string_view text) {
    const bool is_blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    try {
        auto made = std::make_shared<const json_text>(is_blank ? std::string_view("null") : text);
        if (made->value().is_object()) return made;
        const bool is_missing = made->value().is_null();
        throw invalid_body({fault_at({"body"}, is_missing ? "field required" : "value is not a valid dict",
                                     is_missing ? "value_error.missing" : "type_error.dict")});
    } catch (const json_text::fault& e) {
        throw invalid_body({fault_at({"body", e.at}, e.why, "value_error.jsondecode")});
    }
}

/// A whole number that is written in a text, as Python reads one.
inline std::optional<std::int64_t> whole_number(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    const auto begin = (std::min)(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    text = text.substr(0, text.find_last_not_of(blanks) + 1);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    std::int64_t read = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (end != text.data() + text.size() || text.empty()) return std::nullopt;
    if (ec == std::errc::result_out_of_range) {
        return text.front() == '-' ? (std::numeric_limits<std::int64_t>::min)() : (std::numeric_limits<std::int64_t>::max)();
    }
    if (ec != std::errc()) return std::nullopt;
    return read;
}

inline std::int64_t rounded(double given) {
    constexpr double most = 9e18;  // below 2^63
    return static_cast<std::int64_t>(std::clamp(given, -most, most));
}

body_reader::body_reader(std::string_view text) : place_({"body"}), whole_(parsed_body(text)), faults_(std::make_shared<boost::json::array>()) {
    members_ = &whole_->value().get_object();
    as_sent_ = sent_members(whole_->text());
}

body_reader::body_reader(boost::json::array place, std::string_view text, const boost::json::object& members,
                         std::shared_ptr<boost::json::array> faults)
    : place_(std::move(place)), members_(&members), as_sent_(sent_members(text)), faults_(std::move(faults)) {}

const boost::json::value* body_reader::find(std::string_view name) const {
    return members_->if_contains(boost::json::string_view(name.data(), name.size()));
}

std::string_view body_reader::as_sent(std::string_view name) const {
    const auto found = as_sent_.find(name);
    return found == as_sent_.end() ? std::string_view("null") : found->second;
}

boost::json::array body_reader::place_of(std::string_view name) const {
    auto place = place_;
    place.emplace_back(name);
    return place;
}

void body_reader::refuse(boost::json::array place, std::string_view message, std::string_view type) {
    faults_->push_back(fault_at(std::move(place), message, type));
}

void body_reader::refuse(std::string_view name, std::string_view message, std::string_view type) {
    refuse(place_of(name), message, type);
}

void body_reader::check() const {
    if (!faults_->empty()) throw invalid_body(*faults_);
}

const boost::json::value* body_reader::required(std::string_view name) {
    const auto* const given = find(name);
    if (!given) return refuse(name, "field required", "value_error.missing"), nullptr;
    if (given->is_null()) return refuse(name, "none is not an allowed value", "type_error.none.not_allowed"), nullptr;
    return given;
}

std::optional<std::string> body_reader::text_of(boost::json::array place, const boost::json::value& given, std::string_view as_sent) {
    if (const auto* const text = given.if_string()) return std::string(*text);
    if (given.is_bool()) return given.get_bool() ? "True" : "False";
    if (given.is_number()) return std::string(as_sent);
    refuse(std::move(place), "str type expected", "type_error.str");
    return std::nullopt;
}

std::string body_reader::text(std::string_view name) {
    const auto* const given = required(name);
    if (!given) return {};
    return text_of(place_of(name), *given, as_sent(name)).value_or(std::string());
}

std::optional<std::string> body_reader::optional_text(std::string_view name) {
    const auto* const given = find(name);
    if (!given || given->is_null()) return std::nullopt;
    return text_of(place_of(name), *given, as_sent(name));
}

std::optional<std::int64_t> body_reader::number_of(std::string_view name, const boost::json::value& given) {
    std::optional<std::int64_t> read;
    if (given.is_bool()) read = given.get_bool() ? 1 : 0;
    else if (given.is_int64()) read = given.get_int64();
    else if (given.is_uint64()) read = (std::numeric_limits<std::int64_t>::max)();
    else if (given.is_double()) read = rounded(given.get_double());
    else if (given.is_string()) read = whole_number(given.get_string());
    if (!read) refuse(name, "value is not a valid integer", "type_error.integer");
    return read;
}

std::int64_t body_reader::number(std::string_view name) {
    const auto* const given = required(name);
    return given ? number_of(name, *given).value_or(0) : 0;
}

std::int64_t body_reader::number(std::string_view name, std::int64_t otherwise) { return find(name) ? number(name) : otherwise; }

std::optional<std::int64_t> body_reader::optional_number(std::string_view name) {
    const auto* const given = find(name);
    if (!given || given->is_null()) return std::nullopt;
    return number_of(name, *given);
}

std::vector<std::string> body_reader::texts(std::string_view name) {
    std::vector<std::string> read;
    const auto* const given = required(name);
    if (!given) return read;
    if (!given->is_array()) return refuse(name, "value is not a valid list", "type_error.list"), read;
    const auto& all = given->get_array();
    const auto sent = sent_elements(as_sent(name));
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto place = place_of(name);
        place.emplace_back(i);
        if (all[i].is_null()) {
            refuse(std::move(place), "none is not an allowed value", "type_error.none.not_allowed");
        } else if (auto one = text_of(std::move(place), all[i], sent.at(i))) {
            read.push_back(std::move(*one));
        }
    }
    return read;
}

std::optional<body_reader> body_reader::object(std::string_view name) {
    const auto* const given = find(name);
    if (!given || given->is_null()) return std::nullopt;
    if (given->is_object()) return body_reader(place_of(name), as_sent(name), given->get_object(), faults_);
    refuse(name, "value is not a valid dict", "type_error.dict");
    return std::nullopt;
}

std::string body_reader::bytes(std::string_view name) {
    if (!find(name)) return {};
    auto read = bytes_of(text(name));
    if (!read) refuse(name, "value is not base64: write bytes with the letters of RFC 4648 and padding", "value_error.base64");
    return std::move(read).value_or(std::string());
}

}  // namespace taskflux::detail::task_center
