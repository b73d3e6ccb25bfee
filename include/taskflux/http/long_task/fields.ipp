#pragma once

#include <taskflux/http/long_task/desk.hpp>
#include <taskflux/http/long_task/fields.hpp>

#include <string>

namespace taskflux::detail::long_task {

fields::fields(std::string_view text) {
    try {
        whole_ = std::make_shared<const json_text>(text);
    } catch (const json_text::fault&) {
        throw refusal();
    }
    if (!whole_->value().is_object()) throw refusal();
    as_sent_ = sent_members(text);
}

bool fields::has(std::string_view name) const { return as_sent_.contains(name); }

std::string_view fields::slice(std::string_view name) const {
    const auto found = as_sent_.find(name);
    if (found == as_sent_.end()) throw refusal();
    return found->second;
}

const boost::json::value& fields::at(std::string_view name) const {
    slice(name);
    return whole_->value().get_object().at(boost::json::string_view(name.data(), name.size()));
}

std::string fields::text(std::string_view name) const {
    const auto* const text = at(name).if_string();
    if (!text) throw refusal();
    return std::string(*text);
}

std::optional<std::string> fields::optional_text(std::string_view name) const {
    if (!has(name) || at(name).is_null()) return std::nullopt;
    return text(name);
}

std::int64_t fields::number(std::string_view name, std::int64_t otherwise, std::int64_t most, std::int64_t least) const {
    if (!has(name)) return otherwise;
    const auto* const number = at(name).if_int64();
    if (!number || *number < least || *number > most) throw refusal();
    return *number;
}

fields fields::object(std::string_view name) const { return fields(slice(name)); }

std::vector<fields> fields::objects(std::string_view name) const {
    if (!at(name).is_array()) throw refusal();
    std::vector<fields> all;
    for (const auto one : sent_elements(slice(name))) all.push_back(fields(one));
    return all;
}

std::string fields::as_sent(std::string_view name) const { return std::string(slice(name)); }

}  // namespace taskflux::detail::long_task
