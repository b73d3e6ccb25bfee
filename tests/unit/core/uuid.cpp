#include <taskflux/core/uuid.hpp>

#include <boost/test/unit_test.hpp>
#include <boost/uuid/string_generator.hpp>

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

BOOST_AUTO_TEST_CASE(when_the_clock_steps_back_the_id_behind_the_last_follows) {
    const auto id = [](const char* text) { return boost::uuids::string_generator()(text); };
    const auto after = [&](const char* last, const char* made) { return to_string(taskflux::detail::following(id(last), id(made))); };
    const auto* const last = "01900000-0000-7000-8000-0000000000ff";
    BOOST_TEST(after(last, "01900000-0001-7000-8000-000000000000") == "01900000-0001-7000-8000-000000000000");
    BOOST_TEST(after(last, "018fffff-0001-7000-8000-000000000000") == "01900000-0000-7000-8000-000000000100");
    BOOST_TEST(after(last, last) == "01900000-0000-7000-8000-000000000100");
    const auto* const full = "01900000-0000-7000-8000-00ffffffffff";
    BOOST_TEST(after(full, full) == "01900000-0000-7000-8000-010000000000");
    const auto* const fuller = "01900000-0000-7000-8000-ffffffffffff";
    BOOST_TEST(after(fuller, fuller) == "01900000-0000-7000-8001-000000000000");
    const auto* const fullest = "01900000-0000-7000-80ff-ffffffffffff";  // what tells the variant stays
    BOOST_TEST(after(fullest, fullest) == "01900000-0000-7000-8000-000000000000");
}

BOOST_AUTO_TEST_SUITE_END()
