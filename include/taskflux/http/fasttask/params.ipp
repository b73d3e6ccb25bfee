#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/http/fasttask/lax_values.hpp>
#include <taskflux/http/fasttask/params.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/media_type.hpp>

#include <boost/json/parse_options.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

namespace params {

/// Whether a value is no larger than `left` bytes, about; takes off what it has.
inline bool fits(const boost::json::value& value, std::size_t& left) {
    constexpr std::size_t each = 8;
    std::size_t size = each;
    if (value.is_string()) size += value.get_string().size();
    if (size > left) return false;
    left -= size;
    if (value.is_array()) return std::ranges::all_of(value.get_array(), [&](const auto& one) { return fits(one, left); });
    if (!value.is_object()) return true;
    return std::ranges::all_of(value.get_object(), [&](const auto& one) {
        if (one.key().size() > left) return false;
        left -= one.key().size();
        return fits(one.value(), left);
    });
}

}  // namespace params

boost::json::value shown_input(const boost::json::value& of) {
    std::size_t left = 16 * 1024;
    return params::fits(of, left) ? of : boost::json::value(nullptr);
}

boost::json::object param_flaw::as_json() const {
    boost::json::object made{{"type", type_}, {"loc", place_}, {"msg", message_}, {"input", input_}};
    if (!context_.empty()) made["ctx"] = context_;
    return made;
}

http::problem unprocessable(const param_flaws& flaws) {
    boost::json::array all;
    std::string text = "the request is not valid";
    for (const auto& one : flaws) {
        all.push_back(one.as_json());
        text += "; " + boost::json::serialize(one.place()) + ": " + one.message();
    }
    http::problem made(422, text);
    return made.with("detail", std::move(all));
}

param_flaw missing(boost::json::array place, const boost::json::value& input) {
    return {"missing", std::move(place), "Field required", input};
}

namespace params {

inline boost::json::array below(const boost::json::array& place, boost::json::value next) {
    constexpr std::size_t longest = 256;  // of the name of a map's member, which clients choose
    auto made = place;
    if (next.is_string() && next.get_string().size() > longest) next.get_string().resize(longest);
    made.push_back(std::move(next));
    return made;
}

/// The type that a schema names, without "null"; empty where it names none.
inline std::string_view type_of(const boost::json::object& schema) {
    const auto* type = schema.if_contains("type");
    if (!type) return {};
    if (type->is_string()) return type->get_string();
    return type->as_array().front().get_string();
}

inline bool takes_null(const boost::json::object& schema) {
    const auto* type = schema.if_contains("type");
    const auto* any = schema.if_contains("anyOf");
    return any || (type && (type->is_array() || *type == "null"));
}

inline bool is_empty(const boost::json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::null: return true;
        case boost::json::kind::bool_: return !value.get_bool();
        case boost::json::kind::int64: return value.get_int64() == 0;
        case boost::json::kind::uint64: return value.get_uint64() == 0;
        case boost::json::kind::double_: return value.get_double() == 0;
        case boost::json::kind::string: return value.get_string().empty();
        case boost::json::kind::array: return value.get_array().empty();
        case boost::json::kind::object: return value.get_object().empty();
    }
    return false;
}

/// Whether a member must be given, by its schema.
inline bool is_required(const boost::json::object& schema) {
    if (takes_null(schema)) return false;
    const auto* otherwise = schema.if_contains("default");
    if (!otherwise) return true;
    if (const auto* names = schema.if_contains("enum")) return *otherwise == names->as_array().front();
    return is_empty(*otherwise);
}

/// Goes through a value and its schema at once.
class reader {
public:
    reader(const boost::json::object& definitions, param_flaws& flaws) : definitions_(definitions), flaws_(flaws) {}

    void read(const boost::json::object& given, boost::json::value& value, const boost::json::array& place) {
        const auto& schema = resolved(given);
        if (value.is_null() && takes_null(schema)) return;
        if (const auto* any = schema.if_contains("anyOf")) return read(any->as_array().front().as_object(), value, place);
        if (const auto* names = schema.if_contains("enum")) return read_name(names->as_array(), value, place);
        const auto type = type_of(schema);
        if (type == "object") read_object(schema, value, place);
        else if (type == "array") read_array(schema, value, place);
        else if (type == "integer") read_integer(schema, value, place);
        else if (type == "number") take(lax_number(value), value, place);
        else if (type == "boolean") take(lax_boolean(value), value, place);
        else if (type == "string") take(lax_text(value), value, place);
    }

private:
    const boost::json::object& resolved(const boost::json::object& schema) const {
        constexpr std::string_view front = "#/$defs/";
        const auto* reference = schema.if_contains("$ref");
        if (!reference) return schema;
        const auto* found = definitions_.if_contains(std::string_view(reference->as_string()).substr(front.size()));
        return found ? found->as_object() : schema;
    }

    void add(lax_flaw what, const boost::json::value& value, const boost::json::array& place) {
        if (flaws_.size() < param_flaw::most) flaws_.emplace_back(std::move(what.type), place, std::move(what.message), value, std::move(what.context));
    }

    void take(lax_value made, boost::json::value& value, const boost::json::array& place) {
        if (made.flaw()) add(*made.flaw(), value, place);
        else value = made.value();
    }

    void read_integer(const boost::json::object& schema, boost::json::value& value, const boost::json::array& place) {
        auto made = lax_integer(value);
        if (!made.flaw()) {
            if (auto beyond = beyond_range(made.value(), schema.if_contains("minimum"), schema.if_contains("maximum"))) {
                return add(std::move(*beyond), value, place);
            }
        }
        take(std::move(made), value, place);
    }

