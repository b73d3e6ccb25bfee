#include <taskflux/broker/redis/url.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/task_center.hpp>
#include <taskflux/http/task_center/body.hpp>
#include <taskflux/http/task_center/content.hpp>
#include <taskflux/http/task_center/names.hpp>

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace task_center_test {

using namespace taskflux::detail::task_center;
using taskflux::detail::sent_elements;
using taskflux::detail::sent_members;
using variables = std::map<std::string, std::string>;

/// What the reading of a body has found wrong.
inline std::string faults(const body_reader& body) {
    try {
        body.check();
        return {};
    } catch (const taskflux::http::problem& e) {
        BOOST_TEST(e.status() == 422U);
        return boost::json::serialize(e.members().at("detail"));
    }
}

BOOST_AUTO_TEST_SUITE(task_center)

BOOST_AUTO_TEST_CASE(members_are_given_as_they_were_sent) {
    const auto found = sent_members(R"( { "a" : 1.50 , "b\u0031":{"x":["}",{"y":"\"]"}]}, "c": "t\\", "a": [ ] } )");
    BOOST_TEST(found.size() == 3U);
    BOOST_TEST(found.at("a") == "[ ]");
    BOOST_TEST(found.at("b1") == R"({"x":["}",{"y":"\"]"}]})");
    BOOST_TEST(found.at("c") == R"("t\\")");
    BOOST_TEST(sent_members("{}").empty());
    const auto elements = sent_elements(R"([1.0, "a,b", [2,3] ,null])");
    BOOST_TEST((elements == std::vector<std::string_view>{"1.0", "\"a,b\"", "[2,3]", "null"}));
    BOOST_TEST(sent_elements("[]").empty());
}

BOOST_AUTO_TEST_CASE(numbers_and_truth_values_are_texts_where_texts_are_asked_for) {
    body_reader body(R"({"a":12,"b":3.50,"c":true,"d":"x","e":1e5,"l":[7,"y",0.10]})");
    BOOST_TEST(body.text("a") == "12");
    BOOST_TEST(body.text("b") == "3.50");
    BOOST_TEST(body.text("c") == "True");
    BOOST_TEST(body.text("d") == "x");
    BOOST_TEST(body.optional_text("e").value() == "1e5");
    BOOST_TEST((body.texts("l") == std::vector<std::string>{"7", "y", "0.10"}));
    BOOST_TEST(!body.optional_text("none").has_value());
    BOOST_TEST(faults(body) == "");
}

BOOST_AUTO_TEST_CASE(texts_and_fractions_are_whole_numbers_where_those_are_asked_for) {
    body_reader body(R"({"a":"12","b":-1.9,"c":true,"d":" +7\n","e":1e300,"f":18446744073709551615,"g":"-99999999999999999999"})");
    constexpr auto most = (std::numeric_limits<std::int64_t>::max)();
    BOOST_TEST(body.number("a") == 12);
    BOOST_TEST(body.number("b") == -1);
    BOOST_TEST(body.number("c") == 1);
    BOOST_TEST(body.number("d") == 7);
    BOOST_TEST(body.number("e") == 9'000'000'000'000'000'000);
    BOOST_TEST(body.number("f") == most);
    BOOST_TEST(body.number("g") == (std::numeric_limits<std::int64_t>::min)());
    BOOST_TEST(body.number("none", 5) == 5);
    BOOST_TEST(!body.optional_number("none").has_value());
    BOOST_TEST(faults(body) == "");
    for (const char* wrong : {R"("")", R"("1.5")", R"("x")", R"("1 2")", R"("+-1")", "[]", "{}"}) {
        const auto text = std::string(R"({"n":)") + wrong + "}";
        body_reader refused(text);
        refused.number("n");
        BOOST_TEST(faults(refused) == R"([{"loc":["body","n"],"msg":"value is not a valid integer","type":"type_error.integer"}])", wrong);
    }
}

BOOST_AUTO_TEST_CASE(all_that_is_wrong_is_told_with_its_place) {
    body_reader body(R"({"null":null,"list":5,"object":[],"in":{"x":{}},"bytes":"A"})");
    body.text("absent");
    body.number("null");
    body.texts("list");
    body.object("object");
    body.object("in")->text("x");
    body.bytes("bytes");
    BOOST_TEST(faults(body) == R"([{"loc":["body","absent"],"msg":"field required","type":"value_error.missing"},)"
                               R"({"loc":["body","null"],"msg":"none is not an allowed value","type":"type_error.none.not_allowed"},)"
                               R"({"loc":["body","list"],"msg":"value is not a valid list","type":"type_error.list"},)"
                               R"({"loc":["body","object"],"msg":"value is not a valid dict","type":"type_error.dict"},)"
                               R"({"loc":["body","in","x"],"msg":"str type expected","type":"type_error.str"},)"
                               R"({"loc":["body","bytes"],"msg":"value is not base64: write bytes with the letters of RFC 4648 and padding",)"
                               R"("type":"value_error.base64"}])");
    BOOST_CHECK_THROW(body_reader(""), taskflux::http::problem);
    BOOST_CHECK_THROW(body_reader("[]"), taskflux::http::problem);
    BOOST_CHECK_THROW(body_reader("{\"a\":1}}"), taskflux::http::problem);
    BOOST_CHECK_THROW(body_reader("{\"a\":\"\xff\"}"), taskflux::http::problem);
    BOOST_CHECK_THROW(body_reader(std::string(201, '[') + std::string(201, ']')), taskflux::http::problem);
}

