#include <taskflux/app/config/json_places.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <map>
#include <string>

using taskflux::detail::json_places;
using taskflux::detail::text_places;

namespace flow_app_json_places {

using places = std::map<std::string, std::size_t>;

places walk(const std::string& text) {
    places found;
    json_places(text, [&](const std::string& pointer, std::size_t offset) { found.emplace(pointer, offset); }).walk();
    return found;
}

}  // namespace flow_app_json_places

BOOST_AUTO_TEST_SUITE(flow_app_json_places)

BOOST_AUTO_TEST_CASE(members_are_where_their_keys_begin_and_elements_where_they_do) {
    BOOST_TEST((walk(R"( {"a": [1, {"b": null}], "c":true})") ==
                places{{"", 1}, {"/a", 2}, {"/a/0", 8}, {"/a/1", 11}, {"/a/1/b", 12}, {"/c", 25}}));
    BOOST_TEST((walk("[ ]") == places{{"", 0}}));
    BOOST_TEST((walk("{}") == places{{"", 0}}));
    BOOST_TEST((walk("7") == places{{"", 0}}));
}

BOOST_AUTO_TEST_CASE(quotes_brackets_and_commas_within_texts_end_nothing) {
    BOOST_TEST((walk(R"({"\"": "]}\",\\", "b\\":[",", "\\"],"c":0})") ==
                places{{"", 0}, {"/\"", 1}, {"/b\\", 18}, {"/b\\/0", 25}, {"/b\\/1", 30}, {"/c", 36}}));
}

BOOST_AUTO_TEST_CASE(lines_and_columns_count_from_one) {
    const text_places at("ab\n\ncd", "x.json");
    BOOST_TEST(at(0) == "x.json:1:1");
    BOOST_TEST(at(2) == "x.json:1:3");  // the line's end belongs to it
    BOOST_TEST(at(3) == "x.json:2:1");
    BOOST_TEST(at(4) == "x.json:3:1");
    BOOST_TEST(at(5) == "x.json:3:2");
}

BOOST_AUTO_TEST_SUITE_END()
