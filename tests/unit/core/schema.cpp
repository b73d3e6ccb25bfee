#include <taskflux/core/schema.hpp>

#include "codec_types.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>

using namespace codec_types;
using taskflux::schema_of;

namespace core_schema {

template <class T>
void has_schema(std::string_view text) {
    BOOST_TEST((schema_of<T>() == boost::json::parse(text).as_object()), taskflux::schema_text<T>());
}

namespace elsewhere {

struct tree {
    std::vector<tree> branches;
    codec_types::tree other;
};
BOOST_DESCRIBE_STRUCT(tree, (), (branches, other))

}  // namespace elsewhere

struct defaults {
    int count = 5;
    point at{3, 4};
    point usual;
    std::optional<int> set = 1;
    double unknown = std::numeric_limits<double>::quiet_NaN();
    color none = static_cast<color>(-1);
};
BOOST_DESCRIBE_STRUCT(defaults, (), (count, at, usual, set, unknown, none))

}  // namespace core_schema

BOOST_AUTO_TEST_SUITE(core_schema)

BOOST_AUTO_TEST_CASE(scalars_say_their_type_and_range) {
    has_schema<bool>(R"({"type":"boolean"})");
    has_schema<std::int8_t>(R"({"type":"integer","minimum":-128,"maximum":127})");
    has_schema<std::uint64_t>(R"({"type":"integer","minimum":0,"maximum":18446744073709551615})");
    has_schema<double>(R"({"type":"number"})");
    has_schema<std::string>(R"({"type":"string"})");
    has_schema<void>(R"({"type":"null"})");
    has_schema<color>(R"({"title":"color","type":"string","enum":["red","green","blue"]})");
    has_schema<std::chrono::sys_seconds>(R"({"type":"string","format":"date-time"})");
    has_schema<std::chrono::duration<std::int16_t, std::milli>>(
        R"({"type":"integer","minimum":-32768,"maximum":32767,"description":"duration in milliseconds"})");
    has_schema<std::chrono::duration<double, std::ratio<1, 25>>>(
        R"({"type":"number","description":"duration in units of 1/25 seconds"})");
    has_schema<boost::json::value>("{}");
    has_schema<taskflux::raw>(R"({"description":"any bytes","contentMediaType":"application/octet-stream"})");
}

BOOST_AUTO_TEST_CASE(containers_say_what_they_hold) {
    has_schema<std::vector<bool>>(R"({"type":"array","items":{"type":"boolean"}})");
    has_schema<std::set<std::string>>(R"({"type":"array","items":{"type":"string"}})");
    has_schema<std::array<bool, 3>>(
        R"({"type":"array","items":{"type":"boolean"},"minItems":3,"maxItems":3})");
    has_schema<std::pair<bool, taskflux::raw>>(
        R"({"type":"array","prefixItems":[{"type":"boolean"},{"type":"string","contentEncoding":"base64"}],)"
        R"("minItems":2,"maxItems":2})");
    has_schema<std::tuple<>>(R"({"type":"array","minItems":0,"maxItems":0})");
    has_schema<std::map<std::string, bool>>(R"({"type":"object","additionalProperties":{"type":"boolean"}})");
    has_schema<std::map<int, bool>>(
        R"({"type":"object","propertyNames":{"pattern":"^-?[0-9]+$"},"additionalProperties":{"type":"boolean"}})");
    has_schema<std::map<color, bool>>(
        R"({"type":"object","propertyNames":{"enum":["red","green","blue"]},"additionalProperties":{"type":"boolean"}})");
}

BOOST_AUTO_TEST_CASE(an_optional_also_allows_null) {
    has_schema<std::optional<bool>>(R"({"type":["boolean","null"]})");
    has_schema<std::optional<color>>(
        R"({"anyOf":[{"title":"color","type":"string","enum":["red","green","blue"]},{"type":"null"}]})");
    has_schema<std::optional<boost::json::value>>("{}");
}

