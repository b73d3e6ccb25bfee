#include <taskflux/flow/worker/queue_order.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>

using taskflux::detail::draw_order;

BOOST_AUTO_TEST_SUITE(flow_queue_order)

BOOST_AUTO_TEST_CASE(every_queue_is_drawn_once) {
    std::minstd_rand random{1};
    for (int i = 0; i < 100; ++i) {
        auto order = draw_order({{"a", 1}, {"b", 100}, {"c", 7}}, random);
        std::ranges::sort(order);
        const std::vector<std::size_t> all{0, 1, 2};
        BOOST_TEST(order == all, boost::test_tools::per_element());
    }
    BOOST_TEST(draw_order({}, random).empty());
}

BOOST_AUTO_TEST_CASE(the_first_one_follows_the_weights) {
    std::minstd_rand random{1};
    std::map<std::size_t, int> first;
    for (int i = 0; i < 10'000; ++i) ++first[draw_order({{"a", 6}, {"b", 3}, {"c", 1}}, random).front()];
    BOOST_TEST(std::abs(first[0] - 6000) < 300);
    BOOST_TEST(std::abs(first[1] - 3000) < 300);
    BOOST_TEST(std::abs(first[2] - 1000) < 200);
}

BOOST_AUTO_TEST_CASE(the_same_seed_draws_the_same) {
    std::minstd_rand one{7};
    std::minstd_rand other{7};
    for (int i = 0; i < 100; ++i) {
        const auto a = draw_order({{"a", 6}, {"b", 3}, {"c", 1}}, one);
        const auto b = draw_order({{"a", 6}, {"b", 3}, {"c", 1}}, other);
        BOOST_TEST(a == b, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()
