#include <taskflux/core/codec.hpp>

#include "codec_types.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

using namespace codec_types;
using taskflux::decode;
using taskflux::encode;

namespace core_codec {

template <class T>
void both_ways(const T& value, std::string_view text) {
    BOOST_TEST(encode(value) == text);
    BOOST_TEST((decode<T>(text) == value), text);
}

template <class Int>
void limits_both_ways() {
    both_ways<Int>((std::numeric_limits<Int>::min)(), std::to_string((std::numeric_limits<Int>::min)()));
    both_ways<Int>((std::numeric_limits<Int>::max)(), std::to_string((std::numeric_limits<Int>::max)()));
}

struct undescribed {
    int x = 0;
};
struct holds_undescribed {
    std::vector<undescribed> items;
};
BOOST_DESCRIBE_STRUCT(holds_undescribed, (), (items))

enum class bare { one };

struct has_value {
    std::optional<int> some = 1;
};
BOOST_DESCRIBE_STRUCT(has_value, (), (some))

}  // namespace core_codec

BOOST_AUTO_TEST_SUITE(core_codec)

BOOST_AUTO_TEST_CASE(scalars_go_both_ways) {
    both_ways(true, "true");
    both_ways(false, "false");
    both_ways(std::monostate{}, "null");
    both_ways(color::green, "\"green\"");
    both_ways(-5, "-5");
    limits_both_ways<std::int8_t>();
    limits_both_ways<std::uint8_t>();
    limits_both_ways<std::int16_t>();
    limits_both_ways<std::uint16_t>();
    limits_both_ways<std::int32_t>();
    limits_both_ways<std::uint32_t>();
    limits_both_ways<std::int64_t>();
    limits_both_ways<std::uint64_t>();
}

BOOST_AUTO_TEST_CASE(doubles_are_written_shortest_and_come_back_exactly) {
    both_ways(0.1, "0.1");
    both_ways(3.0, "3.0");
    both_ways(1e308, "1e+308");
    both_ways(5e-324, "5e-324");
    both_ways(0.1 + 0.2, "0.30000000000000004");
    both_ways((std::numeric_limits<double>::max)(), "1.7976931348623157e+308");
    both_ways((std::numeric_limits<double>::min)(), "2.2250738585072014e-308");
    both_ways(0.1F, "0.1");
    both_ways((std::numeric_limits<float>::max)(), "3.4028235e+38");
    both_ways(std::numeric_limits<float>::denorm_min(), "1e-45");
    BOOST_TEST(encode(-0.0) == "-0.0");
    BOOST_TEST(std::signbit(decode<double>("-0.0")));
    BOOST_TEST(decode<double>("9007199254740993") == 9007199254740992.0);
    BOOST_TEST(decode<double>("18446744073709551615") == 18446744073709551616.0);
    BOOST_TEST(decode<double>("3") == 3.0);
}

