#include <taskflux/core/children.hpp>

#include <boost/test/unit_test.hpp>

namespace core_children {

using namespace taskflux;
using verdict = children_policy::verdict;

struct row {
    children_policy policy;
    children_counts counts;  // total, done, failed
    verdict expected;
};

constexpr auto first = children_policy::fail_fast(), all = children_policy::collect(), two = children_policy::quorum(2);

constexpr row rows[] = {
    {first, {0, 0, 0}, verdict::succeed}, {first, {3, 2, 0}, verdict::wait},    {first, {3, 3, 0}, verdict::succeed},
    {first, {3, 1, 1}, verdict::fail},    {first, {3, 3, 1}, verdict::fail},    {all, {0, 0, 0}, verdict::succeed},
    {all, {3, 2, 2}, verdict::wait},      {all, {3, 3, 3}, verdict::succeed},   {two, {3, 1, 0}, verdict::wait},
    {two, {3, 2, 0}, verdict::succeed},   {two, {3, 2, 1}, verdict::wait},      {two, {3, 2, 2}, verdict::fail},
    {two, {3, 3, 1}, verdict::succeed},   {two, {1, 0, 0}, verdict::fail},      {two, {0, 0, 0}, verdict::fail},
    {children_policy::quorum(0), {3, 0, 0}, verdict::succeed},
};

}  // namespace core_children

BOOST_AUTO_TEST_SUITE(core_children)

BOOST_AUTO_TEST_CASE(a_policy_says_when_its_task_ends) {
    for (const auto& [policy, counts, expected] : rows) {
        BOOST_TEST((policy.judge(counts) == expected),
                   policy.text() << ": " << counts.total << ' ' << counts.done << ' ' << counts.failed);
    }
}

BOOST_AUTO_TEST_CASE(a_policy_is_stored_as_a_letter_and_what_it_needs) {
    BOOST_TEST(children_policy().text() == "f");
    BOOST_TEST(all.text() == "c");
    BOOST_TEST(children_policy::quorum(17).text() == "q17");
    BOOST_TEST((children_policy() == first));
}

BOOST_AUTO_TEST_SUITE_END()
