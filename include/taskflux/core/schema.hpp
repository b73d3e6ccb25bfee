#pragma once

#include <taskflux/core/codec.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

/// Builds JSON Schemas (draft 2020-12) of payload types, which share definitions: a class that contains
/// itself is defined once and referred to; every other class stands where it is used.
///
/// No member is listed as required, because none is: an absent one keeps its default, which the schema shows.
/// A `codec<T>` of the user's own may have `static boost::json::object schema()`; without it the schema
/// allows anything.
class schema_builder {
public:
    /// @param references what comes before a definition's name in a `$ref`.
    explicit schema_builder(std::string references = "#/$defs/") : references_(std::move(references)) {}

    /// The schema of `T`; definitions that it needs are added to `definitions()`.
    template <class T>
    boost::json::object add() {
        detail::require_payload<T>();
        if constexpr (is_payload<T>)
            return schema<T>();
        else
            return {};
    }

    const boost::json::object& definitions() const { return definitions_; }

private:
    /// A class whose schema is being made, or which has a definition.
    struct entry {
        const void* type;
        std::string name;
        bool recursive = false;
    };

    template <class T>
    static constexpr char type_tag = 0;

    template <class T>
    boost::json::object schema() {
        return schema(detail::as<detail::kind_of<T>>{}, std::type_identity<T>{});
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::null>, std::type_identity<T>) {
        return {{"type", "null"}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::custom>, std::type_identity<T>) {
        if constexpr (requires { codec<T>::schema(); })
            return codec<T>::schema();
        else
            return {};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::bytes>, std::type_identity<T>) {
        return {{"type", "string"}, {"contentEncoding", "base64"}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::any>, std::type_identity<T>) {
        return {};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::boolean>, std::type_identity<T>) {
        return {{"type", "boolean"}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::integer>, std::type_identity<T>) {
        return {{"type", "integer"},
                {"minimum", (std::numeric_limits<T>::min)()},
                {"maximum", (std::numeric_limits<T>::max)()}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::number>, std::type_identity<T>) {
        return {{"type", "number"}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::text>, std::type_identity<T>) {
        return {{"type", "string"}};
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::enumeration>, std::type_identity<T>) {
        return {{"title", payload_name<T>}, {"type", "string"}, {"enum", names<T>()}};
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::duration>, std::type_identity<T>) {
        auto result = schema<typename T::rep>();
        result["description"] = "duration in " + unit(T::period::num, T::period::den);
        return result;
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::time>, std::type_identity<T>) {
        return {{"type", "string"}, {"format", "date-time"}};
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::nullable>, std::type_identity<T>) {
        auto inner = schema<detail::pointee<T>>();
        if (inner.empty()) return inner;
        auto* type = inner.if_contains("type");
        if (type && type->is_string() && !inner.contains("enum")) {
            *type = boost::json::array{*type, "null"};
            return inner;
        }
        return {{"anyOf", boost::json::array{std::move(inner), boost::json::object{{"type", "null"}}}}};
    }

    template <class... Ts>
    boost::json::object schema(detail::as<detail::kind::variant>, std::type_identity<std::variant<Ts...>>) {
        boost::json::array alternatives;
        (alternatives.push_back(alternative<Ts>()), ...);
        return {{"oneOf", std::move(alternatives)}};
    }

    template <class T>
    boost::json::object alternative() {
        boost::json::object type{{"const", payload_name<T>}};
        boost::json::object properties{{"type", std::move(type)}, {"value", schema<T>()}};
        return {{"type", "object"},
                {"properties", std::move(properties)},
                {"required", boost::json::array{"type"}}};
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::map>, std::type_identity<T>) {
        boost::json::object result{{"type", "object"}};
        using key = typename T::key_type;
        if constexpr (detail::kind_of<key> == detail::kind::integer)
            result["propertyNames"] = boost::json::object{{"pattern", "^-?[0-9]+$"}};
        if constexpr (detail::kind_of<key> == detail::kind::enumeration)
            result["propertyNames"] = boost::json::object{{"enum", names<key>()}};
        result["additionalProperties"] = schema<typename T::mapped_type>();
        return result;
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::set>, std::type_identity<T> type) {
        return schema(detail::as<detail::kind::sequence>{}, type);
    }
    template <class T>
    boost::json::object schema(detail::as<detail::kind::sequence>, std::type_identity<T>) {
        return {{"type", "array"}, {"items", schema<typename T::value_type>()}};
    }

    template <class T, std::size_t Size>
    boost::json::object schema(detail::as<detail::kind::tuple>, std::type_identity<std::array<T, Size>>) {
        return {{"type", "array"}, {"items", schema<T>()}, {"minItems", Size}, {"maxItems", Size}};
    }
    template <template <class...> class Tuple, class... Ts>
    boost::json::object schema(detail::as<detail::kind::tuple>, std::type_identity<Tuple<Ts...>>) {
        boost::json::array items;
        (items.push_back(schema<Ts>()), ...);
        boost::json::object result{{"type", "array"}};
        if (!items.empty()) result["prefixItems"] = std::move(items);
        result["minItems"] = sizeof...(Ts);
        result["maxItems"] = sizeof...(Ts);
        return result;
    }

    template <class T>
    boost::json::object schema(detail::as<detail::kind::object>, std::type_identity<T>) {
        const void* type = &type_tag<T>;
        const auto known =
            std::find_if(entries_.begin(), entries_.end(), [&](auto& e) { return e.type == type; });
        if (known != entries_.end()) {
            known->recursive = true;
            return {{"$ref", references_ + known->name}};
        }
        const std::size_t index = entries_.size();
        entries_.push_back({type, free_name(payload_name<T>)});
        boost::json::object result{
            {"title", payload_name<T>}, {"type", "object"}, {"properties", properties<T>()}};
        entry done = std::move(entries_[index]);
        if (!done.recursive) {
            entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
            return result;
        }
        definitions_[done.name] = std::move(result);
        boost::json::object reference{{"$ref", references_ + done.name}};
        entries_[index] = std::move(done);
        return reference;
    }

    template <class T>
    boost::json::object properties() {
        boost::json::object result;
        const T defaults{};
        detail::for_each_member<T>([&]<class Member>(Member) {
            const auto& value = defaults.*Member::pointer;
            using type = std::remove_cvref_t<decltype(value)>;
            auto property = schema<type>();
            add_default(property, value);
            result[detail::member_name<Member>] = std::move(property);
        });
        return result;
    }

    /// A class's own defaults stand at its members; only what differs from them is said again.
    template <class T>
    static void add_default(boost::json::object& property, const T& value) {
        if constexpr (detail::kind_of<T> == detail::kind::nullable) {
            if (!value) return;
        }
        try {
            const std::string text = encode(value);
            if constexpr (detail::kind_of<T> == detail::kind::object) {
                if (text == encode(T{})) return;
            }
            property["default"] = decode<boost::json::value>(text);
        } catch (const payload_error&) {
            // A default that JSON cannot hold (NaN, an enum's value without a name) cannot be shown.
        }
    }

    template <class Enum>
    static boost::json::array names() {
        boost::json::array result;
        detail::any_enumerator<Enum>([&](std::string_view name, Enum) {
            result.push_back(boost::json::value(name));
            return false;
        });
        return result;
    }

    static std::string unit(std::intmax_t num, std::intmax_t den) {
        if (num == 1 && den == 1) return "seconds";
        if (num == 1 && den == 1'000) return "milliseconds";
        if (num == 1 && den == 1'000'000) return "microseconds";
        if (num == 1 && den == 1'000'000'000) return "nanoseconds";
        if (num == 60 && den == 1) return "minutes";
        if (num == 3600 && den == 1) return "hours";
        if (num == 86400 && den == 1) return "days";
        return "units of " + std::to_string(num) + "/" + std::to_string(den) + " seconds";
    }

    /// Two classes of the same name in different namespaces get different definitions.
    std::string free_name(std::string_view wanted) const {
        std::string name(wanted);
        const auto taken = [&] {
            return std::any_of(entries_.begin(), entries_.end(), [&](auto& e) { return e.name == name; });
        };
        for (int i = 2; taken(); ++i) name = std::string(wanted) + "_" + std::to_string(i);
        return name;
    }

    std::string references_;
    boost::json::object definitions_;
    std::vector<entry> entries_;
};

/// The JSON Schema (draft 2020-12) of what `decode<T>` accepts, complete with `$defs`.
template <class T>
boost::json::object schema_of() {
    if constexpr (std::is_same_v<T, raw>) {
        return {{"description", "any bytes"}, {"contentMediaType", "application/octet-stream"}};
    } else {
        schema_builder builder;
        auto schema = builder.add<T>();
        if (!builder.definitions().empty()) schema["$defs"] = builder.definitions();
        return schema;
    }
}

/// `schema_of<T>()` as text, for an error that says what would have been right.
template <class T>
std::string schema_text() {
    return encode(boost::json::value(schema_of<T>()), decode_limits().max_depth(1024));
}

}  // namespace taskflux