BOOST_AUTO_TEST_CASE(any_name_of_a_queue_is_stored_and_read_back) {
    const queue_names plain(""), prefixed("tc/");
    BOOST_TEST(plain.stored("frames").value() == "frames");
    BOOST_TEST(prefixed.stored("frames").value() == "tc/frames");
    BOOST_TEST(prefixed.shown("tc/frames").value() == "frames");
    BOOST_TEST(!prefixed.shown("frames").has_value());
    for (const std::string name : {"", "a b", "_.x", "\xe9\x98\x9f\xe5\x88\x97", "a:b", "{x}", "~>?", "\xff\xfe\xfb"}) {
        const auto stored = plain.stored(name).value();
        BOOST_TEST(taskflux::is_valid_name(stored), stored);
        BOOST_TEST(plain.shown(stored).value() == name);
    }
    BOOST_TEST(plain.stored(std::string(128, 'a')).has_value());
    BOOST_TEST(!plain.stored(std::string(129, 'a')).has_value());
    BOOST_TEST(plain.stored(std::string(93, ' ')).has_value());
    BOOST_TEST(!plain.stored(std::string(96, ' ')).has_value());
}

BOOST_AUTO_TEST_CASE(any_id_is_stored_and_read_back) {
    const taskflux::task_key key{37, 1};
    for (const std::string plain : {"a", "50%", "\xe4\xbb\xbb", "a b", "a:~b"}) {
        BOOST_TEST(own_id_of(plain).value() == plain);
        BOOST_TEST(id_of(plain, key) == plain);
    }
    const std::string with_zero("\0", 1);
    for (const std::string& coded : {std::string(), std::string("~1.a"), std::string("q:~1.a"), std::string("%:x"), std::string("a\n%b"), with_zero}) {
        const auto stored = own_id_of(coded).value();
        BOOST_TEST(stored.starts_with("%:"), stored);
        BOOST_TEST(id_of(stored, key) == coded);
    }
    BOOST_TEST(id_of("", key) == "~11.1");
    BOOST_TEST((key_of("~11.1").value() == key));
    BOOST_TEST(!key_of("11.1").has_value());
    BOOST_TEST(!key_of("~x").has_value());
    BOOST_TEST(id_of("%:%", key) == "%:%");  // a program's own
    BOOST_TEST(own_id_of(std::string(1024, 'a')).has_value());
    BOOST_TEST(!own_id_of(std::string(1025, 'a')).has_value());
}

BOOST_AUTO_TEST_CASE(a_result_is_an_object_of_info_and_base64) {
    result made;
    made.info = "[1.50]";
    made.content = std::string("\0\xff", 2);
    BOOST_TEST(made.stored() == R"({"info":[1.50],"content":"AP8="})");
    const auto read = result::read(made.stored());
    BOOST_TEST(read.info == made.info);
    BOOST_TEST(read.content == made.content);
    for (const char* other : {"42", R"({"info":1})", R"({"info":1,"content":2})", R"({"info":1,"content":"*"})", R"({"other":1,"content":""})"}) {
        BOOST_TEST(result::read(other).info == other);
        BOOST_TEST(result::read(other).content == "");
    }
    BOOST_TEST(result::read("\xff").info == "null");
    BOOST_TEST(result::read("\xff").content == "\xff");
    BOOST_TEST(result::read("").content == "");
}

BOOST_AUTO_TEST_CASE(its_environment_says_where_the_server_is) {
    BOOST_TEST(taskflux::task_center_url({}) == "redis://127.0.0.1:6379/0?prefix=tc");
    const variables all{{"redis_host", "db.example"}, {"REDIS_PORT", "7000"}, {"redis_db", "3"}, {"redis_prefix", "shop"}};
    BOOST_TEST(taskflux::task_center_url(all) == "redis://db.example:7000/3?prefix=shop");
    BOOST_TEST(taskflux::task_center_url({{"redis_host", "::1"}}) == "redis://[::1]:6379/0?prefix=tc");
    BOOST_TEST(taskflux::redis::parse_url(taskflux::task_center_url(all)).prefix == "shop");
    for (const auto& wrong : {variables{{"redis_port", "70000"}}, variables{{"redis_port", "x"}}, variables{{"redis_db", "-1"}},
                              variables{{"redis_host", "a/b"}}, variables{{"redis_prefix", "a b"}}, variables{{"redis_prefix", "a/b"}}}) {
        BOOST_CHECK_EXCEPTION(taskflux::task_center_url(wrong), taskflux::error, [&](const taskflux::error& e) {
            return std::string(e.what()).find(wrong.begin()->first) != std::string::npos;
        });
    }
    BOOST_CHECK_THROW(taskflux::task_center_options().queue_prefix("a b"), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace task_center_test
