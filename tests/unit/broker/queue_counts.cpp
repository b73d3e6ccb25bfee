#include <taskflux/broker/broker.hpp>

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <type_traits>

namespace broker_queue_counts {

using namespace taskflux;

/// The name of the field that has this number, among those that count tasks.
std::string field_with(const queue_counts& of, std::size_t number) {
    using fields = boost::describe::describe_members<queue_counts, boost::describe::mod_public>;
    std::string name;
    boost::mp11::mp_for_each<fields>([&](auto field) {
        if constexpr (std::is_same_v<decltype(field.pointer), std::size_t queue_counts::* const> ||
                      std::is_same_v<decltype(field.pointer), std::size_t queue_counts::*>) {
            if (of.*field.pointer == number) name += field.name;
        }
    });
    return name;
}

}  // namespace broker_queue_counts

BOOST_AUTO_TEST_SUITE(broker_queue_counts)

BOOST_AUTO_TEST_CASE(each_state_is_counted_in_the_field_of_its_name) {
    for (std::size_t n = 0; n != task_state_count; ++n) {
        const auto state = static_cast<task_state>(n);
        queue_counts counts;
        counts[state] = 7;
        const auto& seen = counts;
        BOOST_TEST(seen[state] == 7U);
        BOOST_TEST(field_with(counts, 7) == boost::describe::enum_to_string(state, ""));
    }
}

BOOST_AUTO_TEST_SUITE_END()