BOOST_AUTO_TEST_CASE(strings_are_escaped_and_unescaped) {
    both_ways(std::string(), "\"\"");
    both_ways(std::string("plain ASCII, longer than a word"), "\"plain ASCII, longer than a word\"");
    both_ways(std::string("a\"b\\c/d"), R"("a\"b\\c/d")");
    both_ways(std::string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
    both_ways(std::string("\0\x1f\x7f", 3), "\"\\u0000\\u001f\x7f\"");
    both_ways(std::string("Zürich, 東京, 😀"), "\"Zürich, 東京, 😀\"");
    BOOST_TEST(decode<std::string>(R"("\u00fc\ud83d\ude00\/")") == "ü😀/");
    for (std::size_t length = 0; length < 20; ++length) {  // an escape at every offset of a machine word
        const std::string before(length, 'x');
        BOOST_TEST(encode(before + "\n" + before) == "\"" + before + "\\n" + before + "\"");
        BOOST_TEST(encode(before + "é" + before) == "\"" + before + "é" + before + "\"");
    }
}

BOOST_AUTO_TEST_CASE(containers_go_both_ways) {
    both_ways(std::vector<int>{}, "[]");
    both_ways(std::vector<int>{1, 2, 3}, "[1,2,3]");
    both_ways(std::vector<bool>{true, false}, "[true,false]");
    both_ways(std::deque<std::string>{"a"}, "[\"a\"]");
    both_ways(std::list<double>{0.5}, "[0.5]");
    both_ways(std::set<int>{3, 1}, "[1,3]");
    both_ways(std::unordered_set<std::string>{"x"}, "[\"x\"]");
    both_ways(std::array<int, 2>{4, 5}, "[4,5]");
    both_ways(std::array<int, 0>{}, "[]");
    both_ways(std::pair<int, std::string>{1, "b"}, "[1,\"b\"]");
    both_ways(std::tuple<int, bool, color>{1, true, color::blue}, "[1,true,\"blue\"]");
    both_ways(std::tuple<>{}, "[]");
    both_ways(std::vector<std::optional<int>>{1, std::nullopt}, "[1,null]");
    BOOST_TEST((decode<std::set<int>>("[2,1,2]") == std::set<int>{1, 2}));
}

BOOST_AUTO_TEST_CASE(maps_take_strings_integers_and_enums_as_keys) {
    both_ways(std::map<std::string, int>{}, "{}");
    both_ways(std::map<std::string, int>{{"a/b~c\"", 1}, {"z", 2}}, R"({"a/b~c\"":1,"z":2})");
    both_ways(std::map<int, bool>{{-3, true}, {4, false}}, R"({"-3":true,"4":false})");
    both_ways(std::map<std::uint64_t, int>{{18446744073709551615ULL, 1}}, R"({"18446744073709551615":1})");
    both_ways(std::unordered_map<color, point>{{color::red, {}}}, R"({"red":{"x":1.0,"y":2.0}})");
}

BOOST_AUTO_TEST_CASE(described_structs_go_both_ways_with_their_bases) {
    both_ways(point{0.5, -1}, R"({"x":0.5,"y":-1.0})");
    both_ways(nothing{}, "{}");
    both_ways(path{"p", {{1, 2}}}, R"({"name":"p","points":[{"x":1.0,"y":2.0}]})");
    both_ways(user{{9}, "Ada", "ada@example.org"}, R"({"id":9,"name":"Ada","email":"ada@example.org"})");
}

BOOST_AUTO_TEST_CASE(an_empty_optional_member_is_left_out_and_may_be_null_or_absent) {
    both_ways(user{{9}, "Ada", {}}, R"({"id":9,"name":"Ada"})");
    BOOST_TEST(!decode<user>(R"({"email":null})").email.has_value());
    BOOST_TEST(!decode<has_value>(R"({"some":null})").some.has_value());  // not what its owner gives it
    BOOST_TEST((decode<has_value>("{}").some == 1));
    both_ways(std::optional<int>{}, "null");
    both_ways(std::optional<int>{5}, "5");
}

BOOST_AUTO_TEST_CASE(a_struct_may_contain_itself) {
    both_ways(
        tree{1, {{2, {{3, {}}}}, {4, {}}}},
        R"({"value":1,"children":[{"value":2,"children":[{"value":3,"children":[]}]},{"value":4,"children":[]}]})");
    const auto chain = decode<list_node>(R"({"value":1,"next":{"value":2}})");
    BOOST_REQUIRE(chain.next);
    BOOST_TEST(chain.next->value == 2);
    BOOST_TEST(!chain.next->next);
    BOOST_TEST(encode(chain) == R"({"value":1,"next":{"value":2}})");
    BOOST_TEST(*decode<std::shared_ptr<int>>("3") == 3);
}

