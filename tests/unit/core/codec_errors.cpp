#include <taskflux/core/codec.hpp>

#include "codec_types.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace codec_types;
using taskflux::decode;
using taskflux::decode_error;
using taskflux::decode_limits;
using taskflux::encode;
using taskflux::encode_error;
using taskflux::errc;

namespace {

template <class T>
void fails(std::string_view text, std::string_view pointer, std::string_view reason,
           errc code = errc::bad_payload, const decode_limits& limits = {}) {
    try {
        decode<T>(text, limits);
        BOOST_ERROR("accepted: " << text);
    } catch (const decode_error& error) {
        BOOST_TEST(error.pointer() == pointer, text);
        BOOST_TEST(error.reason() == reason);
        BOOST_TEST((error.code() == code));
        const std::string place = pointer.empty() ? "at the top level" : "at " + std::string(pointer);
        BOOST_TEST(error.what() == place + ": " + std::string(reason));
    }
}

template <class T>
void does_not_encode(const T& value, std::string_view pointer, std::string_view reason,
                     errc code = errc::bad_payload, const decode_limits& limits = {}) {
    std::string out = "kept";
    try {
        encode(value, out, limits);
        BOOST_ERROR("accepted: " << out);
    } catch (const encode_error& error) {
        BOOST_TEST(error.pointer() == pointer);
        BOOST_TEST(error.reason() == reason);
        BOOST_TEST((error.code() == code));
    }
    BOOST_TEST(out == "kept");
}

tree nested(int levels) {
    tree root;
    tree* last = &root;
    for (int i = 1; i < levels; ++i) last = &last->children.emplace_back();
    return root;
}

/// A codec that breaks its promise: not JSON, though used inside JSON.
struct sloppy {};
struct holds_sloppy {
    sloppy inner;
};
BOOST_DESCRIBE_STRUCT(holds_sloppy, (), (inner))

/// One that writes two levels.
struct deep {};
struct holds_deep {
    deep inner;
};
BOOST_DESCRIBE_STRUCT(holds_deep, (), (inner))

}  // namespace

template <>
struct taskflux::codec<sloppy> {
    static void encode(const sloppy&, std::string& out) { out += "<xml/>"; }
    static sloppy decode(std::string_view) { return {}; }
};

template <>
struct taskflux::codec<deep> {
    static void encode(const deep&, std::string& out) { out += "[[]]"; }
    static deep decode(std::string_view) { return {}; }
};

BOOST_AUTO_TEST_SUITE(core_codec_errors)

BOOST_AUTO_TEST_CASE(a_wrong_kind_is_named_with_its_place) {
    fails<bool>("1", "", "expected true or false, got number 1");
    fails<double>("\"abc\"", "", "expected number, got string \"abc\"");
    fails<std::string>("null", "", "expected string, got null");
    fails<std::monostate>("false", "", "expected null, got false");
    fails<std::vector<int>>("{}", "", "expected array, got an object");
    fails<std::map<std::string, int>>("[1,2]", "", "expected object, got an array of 2");
    fails<point>("[]", "", "expected object, got an array of 0");
    fails<point>("null", "", "expected object, got null");
    fails<std::chrono::milliseconds>(
        "1.5", "", "expected an integer from -9223372036854775808 to 9223372036854775807, got number 1.5");
    fails<path>(R"({"points":[{},{},{},{"x":"abc"}]})", "/points/3/x", "expected number, got string \"abc\"");
    fails<everything>(R"({"lists":{"a/b~c":[1,true]}})", "/lists/a~1b~0c/1",
                      "expected an integer from -2147483648 to 2147483647, got true");
    fails<everything>(R"({"some":[1,2]})", "/some/1", "expected true or false, got number 2");
    fails<tree>(R"({"children":[{"children":[{"value":null}]}]})", "/children/0/children/0/value",
                "expected an integer from -2147483648 to 2147483647, got null");
    fails<bill>(R"({"parts":["1 ct",5]})", "/parts/1", "expected money");
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_name_the_range) {
    fails<std::int8_t>("128", "", "expected an integer from -128 to 127, got number 128");
    fails<std::uint8_t>("-1", "", "expected an integer from 0 to 255, got number -1");
    fails<std::uint64_t>(
        "18446744073709551616", "",
        "expected an integer from 0 to 18446744073709551615, got number 18446744073709551616.0");
    fails<std::int64_t>("9223372036854775808", "",
                        "expected an integer from -9223372036854775808 to 9223372036854775807, got number "
                        "9223372036854775808");
    fails<int>("3.0", "", "expected an integer from -2147483648 to 2147483647, got number 3.0");
    fails<int>("1e2", "", "expected an integer from -2147483648 to 2147483647, got number 100.0");
    fails<float>("1e39", "",
                 "expected number from -3.4028234663852886e+38 to 3.4028234663852886e+38, got number 1e+39");
    BOOST_CHECK_THROW(decode<double>("1e309"), decode_error);
    BOOST_CHECK_THROW(decode<double>("-1e999"), decode_error);
}

