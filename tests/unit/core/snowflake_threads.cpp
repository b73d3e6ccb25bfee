#include <taskflux/core/snowflake.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(core_snowflake_threads)

BOOST_AUTO_TEST_CASE(ids_of_several_threads_and_nodes_are_unique) {
    using taskflux::snowflake_generator;
    constexpr std::size_t per_thread = 20'000;
    snowflake_generator first(1), second(2);
    std::vector<std::vector<std::int64_t>> made(4);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < made.size(); ++i) {
            threads.emplace_back([&, i] {
                auto& make = i % 2 ? first : second;
                for (std::size_t n = 0; n < per_thread; ++n) {
                    made[i].push_back(make.next(snowflake_generator::epoch + taskflux::duration(n / 100)));
                }
            });
        }
    }
    std::vector<std::int64_t> all;
    for (const auto& some : made) {
        BOOST_TEST(std::ranges::is_sorted(some));
        all.insert(all.end(), some.begin(), some.end());
    }
    std::ranges::sort(all);
    BOOST_TEST((std::ranges::adjacent_find(all) == all.end()));
    BOOST_TEST(all.size() == 4 * per_thread);
}

BOOST_AUTO_TEST_SUITE_END()
