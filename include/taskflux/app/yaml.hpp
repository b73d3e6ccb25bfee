#pragma once

#include <taskflux/app/config.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// Not included by the rest of taskflux: a program that includes it must link yaml-cpp.
namespace taskflux {
namespace detail {

/// Reads YAML into the values that the same config in JSON would have: plain scalars by YAML 1.2's core schema (without
/// octal, hexadecimal and infinite numbers), quoted scalars as strings.
class yaml_reader {
public:
    explicit yaml_reader(const std::string& name) : name_(name) {}

    config_document read(std::string_view text) {
        try {
            const auto root = YAML::Load(std::string(text));
            made_.places.emplace("", place(root.Mark()));
            made_.root = root.IsNull() ? boost::json::object() : value(root, "", 0);
        } catch (const YAML::Exception& e) {
            throw config_error("", "not valid YAML: " + e.msg, place(e.mark));
        }
        return std::move(made_);
    }

private:
    static constexpr int deepest = 32;

    std::string place(const YAML::Mark& mark) const {
        if (mark.is_null()) return name_;
        return name_ + ':' + std::to_string(mark.line + 1) + ':' + std::to_string(mark.column + 1);
    }

    boost::json::value value(const YAML::Node& node, const std::string& pointer, int depth) {
        if (depth == deepest) throw config_error("", "nested deeper than 32 levels: use fewer", place(node.Mark()));
        switch (node.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null: return nullptr;
            case YAML::NodeType::Scalar: return scalar(node);
            case YAML::NodeType::Sequence: return sequence(node, pointer, depth);
            case YAML::NodeType::Map: break;
        }
        boost::json::object object;
        for (const auto& member : node) {
            const auto& key = member.first;
            if (!key.IsScalar()) throw config_error(pointer, "a key must be a scalar", place(key.Mark()));
            const path top;
            const auto here = pointer + path(top, key.Scalar()).pointer();
            if (!made_.places.emplace(here, place(key.Mark())).second) {
                throw config_error(here, "the key is there twice: remove one", place(key.Mark()));
            }
            object[key.Scalar()] = value(member.second, here, depth + 1);
        }
        return object;
    }

    boost::json::value sequence(const YAML::Node& node, const std::string& pointer, int depth) {
        boost::json::array array;
        for (const auto& element : node) {
            const auto here = pointer + '/' + std::to_string(array.size());
            made_.places.emplace(here, place(element.Mark()));
            array.push_back(value(element, here, depth + 1));
        }
        return array;
    }

    static boost::json::value scalar(const YAML::Node& node) {
        const std::string_view text = node.Scalar();
        if (node.Tag() != "?") return boost::json::value(text);  // quoted, or with a tag
        const auto is_one_of = [&](const std::array<std::string_view, 3>& words) {
            return std::ranges::find(words, text) != words.end();
        };
        if (is_one_of({"true", "True", "TRUE"})) return true;
        if (is_one_of({"false", "False", "FALSE"})) return false;
        const auto digits = text.starts_with('+') ? text.substr(1) : text;
        const auto* const end = digits.data() + digits.size();
        std::int64_t whole = 0;
        const auto as_whole = std::from_chars(digits.data(), end, whole);
        if (as_whole.ec == std::errc() && as_whole.ptr == end) return whole;
        double number = 0;
        const bool may_be_number = digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
        const auto as_number = std::from_chars(digits.data(), end, number);
        if (may_be_number && as_number.ec == std::errc() && as_number.ptr == end) return number;
        return boost::json::value(text);
    }

    const std::string& name_;
    config_document made_;
};

}  // namespace detail

/// Reads .yaml and .yml files: for `app::accept` and `config_sources::format`. Errors of its `read`: `config_error`.
inline config_format yaml_format() {
    config_format made;
    made.endings = {".yaml", ".yml"};
    made.read = [](std::string_view text, const std::string& name) { return detail::yaml_reader(name).read(text); };
    return made;
}

}  // namespace taskflux
