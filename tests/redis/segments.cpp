#include <support/observer.hpp>
#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/segments.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redis_segments {

using namespace taskflux;
using sizes = std::vector<std::size_t>;

/// A plain task, as it is sent.
redis::task_item item(std::string payload, int priority = 0) {
    auto task = test::plain_task(std::move(payload));
    auto spec = *task.spec;
    spec.priority = priority;
    task.spec = std::make_shared<task_spec>(spec);
    return {task, 7};
}

/// One that adds `bytes` to its segment.
redis::task_item item_of(std::size_t bytes, int priority = 0) {
    const auto empty = item("");
    auto made = item(std::string(bytes - redis::record_head(empty.record).rest().size(), 'x'), priority);
    BOOST_REQUIRE_EQUAL(redis::record_head(made.record).rest().size(), bytes);
    return made;
}

/// How many of the tasks share each segment; 1: it is stored alone.
sizes shares(const std::vector<redis::task_item>& tasks) {
    redis::arguments with;
    redis::add_segments(tasks, with);
    sizes made;
    for (std::size_t i = 1; i < with.words().size(); i += 2) {
        constexpr auto before = sizeof(std::uint8_t) + sizeof(double);  // of their nonces
        const auto& status = with.words()[i];
        made.push_back(status.empty() ? 1 : (status.size() - before) / sizeof(std::uint32_t));
    }
    return made;
}

sizes shares(std::size_t count, std::size_t bytes) { return shares(std::vector(count, item_of(bytes))); }

}  // namespace redis_segments

BOOST_AUTO_TEST_SUITE(redis_segments)

BOOST_AUTO_TEST_CASE(tasks_share_a_segment_from_four_on_and_up_to_128_or_16_kib) {
    BOOST_TEST(shares(3, 64) == (sizes{1, 1, 1}), boost::test_tools::per_element());
    BOOST_TEST(shares(4, 64) == (sizes{4}), boost::test_tools::per_element());
    BOOST_TEST(shares(128, 64) == (sizes{128}), boost::test_tools::per_element());
    BOOST_TEST(shares(133, 64) == (sizes{128, 5}), boost::test_tools::per_element());
    BOOST_TEST(shares(64, 256) == (sizes{64}), boost::test_tools::per_element());
    BOOST_TEST(shares(68, 256) == (sizes{64, 4}), boost::test_tools::per_element());
    BOOST_TEST(shares(4, 4096) == (sizes{4}), boost::test_tools::per_element());
    BOOST_TEST(shares(4, 4097) == (sizes{1, 1, 1, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(tasks_of_one_kind_share_a_segment) {
    std::vector<redis::task_item> tasks;
    for (const int priority : {0, 0, 0, 0, 1, 1, 1, 1, 1, 0}) tasks.push_back(item_of(64, priority));
    BOOST_TEST(shares(tasks) == (sizes{4, 5, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
