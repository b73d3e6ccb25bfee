#include <taskflux/detail/intrusive_list.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <vector>

namespace detail_intrusive_list {

struct item : taskflux::detail::list_hook<item> {
    int value = 0;
};
using list = taskflux::detail::intrusive_list<item>;

struct fixture {
    fixture() {
        for (int i = 0; i < 6; ++i) items.at(static_cast<std::size_t>(i)).value = i;
    }

    list of(std::vector<std::size_t> indices) {
        list made;
        for (const auto i : indices) made.push_back(items.at(i));
        return made;
    }

    static std::vector<int> values(const list& all) {
        std::vector<int> seen;
        for (const item* at = all.front(); at; at = list::next(*at)) seen.push_back(at->value);
        BOOST_TEST(seen.size() == all.size());
        return seen;
    }

    std::array<item, 6> items;
};

using ints = std::vector<int>;

}  // namespace detail_intrusive_list

BOOST_FIXTURE_TEST_SUITE(detail_intrusive_list, fixture)

BOOST_AUTO_TEST_CASE(items_come_out_in_the_order_in_which_they_went_in) {
    list all = of({2, 0, 1});
    BOOST_TEST(all.pop_front()->value == 2);
    BOOST_TEST(all.pop_front()->value == 0);
    BOOST_TEST(all.pop_front()->value == 1);
    BOOST_TEST(!all.pop_front());
    BOOST_TEST(all.empty());
}

BOOST_AUTO_TEST_CASE(an_item_can_be_erased_anywhere_and_added_again) {
    list all = of({0, 1, 2, 3});
    all.erase(items[1]);
    BOOST_TEST((values(all) == ints{0, 2, 3}));
    all.erase(items[0]);
    all.erase(items[3]);
    BOOST_TEST((values(all) == ints{2}));
    all.push_back(items[0]);
    BOOST_TEST((values(all) == ints{2, 0}));
    all.erase(items[2]);
    all.erase(items[0]);
    BOOST_TEST(all.empty());
}

BOOST_AUTO_TEST_CASE(lists_are_joined_at_either_end) {
    list all = of({0, 1}), tail = of({2, 3}), head = of({4, 5}), none;
    all.append(tail);
    all.prepend(head);
    all.append(none);
    all.prepend(none);
    BOOST_TEST((values(all) == ints{4, 5, 0, 1, 2, 3}));
    BOOST_TEST(tail.empty());
    BOOST_TEST(head.empty());
    none.append(all);
    BOOST_TEST((values(none) == ints{4, 5, 0, 1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_moved_list_takes_its_items_along) {
    list from = of({0, 1});
    list to = std::move(from);
    BOOST_TEST(from.empty());
    BOOST_TEST((values(to) == ints{0, 1}));
}

BOOST_AUTO_TEST_SUITE_END()