BOOST_AUTO_TEST_CASE(lengths_names_keys_times_and_base64_are_checked) {
    fails<std::array<int, 3>>("[1,2]", "", "expected an array of 3, got an array of 2");
    fails<std::pair<int, int>>("[1,2,3]", "", "expected an array of 2, got an array of 3");
    fails<color>("\"pink\"", "", "expected one of \"red\", \"green\", \"blue\", got string \"pink\"");
    fails<color>("1", "", "expected one of \"red\", \"green\", \"blue\", got number 1");
    fails<std::map<int, int>>(R"({"1x":2})", "/1x",
                              "expected an integer from -2147483648 to 2147483647 as the key");
    fails<std::map<std::uint8_t, int>>(R"({"256":2})", "/256",
                                       "expected an integer from 0 to 255 as the key");
    fails<std::map<color, int>>(R"({"pink":2})", "/pink",
                                "expected one of \"red\", \"green\", \"blue\" as the key");
    for (const char* bad : {"A", "A===", "Zg=", "Zg", "Zh==", "Z===", "Zm9v\\n", "====", "Z*9v"})
        BOOST_CHECK_THROW(decode<std::vector<taskflux::raw>>("[\"" + std::string(bad) + "\"]"), decode_error);
    for (const char* bad :
         {"", "2026-01-31", "2026-01-31T12:00:00", "2026-02-29T12:00:00Z", "2026-01-31T24:00:00Z",
          "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0100",
          "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00Zx", "02026-01-31T12:00:00Z",
          "2026-1-31T12:00:00Z", "-026-01-31T12:00:00Z"})
        fails<std::chrono::sys_seconds>(
            "\"" + std::string(bad) + "\"", "",
            "expected RFC 3339 time such as \"2026-01-31T12:00:00Z\", got string \"" + std::string(bad) +
                "\"");
    for (const char* far :
         {"1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z", "9999-12-31T00:00:00Z"})
        fails<std::chrono::sys_time<std::chrono::nanoseconds>>(
            "\"" + std::string(far) + "\"", "",
            "expected a time within the range of its type, got string \"" + std::string(far) + "\"");
}

BOOST_AUTO_TEST_CASE(a_variants_error_names_what_is_allowed) {
    constexpr const char* allowed =
        "expected one of \"point\", \"path\", \"string\", \"integer\", \"null\", got ";
    fails<shape>("5", "", "expected an object with \"type\" and \"value\", got number 5");
    fails<shape>("{}", "/type", allowed + std::string("null"));
    fails<shape>(R"({"type":"circle"})", "/type", allowed + std::string("string \"circle\""));
    fails<everything>(R"({"figure":{"type":"path","value":{"points":[{"y":[]}]}}})",
                      "/figure/value/points/0/y", "expected number, got an array of 0");
}

BOOST_AUTO_TEST_CASE(a_long_string_is_cut_between_characters) {
    std::string text = "\"";
    for (int i = 0; i < 30; ++i) text += "€";  // three bytes each: the cut at 40 falls inside one
    std::string shown;
    for (int i = 0; i < 13; ++i) shown += "€";
    fails<bool>(text + "\"", "", "expected true or false, got string \"" + shown + "\"…");
}

BOOST_AUTO_TEST_CASE(a_value_is_shown_whatever_its_bytes_are) {
    const auto shown = [](const std::string& text) { return taskflux::detail::shown(boost::json::value(text)); };
    for (const auto size : std::initializer_list<std::size_t>{1, 39, 40, 41, 42, 43, 44, 1000}) {
        const std::string continuations(size, '\x80');
        std::string expected = "string \"";
        for (std::size_t i = 0; i < (std::min)(size, std::size_t(40)); ++i) expected += "\\x80";
        BOOST_TEST(shown(continuations) == expected + (size > 40 ? "\"…" : "\""), "of " << size);
    }
    BOOST_TEST(shown("\xf0\x9f\x98") == R"(string "\xf0\x9f\x98")");  // the front of a character
    BOOST_TEST(shown(std::string("a\0\n\"\\\x7f\u0085\u2028", 11)) == R"(string "a\x00\n\"\\\x7f\xc2\x85\xe2\x80\xa8")");
    BOOST_TEST(shown("redis://:s3cret@host") == R"(string "redis://"…)");
}

BOOST_AUTO_TEST_CASE(what_json_cannot_hold_is_not_encoded) {
    constexpr const char* no_number = "JSON has no NaN and no infinity";
    does_not_encode(std::numeric_limits<double>::quiet_NaN(), "", no_number);
    does_not_encode(path{"p", {{1, 2}, {1, -std::numeric_limits<double>::infinity()}}}, "/points/1/y",
                    no_number);
    does_not_encode(boost::json::value{{"a", {1, std::numeric_limits<double>::infinity()}}}, "/a/1",
                    no_number);
    does_not_encode(std::vector<color>{color::red, static_cast<color>(9)}, "/1",
                    "the enum's value 9 has no name; it is none of \"red\", \"green\", \"blue\"");
    does_not_encode(std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(10000) / 1 / 1)), "",
                    "the year is outside 0000 to 9999");
    does_not_encode(holds_sloppy{}, "/inner", "codec<T>::encode: not valid JSON: syntax error at byte 0");
}

