#include <taskflux/core/codec.hpp>
#include <taskflux/http/fasttask/params.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http_fasttask_params {

using namespace taskflux;
using namespace taskflux::detail;

enum class colour { red, green, blue };
BOOST_DESCRIBE_ENUM(colour, red, green, blue)

struct point {
    double x{};
    double y{};
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct given {
    double a{};
    std::int8_t small{};
    bool on{};
    std::string text;
    colour shade = colour::red;
    std::vector<point> points;
    std::map<std::string, int> counts;
    std::optional<int> maybe;
    int usual = 7;
};
BOOST_DESCRIBE_STRUCT(given, (), (a, small, on, text, shade, points, counts, maybe, usual))

struct tree {
    std::string name;
    std::vector<tree> below;
};
BOOST_DESCRIBE_STRUCT(tree, (), (name, below))

constexpr std::string_view all_right = R"({"a":1,"small":1,"on":true,"text":"","shade":"red","points":[],"counts":{}})";

/// The value after it was read by a type's schema, and what was wrong in it.
template <class T = given>
std::pair<boost::json::value, param_flaws> read(boost::json::value value) {
    param_flaws flaws;
    const boost::json::array place{"body"};
    params_schema::of<T>().read(value, place, flaws);
    return {std::move(value), std::move(flaws)};
}

/// The valid value with one member changed, read.
std::pair<boost::json::value, param_flaws> with(std::string_view name, boost::json::value member) {
    auto value = boost::json::parse(all_right);
    value.as_object()[name] = std::move(member);
    return read(std::move(value));
}

/// What is wrong with a member that has this value: "type: message", or empty.
std::string refused(std::string_view name, boost::json::value member) {
    const auto made = with(name, std::move(member));
    if (made.second.empty()) return {};
    return made.second.front().type() + ": " + made.second.front().message();
}

boost::json::value taken(std::string_view name, boost::json::value member) {
    const auto made = with(name, std::move(member));
    BOOST_TEST(made.second.empty());
    return made.first.at(name);
}

std::string answered(const param_flaws& flaws) {
    return encode(unprocessable(flaws).members().at("detail"));
}

BOOST_AUTO_TEST_SUITE(http_fasttask_params)

BOOST_AUTO_TEST_CASE(a_member_must_be_given_unless_it_may_be_null_or_has_a_value_of_its_own) {
    BOOST_TEST(read(boost::json::parse(all_right)).second.empty());
    const auto nothing = read(boost::json::object());
    std::vector<std::string> names;
    for (const auto& one : nothing.second) {
        BOOST_TEST(one.type() == "missing");
        names.emplace_back(one.place().at(1).as_string());
    }
    const std::vector<std::string> wanted{"a", "small", "on", "text", "shade", "points", "counts"};
    BOOST_TEST(names == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_missing_member_is_told_as_by_pydantic) {
    const auto made = read<point>(boost::json::parse(R"({"x":3})"));
    BOOST_TEST(answered(made.second) == R"([{"type":"missing","loc":["body","y"],"msg":"Field required","input":{"x":3}}])");
}

BOOST_AUTO_TEST_CASE(texts_and_booleans_are_taken_as_numbers) {
    BOOST_TEST(taken("a", "1.5") == 1.5);
    BOOST_TEST(taken("a", " 12 ") == 12);
    BOOST_TEST(taken("a", true) == 1);
    BOOST_TEST(taken("a", "1e3") == 1000.0);
    BOOST_TEST(taken("a", "9007199254740993") == 9007199254740993);
    BOOST_TEST(taken("small", "3") == 3);
    BOOST_TEST(taken("small", "3.00") == 3);
    BOOST_TEST(taken("small", 3.0) == 3U);
    BOOST_TEST(taken("small", -3.0) == -3);
    BOOST_TEST(taken("small", false) == 0);
    BOOST_TEST(taken("on", "Yes") == true);
    BOOST_TEST(taken("on", 0) == false);
    BOOST_TEST(taken("on", "off") == false);
    BOOST_TEST(taken("maybe", "5") == 5);
    BOOST_TEST(taken("maybe", nullptr).is_null());
    BOOST_TEST(taken("points", boost::json::parse(R"([{"x":"1","y":2}])")).at(0).at("x") == 1);
    BOOST_TEST(taken("counts", boost::json::parse(R"({"n":"4"})")).at("n") == 4);
}

BOOST_AUTO_TEST_CASE(what_is_of_no_use_is_refused_in_pydantics_words) {
    BOOST_TEST(refused("a", "x") == "float_parsing: Input should be a valid number, unable to parse string as a number");
    BOOST_TEST(refused("a", nullptr) == "float_type: Input should be a valid number");
    BOOST_TEST(refused("a", "nan") == "finite_number: Input should be a finite number");
    BOOST_TEST(refused("a", boost::json::parse("1e999")) == "finite_number: Input should be a finite number");
    BOOST_TEST(refused("a", "") == "float_parsing: Input should be a valid number, unable to parse string as a number");
    BOOST_TEST(refused("a", "+-1") == "float_parsing: Input should be a valid number, unable to parse string as a number");
    BOOST_TEST(refused("small", 1.5) == "int_from_float: Input should be a valid integer, got a number with a fractional part");
    BOOST_TEST(refused("small", "x") == "int_parsing: Input should be a valid integer, unable to parse string as an integer");
    BOOST_TEST(refused("small", boost::json::array()) == "int_type: Input should be a valid integer");
    BOOST_TEST(refused("small", 128) == "less_than_equal: Input should be less than or equal to 127");
    BOOST_TEST(refused("small", "-129") == "greater_than_equal: Input should be greater than or equal to -128");
    BOOST_TEST(refused("small", std::uint64_t(1) << 63) == "less_than_equal: Input should be less than or equal to 127");
    BOOST_TEST(refused("small", 1e300) == "int_type: Input should be a valid integer of 64 bits");
    BOOST_TEST(refused("small", "99999999999999999999999") ==
               "int_parsing_size: Unable to parse input string as an integer, exceeded maximum size");
    BOOST_TEST(refused("on", 2) == "bool_parsing: Input should be a valid boolean, unable to interpret input");
    BOOST_TEST(refused("on", nullptr) == "bool_type: Input should be a valid boolean");
    BOOST_TEST(refused("text", 1) == "string_type: Input should be a valid string");
    BOOST_TEST(refused("shade", "pink") == "enum: Input should be 'red', 'green' or 'blue'");
    BOOST_TEST(refused("points", "x") == "list_type: Input should be a valid list");
    BOOST_TEST(refused("counts", 1) == "dict_type: Input should be a valid dictionary");
}

BOOST_AUTO_TEST_CASE(a_flaw_names_its_place_and_what_was_there) {
    const auto made = with("points", boost::json::parse(R"([{"x":1,"y":2},{"x":"?","y":2}])"));
    BOOST_TEST(answered(made.second) == R"([{"type":"float_parsing","loc":["body","points",1,"x"],)"
                                        R"("msg":"Input should be a valid number, unable to parse string as a number","input":"?"}])");
}

BOOST_AUTO_TEST_CASE(a_type_that_contains_itself_is_read_all_the_way_down) {
    const auto made = read<tree>(boost::json::parse(R"({"name":"a","below":[{"name":"b","below":[{"name":1,"below":[]}]}]})"));
    BOOST_REQUIRE(made.second.size() == 1);
    BOOST_TEST(encode(boost::json::value(made.second.front().place())) == R"(["body","below",0,"below",0,"name"])");
}

BOOST_AUTO_TEST_CASE(a_value_that_is_no_object_is_refused_at_the_body) {
    const auto made = read<point>(boost::json::array());
    BOOST_TEST(answered(made.second) == R"([{"type":"model_attributes_type","loc":["body"],)"
                                        R"("msg":"Input should be a valid dictionary or object to extract fields from","input":[]}])");
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_many_times_the_request) {
    auto value = boost::json::parse(all_right);
    value.as_object().erase("a");
    value.as_object()["text"] = std::string(100'000, 'x');
    const auto large = read(value);
    BOOST_REQUIRE(large.second.size() == 1);
    BOOST_TEST(large.second.front().as_json().at("input").is_null());
    boost::json::array points;
    for (int i = 0; i < 1000; ++i) points.push_back(boost::json::object());
    BOOST_TEST(with("points", points).second.size() == param_flaw::most);
}

BOOST_AUTO_TEST_CASE(a_body_must_be_there_and_be_json) {
    http::request asked;
    asked.fields.add("Content-Type", "application/json; charset=utf-8");
    const auto refusal = [&](std::string_view text) {
        try {
            read_params_body(asked, text);
        } catch (const http::problem& e) {
            BOOST_TEST(e.status() == 422U);
            const auto& first = e.members().at("detail").at(0);
            return std::string(first.at("type").as_string()) + ' ' + encode(first.at("loc"));
        }
        return std::string();
    };
    BOOST_TEST(refusal("{}") == "");
    BOOST_TEST(refusal("") == R"(missing ["body"])");
    BOOST_TEST(refusal("null") == R"(missing ["body"])");
    BOOST_TEST(refusal("{\"a\": }") == R"(json_invalid ["body",6])");
    BOOST_TEST(refusal("{") == R"(json_invalid ["body",1])");
    BOOST_TEST(refusal("{} x") == R"(json_invalid ["body",3])");
    asked.fields.set("Content-Type", "text/plain");
    BOOST_TEST(refusal("{}") == R"(model_attributes_type ["body"])");
    asked.fields.set("Content-Type", "application/vnd.x+json");
    BOOST_TEST(refusal("{}") == "");
    asked.fields.remove("Content-Type");
    BOOST_TEST(refusal("{}") == R"(model_attributes_type ["body"])");
}

BOOST_AUTO_TEST_CASE(what_only_the_decoder_refuses_is_told_at_its_place) {
    const auto body = boost::json::parse(R"({"a/b":[{"c":"x"}]})");
    const decode_error refused(errc::bad_payload, "/a~1b/0/c", "no such date");
    const auto flaw = flaw_of(refused, body);
    BOOST_TEST(encode(boost::json::value(flaw.as_json())) ==
               R"({"type":"value_error","loc":["body","a/b",0,"c"],"msg":"Value error, no such date","input":"x"})");
}

BOOST_AUTO_TEST_CASE(concurrency_parameters_have_defaults_but_for_the_key) {
    const auto none = read<concurrency_params>(boost::json::object());
    BOOST_REQUIRE(none.second.size() == 1);
    BOOST_TEST(encode(boost::json::value(none.second.front().place())) == R"(["body","concurrency_key"])");
    BOOST_TEST(read<concurrency_params>(boost::json::parse(R"({"concurrency_key":"k","max_concurrency":"2"})")).second.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_fasttask_params