BOOST_AUTO_TEST_CASE(what_a_pointer_holds_need_not_be_movable) {
    const auto held = decode<holds_pinned>(R"({"one":{"value":1},"other":{"value":2}})");
    BOOST_REQUIRE((held.one && held.other));
    BOOST_TEST(held.one->value == 1);
    BOOST_TEST(held.other->value == 2);
    BOOST_TEST(decode<std::vector<std::unique_ptr<pinned>>>(R"([{"value":3}])").at(0)->value == 3);
    static_assert(!taskflux::payload<pinned> && !taskflux::payload<has_pinned> && !taskflux::payload<std::optional<pinned>>);
    static_assert(!taskflux::payload<std::list<pinned>> && !taskflux::payload<std::map<std::string, pinned>>);
    static_assert(!taskflux::payload<std::unique_ptr<std::list<pinned>>>);
}

BOOST_AUTO_TEST_CASE(a_variant_carries_the_name_of_its_alternative) {
    both_ways(shape(point{3, 4}), R"({"type":"point","value":{"x":3.0,"y":4.0}})");
    both_ways(shape(std::string("s")), R"({"type":"string","value":"s"})");
    both_ways(shape(std::int64_t{5}), R"({"type":"integer","value":5})");
    both_ways(shape(std::monostate{}), R"({"type":"null","value":null})");
    BOOST_TEST((decode<shape>(R"({"value":{"y":9},"type":"point"})") == shape(point{1, 9})));
    BOOST_TEST((decode<shape>(R"({"type":"point"})") == shape(point{})));
}

BOOST_AUTO_TEST_CASE(a_payload_name_of_the_users_is_what_the_wire_carries) {
    both_ways(std::variant<std::monostate, renamed>(renamed{1}),
              R"({"type":"original","value":{"value":1}})");
}

BOOST_AUTO_TEST_CASE(durations_are_counts_of_their_own_period) {
    using namespace std::chrono_literals;
    both_ways(std::chrono::milliseconds(1500), "1500");
    both_ways(std::chrono::hours(-2), "-2");
    both_ways(std::chrono::nanoseconds::max(), "9223372036854775807");
    both_ways(std::chrono::duration<double>(0.25), "0.25");
}

BOOST_AUTO_TEST_CASE(time_points_are_rfc_3339_in_utc) {
    using namespace std::chrono;
    const sys_seconds noon = sys_days(2026y / 1 / 31) + 12h;
    both_ways(noon, "\"2026-01-31T12:00:00Z\"");
    both_ways(sys_days(1969y / 12 / 31), "\"1969-12-31T00:00:00Z\"");
    both_ways(sys_time<milliseconds>(noon + 120ms), "\"2026-01-31T12:00:00.12Z\"");
    both_ways(sys_time<nanoseconds>(nanoseconds(-1)), "\"1969-12-31T23:59:59.999999999Z\"");
    both_ways(sys_time<nanoseconds>::min(), "\"1677-09-21T00:12:43.145224192Z\"");
    both_ways(sys_time<nanoseconds>::max(), "\"2262-04-11T23:47:16.854775807Z\"");
    both_ways(sys_seconds(sys_days(0y / 1 / 1)), "\"0000-01-01T00:00:00Z\"");
    both_ways(sys_seconds(sys_days(10000y / 1 / 1)) - 1s, "\"9999-12-31T23:59:59Z\"");
    for (const char* same :
         {"\"2026-01-31T14:30:00+02:30\"", "\"2026-01-31t12:00:00.000z\"", "\"2026-01-31 11:00:00-01:00\"",
          "\"2026-01-31T12:00:00.9999999999Z\"", "\"2026-01-31T11:59:60Z\""}) {
        BOOST_TEST((decode<sys_seconds>(same) == noon), same);
    }
    BOOST_TEST((decode<sys_time<hours>>("\"1969-12-31T23:59:59Z\"").time_since_epoch() == -1h));
}

BOOST_AUTO_TEST_CASE(a_json_value_keeps_its_shape) {
    const auto value =
        boost::json::parse(R"({"a":[1,-2,3.5,null,true],"b":{"c":"d\n"},"e":18446744073709551615})");
    BOOST_TEST((boost::json::parse(encode(value)) == value));
    BOOST_TEST((decode<boost::json::value>(encode(value)) == value));
    BOOST_TEST(decode<boost::json::value>(encode(boost::json::value(3.0))).is_double());
    BOOST_TEST(decode<boost::json::value>("[1]").storage().get() == boost::json::storage_ptr().get());
}

