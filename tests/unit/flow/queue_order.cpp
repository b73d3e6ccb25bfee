#include <taskflux/flow/worker/queue_order.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <random>
#include <vector>

namespace flow_queue_order {

/// An order of all queues.
std::vector<std::size_t> draw_order(const std::vector<taskflux::weighted_queue>& queues, std::minstd_rand& random) {
    std::vector<std::size_t> places(queues.size());
    std::iota(places.begin(), places.end(), std::size_t(0));
    taskflux::detail::draw_order(queues, places, random);
    return places;
}

}  // namespace flow_queue_order

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

BOOST_AUTO_TEST_CASE(some_of_the_queues_are_drawn_as_if_there_were_no_others) {
    const std::vector<taskflux::weighted_queue> queues{{"a", 100}, {"b", 3}, {"c", 1}};
    std::minstd_rand random{1};
    int first = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::vector<std::size_t> places{1, 2};
        taskflux::detail::draw_order(queues, places, random);
        BOOST_TEST(places[0] + places[1] == 3U);
        if (places[0] == 1) ++first;
    }
    BOOST_TEST(std::abs(first - 7500) < 300);
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
