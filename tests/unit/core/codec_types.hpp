#pragma once

#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

// Payload types that the codec's and the schema's tests share.
namespace codec_types {

enum class color { red, green, blue };
BOOST_DESCRIBE_ENUM(color, red, green, blue)

struct point {
    double x = 1;
    double y = 2;
    bool operator==(const point&) const = default;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct path {
    std::string name;
    std::vector<point> points;
    bool operator==(const path&) const = default;
};
BOOST_DESCRIBE_STRUCT(path, (), (name, points))

struct entity {
    std::int64_t id = 7;
    bool operator==(const entity&) const = default;
};
BOOST_DESCRIBE_STRUCT(entity, (), (id))

struct user : entity {
    std::string name = "nobody";
    std::optional<std::string> email;
    bool operator==(const user&) const = default;
};
BOOST_DESCRIBE_STRUCT(user, (entity), (name, email))

struct tree {
    int value = 0;
    std::vector<tree> children;
    bool operator==(const tree&) const = default;
};
BOOST_DESCRIBE_STRUCT(tree, (), (value, children))

struct list_node {
    int value = 0;
    std::unique_ptr<list_node> next;
};
BOOST_DESCRIBE_STRUCT(list_node, (), (value, next))

/// Can't be moved, and need not be where it is held by a pointer.
struct pinned {
    pinned() = default;
    pinned(pinned&&) = delete;
    int value = 0;
};
BOOST_DESCRIBE_STRUCT(pinned, (), (value))

struct holds_pinned {
    std::unique_ptr<pinned> one;
    std::shared_ptr<pinned> other;
};
BOOST_DESCRIBE_STRUCT(holds_pinned, (), (one, other))

struct has_pinned {
    pinned one;
};
BOOST_DESCRIBE_STRUCT(has_pinned, (), (one))

struct nothing {
    bool operator==(const nothing&) const = default;
};
BOOST_DESCRIBE_STRUCT(nothing, (), ())

using shape = std::variant<point, path, std::string, std::int64_t, std::monostate>;

struct everything {
    bool flag = false;
    std::int8_t small = 0;
    std::uint64_t large = 0;
    float single_number = 0;
    double number = 0;
    std::string text;
    color paint = color::red;
    std::optional<int> maybe;
    std::deque<point> points;
    std::map<std::string, std::list<int>> lists;
    std::unordered_map<std::int32_t, bool> flags;
    std::set<color> colors;
    std::pair<int, std::string> both;
    std::tuple<double, bool> some;
    std::array<std::uint16_t, 2> ports{};
    shape figure;
    std::chrono::milliseconds wait{0};
    std::chrono::sys_time<std::chrono::nanoseconds> when;
    taskflux::raw bytes;
    tree nested;
    bool operator==(const everything&) const = default;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (flag, small, large, single_number, number, text, paint, maybe, points, lists, flags,
                       colors, both, some, ports, figure, wait, when, bytes, nested))

/// A type with a codec of its own: written as "12.5 EUR".
struct money {
    int cents = 0;
    bool operator==(const money&) const = default;
};

struct bill {
    money total;
    std::vector<money> parts;
    bool operator==(const bill&) const = default;
};
BOOST_DESCRIBE_STRUCT(bill, (), (total, parts))

/// A class that was renamed: the wire keeps the name that it had.
struct renamed {
    int value = 0;
    bool operator==(const renamed&) const = default;
};
BOOST_DESCRIBE_STRUCT(renamed, (), (value))

}  // namespace codec_types

template <>
inline constexpr std::string_view taskflux::payload_name<codec_types::renamed> = "original";

template <>
struct taskflux::codec<codec_types::money> {
    static void encode(const codec_types::money& value, std::string& out) {
        out += "\"" + std::to_string(value.cents) + " ct\"";
    }
    static codec_types::money decode(std::string_view text) {
        if (!text.ends_with(" ct\"")) throw decode_error(errc::bad_payload, "", "expected money");
        return {std::stoi(std::string(text.substr(1)))};
    }
    static boost::json::object schema() { return {{"type", "string"}, {"pattern", "^-?[0-9]+ ct$"}}; }
};
