#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/core/codec.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

template <class T>
std::vector<std::string> keys_of() {
    std::vector<std::string> names;
    for_each_member<T>([&]<class Member>(Member) { names.emplace_back(member_name<Member>); });
    return names;
}

inline void refuse_unknown_keys(const boost::json::object& object, const std::vector<std::string>& allowed, const path& at) {
    for (const auto& member : object) {
        if (std::ranges::find(allowed, std::string_view(member.key())) != allowed.end()) continue;
        throw config_error(path(at, member.key()).pointer(),
                           "unknown key" + allowed_instead(member.key(), allowed));
    }
}

/// The codec ignores unknown keys, for messages of newer versions; in a config they are errors.
template <class T>
void refuse_unknown_keys(const boost::json::value& json, const path& at) {
    if constexpr (kind_of<T> == kind::object) {
        const auto* object = json.if_object();
        if (!object) return;  // the codec refuses another type, also below
        refuse_unknown_keys(*object, keys_of<T>(), at);
        for_each_member<T>([&]<class Member>(Member) {
            using value_type = std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>;
            const auto* found = object->if_contains(member_name<Member>);
            if (found) refuse_unknown_keys<value_type>(*found, path(at, member_name<Member>));
        });
    } else if constexpr (kind_of<T> == kind::sequence) {
        const auto* array = json.if_array();
        for (std::size_t i = 0; array && i != array->size(); ++i) {
            refuse_unknown_keys<typename T::value_type>((*array)[i], path(at, i));
        }
    } else if constexpr (kind_of<T> == kind::map) {
        const auto* object = json.if_object();
        if (!object) return;
        for (const auto& member : *object) {
            refuse_unknown_keys<typename T::mapped_type>(member.value(), path(at, member.key()));
        }
    } else if constexpr (kind_of<T> == kind::nullable) {
        refuse_unknown_keys<pointee<T>>(json, at);
    }
}

/// Reads `json` over `values`. Throws `config_error`.
template <class T>
void read_strictly(const boost::json::value& json, T& values) {
    refuse_unknown_keys<T>(json, path());
    try {
        reader::read(json, values, path());
    } catch (const payload_error& e) {
        throw config_error(e.pointer(), e.reason());
    }
}

}  // namespace taskflux::detail