BOOST_AUTO_TEST_CASE(a_struct_lists_its_properties_with_their_defaults_and_requires_none) {
    has_schema<point>(R"({"title":"point","type":"object","properties":{
        "x":{"type":"number","default":1.0},"y":{"type":"number","default":2.0}}})");
    const auto schema = schema_of<defaults>();
    const auto& properties = schema.at("properties").as_object();
    BOOST_TEST(properties.at("count").at("default").as_int64() == 5);
    BOOST_TEST((properties.at("at").at("default") == boost::json::parse(R"({"x":3.0,"y":4.0})")));
    BOOST_TEST(!properties.at("usual").as_object().contains("default"));
    BOOST_TEST(properties.at("set").at("default").as_int64() == 1);
    BOOST_TEST(!properties.at("unknown").as_object().contains("default"));
    BOOST_TEST(!properties.at("none").as_object().contains("default"));
    BOOST_TEST(!schema.contains("required"));
}

BOOST_AUTO_TEST_CASE(members_of_base_classes_are_properties) {
    const auto schema = schema_of<user>();
    const auto& properties = schema.at("properties").as_object();
    BOOST_TEST(properties.size() == 3U);
    BOOST_TEST(properties.at("id").at("default").as_int64() == 7);
    BOOST_TEST(properties.at("name").at("default").as_string() == "nobody");
    BOOST_TEST(!properties.at("email").as_object().contains("default"));
}

BOOST_AUTO_TEST_CASE(a_variant_is_one_of_its_alternatives) {
    has_schema<std::variant<std::monostate, std::string>>(
        R"({"oneOf":[{"type":"object","properties":{"type":{"const":"null"},"value":{"type":"null"}},"required":["type"]},
            {"type":"object","properties":{"type":{"const":"string"},"value":{"type":"string"}},"required":["type"]}]})");
}

BOOST_AUTO_TEST_CASE(a_struct_that_contains_itself_is_a_definition) {
    has_schema<tree>(R"({"$ref":"#/$defs/tree","$defs":{"tree":{"title":"tree","type":"object","properties":{
        "value":{"type":"integer","minimum":-2147483648,"maximum":2147483647,"default":0},
        "children":{"type":"array","items":{"$ref":"#/$defs/tree"},"default":[]}}}}})");
    const auto optional = schema_of<std::optional<tree>>();
    BOOST_TEST((optional.at("anyOf") == boost::json::parse(R"([{"$ref":"#/$defs/tree"},{"type":"null"}])")));
}

BOOST_AUTO_TEST_CASE(two_structs_of_one_name_get_two_definitions) {
    const auto schema = schema_of<elsewhere::tree>();
    BOOST_TEST(schema.at("$ref").as_string() == "#/$defs/tree");
    const auto& definitions = schema.at("$defs").as_object();
    BOOST_TEST(definitions.size() == 2U);
    BOOST_TEST(definitions.at("tree").at("properties").at("other").at("$ref").as_string() ==
               "#/$defs/tree_2");
    BOOST_TEST(definitions.at("tree_2").at("properties").as_object().contains("children"));
}

BOOST_AUTO_TEST_CASE(a_builder_shares_definitions_under_a_prefix_of_choice) {
    taskflux::schema_builder builder("#/components/schemas/");
    const auto first = builder.add<tree>();
    const auto again = builder.add<std::vector<tree>>();
    BOOST_TEST(first.at("$ref").as_string() == "#/components/schemas/tree");
    BOOST_TEST(again.at("items").at("$ref").as_string() == "#/components/schemas/tree");
    BOOST_TEST(builder.definitions().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_users_codec_may_bring_its_schema) {
    has_schema<money>(R"({"type":"string","pattern":"^-?[0-9]+ ct$"})");
}

BOOST_AUTO_TEST_CASE(the_text_is_the_schema) {
    BOOST_TEST((boost::json::parse(taskflux::schema_text<everything>()) ==
                boost::json::value(schema_of<everything>())));
}

BOOST_AUTO_TEST_SUITE_END()
