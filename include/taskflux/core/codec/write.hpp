#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/codec/name.hpp>
#include <taskflux/core/codec/output.hpp>
#include <taskflux/core/codec/parse.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/codec/timestamp.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace taskflux::detail {

/// `,"name":` for a member, made at compile time. The first comma becomes the object's brace.
template <class Member>
inline constexpr auto member_prefix = [] {
    constexpr std::string_view name = member_name<Member>;
    std::array<char, name.size() + 4> text{};
    std::size_t i = 0;
    for (char c : {',', '"'}) text[i++] = c;
    for (char c : name) text[i++] = c;
    for (char c : {'"', ':'}) text[i++] = c;
    return text;
}();

/// Writes values as JSON at the end of a string. Every item of a list is written with a comma in front; the
/// first comma is then replaced by the opening bracket.
class writer {
public:
    writer(std::string& out, const decode_limits& limits)
        : out_(out), max_size_(limits.max_size()), max_depth_(limits.max_depth()) {}

    template <class T>
    void write(const T& value, const path& at) {
        write(as<kind_of<T>>{}, value, at);
    }

    /// To be called once, after `write`.
    void finish() {
        check_size(path());
        out_.finish();
    }

private:
    void check_size(const path& at) const {
        if (out_.size() > max_size_)
            throw encode_error(errc::too_large, at.pointer(),
                               "the limit of " + std::to_string(max_size_) + " bytes is passed here");
    }

    void write(as<kind::null>, const auto&, const path&) { out_.append("null"); }

    void write(as<kind::boolean>, bool value, const path&) { out_.append(value ? "true" : "false"); }

    template <class T>
    void write(as<kind::integer>, T value, const path&) {
        constexpr std::size_t longest = 20;
        char* text = out_.room(longest);
        out_.advance(static_cast<std::size_t>(std::to_chars(text, text + longest, value).ptr - text));
    }

    template <class T>
    void write(as<kind::number>, T value, const path& at) {
        if (!std::isfinite(value)) fail_encode(at, "JSON has no NaN and no infinity");
        append_number(out_, value);
    }

    void write(as<kind::text>, std::string_view value, const path& at) {
        if (const auto bad = append_string(out_, value))
            fail_encode(at, "the string is not UTF-8 (byte " + std::to_string(*bad) +
                                "); use taskflux::raw for bytes");
    }

    void write(as<kind::bytes>, const raw& value, const path&) {
        out_.push_back('"');
        append_base64(out_, value.bytes);
        out_.push_back('"');
    }

    template <class T>
    void write(as<kind::enumeration>, T value, const path& at) {
        out_.push_back('"');
        out_.append(enumerator_text(value, at));
        out_.push_back('"');
    }

    template <class T>
    void write(as<kind::duration>, const T& value, const path& at) {
        write(value.count(), at);
    }

    template <class T>
    void write(as<kind::time>, const T& value, const path& at) {
        out_.push_back('"');
        if (!append_timestamp(out_, to_instant(value))) fail_encode(at, "the year is outside 0000 to 9999");
        out_.push_back('"');
    }

    template <class T>
    void write(as<kind::nullable>, const T& value, const path& at) {
        if (value)
            write(*value, at);
        else
            out_.append("null");
    }

    template <class T>
    void write(as<kind::variant>, const T& value, const path& at) {
        if (value.valueless_by_exception()) fail_encode(at, "the variant has no value");
        check_depth(at);
        std::visit(
            [&]<class Alternative>(const Alternative& alternative) {
                out_.append("{\"type\":");
                append_string(out_, payload_name<Alternative>);
                out_.append(",\"value\":");
                write(alternative, path(at, "value"));
            },
            value);
        out_.push_back('}');
    }

    template <class T>
    void write(as<kind::map>, const T& value, const path& at) {
        const std::size_t start = open(at);
        for (const auto& [key, item] : value) {
            out_.push_back(',');
            write_member(key_text(key, at), item, at);
        }
        close(start, '{', '}', at);
    }

    template <class T>
    void write(as<kind::set>, const T& value, const path& at) {
        write(as<kind::sequence>{}, value, at);
    }