BOOST_AUTO_TEST_CASE(raw_bytes_travel_untouched_alone_and_as_base64_inside) {
    const std::string bytes("\x00\xff{not json", 11);
    both_ways(taskflux::raw{bytes}, bytes);
    both_ways(std::vector<taskflux::raw>{{""}, {"f"}, {"fo"}, {"foo"}, {"\xff\xfe\xfd"}},
              R"(["","Zg==","Zm8=","Zm9v","//79"])");
}

BOOST_AUTO_TEST_CASE(void_is_null) {
    BOOST_CHECK_NO_THROW(decode<void>("null"));
    BOOST_CHECK_THROW(decode<void>("1"), taskflux::decode_error);
}

BOOST_AUTO_TEST_CASE(a_users_codec_is_used_alone_and_inside) {
    both_ways(money{5}, "\"5 ct\"");
    both_ways(bill{{5}, {{2}, {3}}}, R"({"total":"5 ct","parts":["2 ct","3 ct"]})");
}

BOOST_AUTO_TEST_CASE(an_absent_member_keeps_the_value_its_owner_gives_it) {
    BOOST_TEST((decode<user>("{}") == user{{7}, "nobody", {}}));
    BOOST_TEST((decode<path>(R"({"points":[{"y":5}]})") == path{"", {{1, 5}}}));
}

BOOST_AUTO_TEST_CASE(unknown_members_are_ignored_and_the_last_of_a_doubled_key_counts) {
    BOOST_TEST((decode<point>(R"({"z":[1,{"x":5}],"y":4,"x":3,"color":null})") == point{3, 4}));
    BOOST_TEST((decode<point>(R"({"x":3,"y":4,"x":5})") == point{5, 4}));
}

BOOST_AUTO_TEST_CASE(whitespace_around_and_inside_is_allowed) {
    BOOST_TEST((decode<point>(" \t\r\n{ \"x\" : 3 , \"y\" : 4 } \n") == point{3, 4}));
}

BOOST_AUTO_TEST_CASE(encode_appends) {
    std::string out = "before ";
    encode(point{1, 2}, out);
    encode(3, out);
    BOOST_TEST(out == R"(before {"x":1.0,"y":2.0}3)");
}

BOOST_AUTO_TEST_CASE(the_concept_sees_into_members) {
    static_assert(taskflux::payload<everything> && taskflux::payload<bill> && taskflux::payload<list_node>);
    static_assert(taskflux::payload<void> && taskflux::payload<taskflux::raw> && taskflux::payload<shape>);
    static_assert(!taskflux::payload<undescribed>);
    static_assert(!taskflux::payload<holds_undescribed>);
    static_assert(!taskflux::payload<std::map<std::string, std::optional<undescribed>>>);
    static_assert(!taskflux::payload<bare>);
    static_assert(!taskflux::payload<std::map<double, int>>);
    static_assert(!taskflux::payload<std::optional<std::optional<int>>>);
    static_assert(!taskflux::payload<std::variant<int, long>>);
    static_assert(!taskflux::payload<const int> && !taskflux::payload<int&> && !taskflux::payload<int*>);
    static_assert(!taskflux::payload<char> && !taskflux::payload<std::string_view> &&
                  !taskflux::payload<char[4]>);
    static_assert(!taskflux::payload<long double> && !taskflux::payload<std::wstring>);
    static_assert(!taskflux::payload<std::chrono::steady_clock::time_point>);
    BOOST_TEST(taskflux::payload_name<point> == "point");
    BOOST_TEST(taskflux::payload_name<color> == "color");
    BOOST_TEST(taskflux::payload_name<std::vector<int>> == "array");
}

BOOST_AUTO_TEST_SUITE_END()
