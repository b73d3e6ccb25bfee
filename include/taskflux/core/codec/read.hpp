#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/codec/name.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/codec/timestamp.hpp>
#include <taskflux/core/codec/write.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux::detail {

/// A value as an error shows it: `string "abc"`, `number 3.5`, `null`, `an object`.
inline std::string shown(const boost::json::value& value) {
    constexpr std::size_t longest = 40;
    switch (value.kind()) {
        case boost::json::kind::object: return "an object";
        case boost::json::kind::array: return "an array of " + std::to_string(value.get_array().size());
        case boost::json::kind::null: return "null";
        case boost::json::kind::bool_: return value.get_bool() ? "true" : "false";
        case boost::json::kind::string: return "string " + in_quotes(value.get_string(), longest);
        case boost::json::kind::int64: return "number " + std::to_string(value.get_int64());
        case boost::json::kind::uint64: return "number " + std::to_string(value.get_uint64());
        case boost::json::kind::double_: break;
    }
    const double number = value.get_double();
    if (!std::isfinite(number)) return "a number beyond the range of a double";
    std::string out;
    output text_out(out);
    text_out.append("number ");
    append_number(text_out, number);
    text_out.finish();
    return out;
}

[[noreturn]] inline void fail_expected(const path& at, const std::string& expected,
                                       const boost::json::value& got) {
    fail_decode(at, "expected " + expected + ", got " + shown(got));
}

template <class T>
std::string integer_range() {
    return "an integer from " + std::to_string((std::numeric_limits<T>::min)()) + " to " +
           std::to_string((std::numeric_limits<T>::max)());
}

/// Reads parsed JSON into values. What the JSON does not mention keeps the value that it has.
struct reader {
    template <class T>
    static void read(const boost::json::value& json, T& value, const path& at) {
        read(as<kind_of<T>>{}, json, value, at);
    }

    static void read(as<kind::null>, const boost::json::value& json, auto&, const path& at) {
        if (!json.is_null()) fail_expected(at, "null", json);
    }

    static void read(as<kind::any>, const boost::json::value& json, boost::json::value& value, const path&) {
        value = json;
    }

    static void read(as<kind::boolean>, const boost::json::value& json, bool& value, const path& at) {
        if (!json.is_bool()) fail_expected(at, "true or false", json);
        value = json.get_bool();
    }

    template <class T>
    static void read(as<kind::integer>, const boost::json::value& json, T& value, const path& at) {
        if (json.is_int64() && std::in_range<T>(json.get_int64()))
            value = static_cast<T>(json.get_int64());
        else if (json.is_uint64() && std::in_range<T>(json.get_uint64()))
            value = static_cast<T>(json.get_uint64());
        else
            fail_expected(at, integer_range<T>(), json);
    }

    template <class T>
    static void read(as<kind::number>, const boost::json::value& json, T& value, const path& at) {
        double number = 0;
        if (json.is_double())
            number = json.get_double();
        else if (json.is_int64())
            number = static_cast<double>(json.get_int64());
        else if (json.is_uint64())
            number = static_cast<double>(json.get_uint64());
        else
            fail_expected(at, "number", json);
        constexpr double most = static_cast<double>((std::numeric_limits<T>::max)());
        // Not `number > most`: the shortest text of the largest float is a double just above it.
        if (!std::isfinite(number) || !std::isfinite(static_cast<T>(number)))
            fail_expected(at, "number from " + shown(-most).substr(7) + " to " + shown(most).substr(7), json);
        value = static_cast<T>(number);
    }

    static void read(as<kind::text>, const boost::json::value& json, std::string& value, const path& at) {
        value = string_in(json, "string", at);
    }

    static void read(as<kind::bytes>, const boost::json::value& json, raw& value, const path& at) {
        auto bytes = from_base64(string_in(json, "base64 string", at));
        if (!bytes) fail_expected(at, "base64 string", json);
        value.bytes = std::move(*bytes);
    }

    template <class T>
    static void read(as<kind::enumeration>, const boost::json::value& json, T& value, const path& at) {
        if (!json.is_string() || !enumerator_in(json.get_string(), value))
            fail_expected(at, "one of " + enumerator_names<T>(), json);
    }

    template <class T>
    static void read(as<kind::duration>, const boost::json::value& json, T& value, const path& at) {
        typename T::rep count{};
        read(json, count, at);
        value = T(count);
    }

    template <class T>
    static void read(as<kind::time>, const boost::json::value& json, T& value, const path& at) {
        constexpr const char* expected = "RFC 3339 time such as \"2026-01-31T12:00:00Z\"";
        const auto parsed = parse_timestamp(string_in(json, expected, at));
        if (!parsed) fail_expected(at, expected, json);
        const auto time = from_instant<typename T::duration>(*parsed);
        if (!time) fail_expected(at, "a time within the range of its type", json);
        value = *time;
    }

    template <class T>
    static void read(as<kind::nullable>, const boost::json::value& json, T& value, const path& at) {
        if (json.is_null()) {
            value.reset();
            return;
        }
        if (!value) {
            if constexpr (is_a<T, std::optional>)
                value.emplace();
            else
                value = T(new pointee<T>());
        }
        read(json, *value, at);
    }