    template <class T>
    void write(as<kind::sequence>, const T& value, const path& at) {
        const std::size_t start = open(at);
        std::size_t index = 0;
        for (const auto& item : value) {
            const path here(at, index++);
            out_.push_back(',');
            write<typename T::value_type>(item, here);
            check_size(here);
        }
        close(start, '[', ']', at);
    }

    template <class T>
    void write(as<kind::tuple>, const T& value, const path& at) {
        const std::size_t start = open(at);
        std::size_t index = 0;
        const auto each = [&](const auto& item) {
            out_.push_back(',');
            write(item, path(at, index++));
        };
        std::apply([&](const auto&... items) { (each(items), ...); }, value);
        close(start, '[', ']', at);
    }

    template <class T>
    void write(as<kind::object>, const T& value, const path& at) {
        const std::size_t start = open(at);
        for_each_member<T>([&]<class Member>(Member) {
            const auto& member = value.*Member::pointer;
            if constexpr (kind_of<std::remove_cvref_t<decltype(member)>> == kind::nullable) {
                if (!member) return;
            }
            out_.append(std::string_view(member_prefix<Member>.data(), member_prefix<Member>.size()));
            write(member, path(at, member_name<Member>));
        });
        close(start, '{', '}', at);
    }

    template <class T>
    void write(as<kind::custom>, const T& value, const path& at) {
        std::string text;
        try {
            codec<T>::encode(value, text);
            parse_json(text, decode_limits{}.max_size(max_size_).max_depth(max_depth_ - at.depth()), {});
        } catch (const payload_error& inner) {
            throw encode_error(static_cast<errc>(inner.code().value()), at.pointer() + inner.pointer(),
                               "codec<T>::encode: " + inner.reason());
        }
        out_.append(text);
    }

    void write(as<kind::any>, const boost::json::value& value, const path& at) {
        switch (value.kind()) {
            case boost::json::kind::null: out_.append("null"); return;
            case boost::json::kind::bool_: return write(value.get_bool(), at);
            case boost::json::kind::int64: return write(value.get_int64(), at);
            case boost::json::kind::uint64: return write(value.get_uint64(), at);
            case boost::json::kind::double_: return write(value.get_double(), at);
            case boost::json::kind::string: return write(as<kind::text>{}, value.get_string(), at);
            case boost::json::kind::array: return write(as<kind::sequence>{}, value.get_array(), at);
            case boost::json::kind::object: break;
        }
        const std::size_t start = open(at);
        for (const auto& item : value.get_object()) {
            out_.push_back(',');
            write_member(item.key(), item.value(), at);
        }
        close(start, '{', '}', at);
    }

    template <class T>
    void write_member(std::string_view key, const T& value, const path& at) {
        const path here(at, key);
        write(as<kind::text>{}, key, here);
        out_.push_back(':');
        write(value, here);
        check_size(here);
    }

    template <class Enum>
    static std::string_view enumerator_text(Enum value, const path& at) {
        std::string_view text;
        const bool known = any_enumerator<Enum>([&](std::string_view name, Enum candidate) {
            text = name;
            return candidate == value;
        });
        if (!known)
            fail_encode(at, "the enum's value " +
                                std::to_string(static_cast<std::underlying_type_t<Enum>>(value)) +
                                " has no name; it is none of " + enumerator_names<Enum>());
        return text;
    }

    template <class Key>
    static auto key_text(const Key& key, const path& at) {
        if constexpr (kind_of<Key> == kind::integer)
            return std::to_string(key);
        else if constexpr (kind_of<Key> == kind::enumeration)
            return enumerator_text(key, at);
        else
            return std::string_view(key);
    }

    void check_depth(const path& at) const {
        if (at.depth() >= max_depth_)
            throw encode_error(errc::too_large, at.pointer(),
                               "nested deeper than " + std::to_string(max_depth_) + " levels");
    }

    std::size_t open(const path& at) const {
        check_depth(at);
        return out_.size();
    }

    void close(std::size_t start, char opening, char closing, const path& at) {
        if (out_.size() == start)
            out_.push_back(opening);
        else
            out_[start] = opening;
        out_.push_back(closing);
        check_size(at);
    }

    output out_;
    std::size_t max_size_;
    std::size_t max_depth_;
};

}  // namespace taskflux::detail
