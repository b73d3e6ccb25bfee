#include <taskflux/core/uuid.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(core_uuid)

BOOST_AUTO_TEST_CASE(uuids_are_sorted_in_the_order_of_their_making) {
    taskflux::uuid_generator make;
    std::vector<std::string> texts;
    for (int i = 0; i < 100'000; ++i) texts.push_back(make.text());  // thousands in each millisecond
    BOOST_TEST(std::ranges::is_sorted(texts));
    BOOST_TEST((std::ranges::adjacent_find(texts) == texts.end()));
    BOOST_TEST(texts[0].size() == 36U);
    BOOST_TEST(texts[0][14] == '7');
    BOOST_TEST(std::string("89ab").find(texts[0][19]) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