    template <class T>
    static void read(as<kind::variant>, const boost::json::value& json, T& value, const path& at) {
        const auto* object = json.if_object();
        if (!object) fail_expected(at, "an object with \"type\" and \"value\"", json);
        const auto* type = object->if_contains("type");
        const boost::json::value absent;
        const path type_at(at, "type");
        read_alternative(type ? *type : absent, *object, value, type_at, at);
    }

    template <class... Ts>
    static void read_alternative(const boost::json::value& type, const boost::json::object& object,
                                 std::variant<Ts...>& value, const path& type_at, const path& at) {
        const auto chosen = [&]<class T>(std::type_identity<T>) {
            if (!type.is_string() || std::string_view(type.get_string()) != payload_name<T>) return false;
            auto& alternative = value.template emplace<T>();
            if (const auto* inner = object.if_contains("value")) read(*inner, alternative, path(at, "value"));
            return true;
        };
        if ((chosen(std::type_identity<Ts>{}) || ...)) return;
        std::string names;
        for (std::string_view name : {payload_name<Ts>...})
            names.append(names.empty() ? "\"" : ", \"").append(name).append("\"");
        fail_expected(type_at, "one of " + names, type);
    }

    template <class T>
    static void read(as<kind::map>, const boost::json::value& json, T& value, const path& at) {
        const auto* object = json.if_object();
        if (!object) fail_expected(at, "object", json);
        value.clear();
        for (const auto& item : *object) {
            const path here(at, item.key());
            auto key = key_in<typename T::key_type>(item.key(), here);
            typename T::mapped_type mapped{};
            read(item.value(), mapped, here);
            value.insert_or_assign(std::move(key), std::move(mapped));
        }
    }

    template <class T>
    static void read(as<kind::set>, const boost::json::value& json, T& value, const path& at) {
        value.clear();
        read_items<typename T::value_type>(json, at, [&](auto&& item) { value.insert(std::move(item)); });
    }

    template <class T>
    static void read(as<kind::sequence>, const boost::json::value& json, T& value, const path& at) {
        value.clear();
        if constexpr (requires { value.reserve(1); })
            if (const auto* array = json.if_array()) value.reserve(array->size());
        read_items<typename T::value_type>(json, at, [&](auto&& item) { value.push_back(std::move(item)); });
    }

    template <class Item>
    static void read_items(const boost::json::value& json, const path& at, auto&& add) {
        const auto* array = json.if_array();
        if (!array) fail_expected(at, "array", json);
        std::size_t index = 0;
        for (const auto& element : *array) {
            Item item{};
            read(element, item, path(at, index++));
            add(std::move(item));
        }
    }

    template <class T>
    static void read(as<kind::tuple>, const boost::json::value& json, T& value, const path& at) {
        constexpr std::size_t size = std::tuple_size_v<T>;
        const auto* array = json.if_array();
        if (!array || array->size() != size) fail_expected(at, "an array of " + std::to_string(size), json);
        std::size_t index = 0;
        const auto each = [&](auto& item) {
            read((*array)[index], item, path(at, index));
            ++index;
        };
        std::apply([&](auto&... items) { (each(items), ...); }, value);
    }

    template <class T>
    static void read(as<kind::object>, const boost::json::value& json, T& value, const path& at) {
        const auto* object = json.if_object();
        if (!object) fail_expected(at, "object", json);
        // Members mostly come in the order in which they are described, so that is where to look first.
        auto next = object->begin();
        for_each_member<T>([&]<class Member>(Member) {
            constexpr std::string_view name = member_name<Member>;
            auto found =
                next != object->end() && std::string_view(next->key()) == name ? next : object->find(name);
            if (found == object->end()) return;
            read(found->value(), value.*Member::pointer, path(at, name));
            next = found + 1;
        });
    }

    template <class T>
    static void read(as<kind::custom>, const boost::json::value& json, T& value, const path& at) {
        constexpr std::size_t no_limit = (std::numeric_limits<std::size_t>::max)();
        std::string text;
        writer whole(text, decode_limits().max_depth(no_limit).max_size(no_limit));
        whole.write(json, path());
        whole.finish();
        try {
            value = codec<T>::decode(text);
        } catch (const payload_error& inner) {
            throw decode_error(static_cast<errc>(inner.code().value()), at.pointer() + inner.pointer(),
                               inner.reason());
        }
    }

    static std::string_view string_in(const boost::json::value& json, const char* expected, const path& at) {
        if (!json.is_string()) fail_expected(at, expected, json);
        return json.get_string();
    }

    template <class Enum>
    static bool enumerator_in(std::string_view text, Enum& value) {
        return any_enumerator<Enum>([&](std::string_view name, Enum candidate) {
            if (name != text) return false;
            value = candidate;
            return true;
        });
    }

    template <class Key>
    static Key key_in(std::string_view text, const path& at) {
        Key key{};
        if constexpr (kind_of<Key> == kind::integer) {
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
            if (error != std::errc() || end != text.data() + text.size())
                fail_decode(at, "expected " + integer_range<Key>() + " as the key");
        } else if constexpr (kind_of<Key> == kind::enumeration) {
            if (!enumerator_in(text, key))
                fail_decode(at, "expected one of " + enumerator_names<Key>() + " as the key");
        } else {
            key = text;
        }
        return key;
    }
};

}  // namespace taskflux::detail