BOOST_AUTO_TEST_CASE(strings_that_are_not_utf_8_are_refused_both_ways) {
    const std::pair<const char*, int> table[] = {{"\x80", 0},
                                                 {"ab\xff", 2},
                                                 {"a\xc3", 1},
                                                 {"\xc0\xaf", 0},
                                                 {"\xe0\x80\xaf", 0},
                                                 {"\xed\xa0\x80", 0},
                                                 {"12345678\xe2\x82", 8},
                                                 {"\xf0\x80\x80\xaf", 0},
                                                 {"\xf4\x90\x80\x80", 0},
                                                 {"\xf5\x80\x80\x80", 0},
                                                 {"\xe2\x28\xa1", 0}};
    for (const auto& [bytes, position] : table) {
        does_not_encode(
            std::string(bytes), "",
            "the string is not UTF-8 (byte " + std::to_string(position) + "); use taskflux::raw for bytes");
        does_not_encode(
            std::map<std::string, int>{{bytes, 1}}, "/" + std::string(bytes),
            "the string is not UTF-8 (byte " + std::to_string(position) + "); use taskflux::raw for bytes");
        BOOST_CHECK_THROW(decode<std::string>("\"" + std::string(bytes) + "\""), decode_error);
    }
    for (const char* edge : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        BOOST_TEST(decode<std::string>(encode(std::string(edge))) == edge);
}

BOOST_AUTO_TEST_CASE(the_depth_limit_is_the_same_both_ways) {
    const decode_limits limits = decode_limits().max_depth(6);
    // Every tree but the innermost adds an object and an array; the innermost one's empty array counts too.
    const std::string fits = encode(nested(3), limits);
    BOOST_TEST((decode<tree>(fits, limits) == nested(3)));
    does_not_encode(nested(4), "/children/0/children/0/children/0", "nested deeper than 6 levels",
                    errc::too_large, limits);
    fails<tree>(encode(nested(4)), "", "nested deeper than 6 levels at byte 69", errc::too_large, limits);
    BOOST_CHECK_NO_THROW(encode(nested(16)));
    does_not_encode(
        nested(17),
        [] {
            std::string pointer;
            for (int i = 0; i < 16; ++i) pointer += "/children/0";
            return pointer;
        }(),
        "nested deeper than 32 levels", errc::too_large);
    BOOST_TEST(decode<int>("5", decode_limits().max_depth(0)) == 5);
    BOOST_CHECK_THROW(decode<std::vector<int>>("[]", decode_limits().max_depth(0)), decode_error);
    BOOST_CHECK_THROW(encode(std::vector<int>(), decode_limits().max_depth(0)), encode_error);
    const shape figure = std::int64_t{5};  // an object with its type
    BOOST_TEST((decode<shape>(encode(figure, decode_limits().max_depth(1)), decode_limits().max_depth(1)) == figure));
    does_not_encode(figure, "", "nested deeper than 0 levels", errc::too_large, decode_limits().max_depth(0));
    BOOST_TEST(encode(holds_deep{}, decode_limits().max_depth(3)) == R"({"inner":[[]]})");
    BOOST_CHECK_EXCEPTION(encode(holds_deep{}, decode_limits().max_depth(2)), encode_error,
                          [](const encode_error& error) { return error.code() == errc::too_large && error.pointer().starts_with("/inner"); });
}

BOOST_AUTO_TEST_CASE(the_size_limit_is_the_same_both_ways) {
    const decode_limits limits = decode_limits().max_size(7);
    const std::vector<int> fits{1, 2, 3};
    BOOST_TEST((decode<std::vector<int>>(encode(fits, limits), limits) == fits));
    fails<std::vector<int>>("[1,2,34]", "", "8 bytes, the limit is 7", errc::too_large, limits);
    does_not_encode(std::vector<int>{1, 2, 34}, "", "the limit of 7 bytes is passed here", errc::too_large,
                    limits);
    does_not_encode(std::vector<int>{1, 22222222, 3}, "/1", "the limit of 7 bytes is passed here",
                    errc::too_large, limits);
    does_not_encode(std::map<std::string, int>{{"a", 1}, {"b", 22222222}, {"c", 3}}, "/b", "the limit of 7 bytes is passed here",
                    errc::too_large, limits);
    does_not_encode(std::string("123456"), "", "the limit of 7 bytes is passed here", errc::too_large,
                    limits);
    does_not_encode(taskflux::raw{"12345678"}, "", "the limit of 7 bytes is passed here", errc::too_large,
                    limits);
    fails<taskflux::raw>("12345678", "", "8 bytes, the limit is 7", errc::too_large, limits);
    does_not_encode(money{12345678}, "", "the limit of 7 bytes is passed here", errc::too_large, limits);
    fails<money>("\"12345 ct\"", "", "10 bytes, the limit is 7", errc::too_large, limits);
    std::string out(100, 'x');  // what is already there does not count
    encode(fits, out, limits);
    BOOST_TEST(out.size() == 107U);
    encode(money{5}, out, limits);
    BOOST_TEST(out.size() == 113U);
}

BOOST_AUTO_TEST_SUITE_END()