    void read_name(const boost::json::array& names, const boost::json::value& value, const boost::json::array& place) {
        if (std::ranges::find(names, value) != names.end()) return;
        std::string expected;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (i > 0) expected += i + 1 == names.size() ? " or " : ", ";
            expected += python_repr(names[i].as_string());
        }
        add(lax_flaw("enum", "Input should be " + expected, {{"expected", expected}}), value, place);
    }

    void read_array(const boost::json::object& schema, boost::json::value& value, const boost::json::array& place) {
        if (!value.is_array()) return add(lax_flaw("list_type", "Input should be a valid list"), value, place);
        auto& items = value.get_array();
        const auto* each = schema.if_contains("items");
        const auto* ones = schema.if_contains("prefixItems");
        for (std::size_t i = 0; i < items.size(); ++i) {
            const boost::json::value* of = each;
            if (!of && ones && i < ones->as_array().size()) of = &ones->as_array()[i];
            if (of) read(of->as_object(), items[i], below(place, i));
        }
    }

    void read_object(const boost::json::object& schema, boost::json::value& value, const boost::json::array& place) {
        if (!value.is_object()) {
            const bool is_body = place.size() == 1;
            return add(is_body ? lax_flaw("model_attributes_type", "Input should be a valid dictionary or object to extract fields from")
                               : lax_flaw("dict_type", "Input should be a valid dictionary"),
                       value, place);
        }
        auto& members = value.get_object();
        if (const auto* properties = schema.if_contains("properties")) {
            for (const auto& [name, of] : properties->as_object()) {
                auto* const found = members.if_contains(name);
                if (found) read(of.as_object(), *found, below(place, name));
                else if (is_required(of.as_object()) && flaws_.size() < param_flaw::most) flaws_.push_back(missing(below(place, name), value));
            }
        }
        if (const auto* each = schema.if_contains("additionalProperties")) {
            for (auto& [name, one] : members) read(each->as_object(), one, below(place, name));
        }
    }

    const boost::json::object& definitions_;
    param_flaws& flaws_;
};

inline bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

inline http::problem broken_json(std::size_t position, const std::string& why) {
    param_flaws flaws;
    flaws.emplace_back("json_invalid", boost::json::array{"body", position}, "JSON decode error", boost::json::object(),
                       boost::json::object{{"error", why}});
    return unprocessable(flaws);
}

}  // namespace params

params_schema::params_schema(const http::exposed_task& of) {
    schema_builder builder;
    root_ = of.payload_schema(builder);
    definitions_ = builder.definitions();
}

bool params_schema::is_empty() const { return params::type_of(root_) == "null"; }

void params_schema::read(boost::json::value& value, const boost::json::array& place, param_flaws& flaws) const {
    params::reader(definitions_, flaws).read(root_, value, place);
}

boost::json::value read_params_body(const http::request& asked, std::string_view text) {
    param_flaws flaws;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        flaws.push_back(missing(boost::json::array{"body"}, nullptr));
        throw unprocessable(flaws);
    }
    const auto type = http::media_type::parse(asked.fields["Content-Type"]);
    if (!type || !type->is_json()) {
        constexpr std::size_t most_shown = 200;
        flaws.emplace_back("model_attributes_type", boost::json::array{"body"},
                           "Input should be a valid dictionary or object to extract fields from; send it with Content-Type: application/json",
                           is_utf8(text) && text.size() <= most_shown ? boost::json::value(text) : boost::json::value(nullptr));
        throw unprocessable(flaws);
    }
    boost::json::parse_options options;
    options.numbers = boost::json::number_precision::precise;
    boost::json::stream_parser parser({}, options);
    boost::system::error_code ec;
    const auto read = parser.write_some(text.data(), text.size(), ec);
    if (!ec && read < text.size()) {
        const auto extra = text.find_first_not_of(" \t\r\n", read);
        if (extra != std::string_view::npos) throw params::broken_json(extra, "Extra data");
    }
    if (!ec) parser.finish(ec);
    if (ec) throw params::broken_json(read, ec.message());
    auto value = parser.release();
    if (!value.is_null()) return value;
    flaws.push_back(missing(boost::json::array{"body"}, nullptr));
    throw unprocessable(flaws);
}

param_flaw flaw_of(const payload_error& refused, const boost::json::value& body) {
    boost::json::array place{"body"};
    const boost::json::value* at = &body;
    std::string_view rest = refused.pointer();
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto end = (std::min)(rest.find('/'), rest.size());
        std::string name(rest.substr(0, end));
        rest.remove_prefix(end);
        for (auto i = name.find('~'); i != std::string::npos && i + 1 < name.size(); i = name.find('~', i + 1)) {
            name.replace(i, 2, name[i + 1] == '1' ? "/" : "~");
        }
        const bool is_index = at && at->is_array() && params::is_digits(name);
        if (is_index) place.emplace_back(std::stoull(name));
        else place.emplace_back(name);
        if (is_index && std::stoull(name) < at->get_array().size()) at = &at->get_array()[std::stoull(name)];
        else at = at && at->is_object() ? at->get_object().if_contains(name) : nullptr;
    }
    return {"value_error", std::move(place), "Value error, " + refused.reason(), at ? *at : boost::json::value(nullptr)};
}

}  // namespace taskflux::detail
