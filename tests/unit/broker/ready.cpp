#include <taskflux/broker/memory/ready.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace broker_ready {

using taskflux::name_set;
using taskflux::memory::entry;
using taskflux::memory::ready_tasks;

struct lanes {
    std::deque<entry> entries;
    ready_tasks ready;

    entry& add(std::string name, int priority = 0, bool urgent = false) {
        auto& made = entries.emplace_back();
        made.sequence = entries.size();
        made.spec = std::make_shared<const taskflux::task_spec>(taskflux::task_spec{std::move(name), priority, {}, {}});
        ready.add(made, urgent);
        return made;
    }

    /// Takes the next for `names`, as a worker would; its number, or 0.
    std::uint64_t take(const name_set* names = nullptr, std::size_t budget = 1000) {
        auto* const found = ready.next(names, budget);
        if (!found) return 0;
        ready.remove(*found);
        return found->sequence;
    }
};

}  // namespace broker_ready

BOOST_AUTO_TEST_SUITE(broker_ready)

BOOST_AUTO_TEST_CASE(the_highest_priority_comes_first_and_the_urgent_first_within_it) {
    lanes in;
    in.add("a", 0);
    in.add("a", 5);
    in.add("a", 5);
    in.add("a", -5);
    in.add("a", 5, true);
    for (const auto expected : {5U, 2U, 3U, 1U, 4U, 0U}) BOOST_TEST(in.take() == expected);
}

BOOST_AUTO_TEST_CASE(any_task_can_be_removed_from_the_middle) {
    lanes in;
    in.add("a");
    auto& middle = in.add("a");
    in.add("a");
    in.ready.remove(middle);
    BOOST_TEST(in.take() == 1U);
    BOOST_TEST(in.take() == 3U);
    BOOST_TEST(!in.ready.has_work(nullptr));
}

BOOST_AUTO_TEST_CASE(a_budget_bounds_how_many_are_passed_over_in_one_go) {
    lanes in;
    for (int i = 0; i < 10; ++i) in.add("strange");
    in.add("known");
    const name_set names{"known"};
    BOOST_TEST(in.take(&names, 4) == 0U);
    BOOST_TEST(in.ready.unclaimed_size() == 4U);
    BOOST_TEST(in.ready.has_work(&names));  // there is more to look at
    BOOST_TEST(in.take(&names, 4) == 0U);
    BOOST_TEST(in.take(&names, 4) == 11U);
    BOOST_TEST(in.ready.unclaimed_size() == 10U);
    BOOST_TEST(!in.ready.has_work(&names));
    BOOST_TEST(in.ready.has_work(nullptr));
    const name_set others{"another"};
    BOOST_TEST(!in.ready.has_work(&others));
}

BOOST_AUTO_TEST_CASE(what_was_passed_over_competes_by_priority_and_age) {
    lanes in;
    in.add("x", 0);
    in.add("x", 3);
    const name_set other{"other"}, x{"x", "y"};
    BOOST_TEST(in.take(&other) == 0U);
    in.add("y", 3);
    in.add("y", 0);
    for (const auto expected : {2U, 3U, 1U, 4U, 0U}) BOOST_TEST(in.take(&x) == expected);
    BOOST_TEST(in.ready.unclaimed_size() == 0U);
}

BOOST_AUTO_TEST_CASE(what_was_passed_over_comes_in_order_however_it_was_removed_and_set_aside) {
    std::minstd_rand random(7);
    const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    lanes in;
    const name_set none{"none"}, some{"0", "3", "6"};
    std::map<std::pair<int, std::uint64_t>, entry*> model;  // in the order in which they are to come
    const auto key_of = [](const entry& one) { return std::pair(-one.spec->priority, one.sequence); };
    const auto first = [&](const name_set* names) -> std::uint64_t {
        for (const auto& [key, one] : model) {
            if (!names || names->contains(one->spec->name)) return one->sequence;
        }
        return 0;
    };
    for (int step = 0; step < 4000; ++step) {
        auto& made = in.add(std::to_string(draw(8)), int(draw(3)));
        model.emplace(key_of(made), &made);
        BOOST_REQUIRE(in.take(&none) == 0U);  // all are set aside
        if (draw(3) != 0) {
            auto at = model.begin();
            std::advance(at, draw(static_cast<unsigned>(model.size())));
            in.ready.remove(*at->second);
            model.erase(at);
        }
        const auto* const names = draw(2) == 0 ? nullptr : &some;
        const auto expected = first(names);
        BOOST_REQUIRE(in.ready.has_work(names) == (expected != 0));
        std::size_t budget = 0;
        auto* const found = in.ready.next(names, budget);
        BOOST_REQUIRE((found ? found->sequence : 0U) == expected);
        BOOST_REQUIRE(in.ready.unclaimed_size() == model.size());
    }
}

// With a look at each name for each task this takes minutes.
BOOST_AUTO_TEST_CASE(many_names_that_were_passed_over_are_taken_one_after_the_other) {
    constexpr std::size_t many = 50'000;
    lanes in;
    for (std::size_t i = 0; i < many; ++i) in.add(std::to_string(i));
    const name_set known{"none"};
    BOOST_TEST(in.take(&known, many) == 0U);
    for (std::size_t i = 0; i < many; ++i) BOOST_REQUIRE(!in.ready.has_work(&known));
    std::size_t taken = 0;
    while (in.take() != 0) ++taken;
    BOOST_TEST(taken == many);
    BOOST_TEST(!in.ready.has_work(nullptr));
}

BOOST_AUTO_TEST_CASE(a_task_that_was_passed_over_can_be_removed) {
    lanes in;
    auto& first = in.add("x");
    auto& second = in.add("x");
    const name_set other{"other"};
    in.take(&other);
    const auto names = [&] {
        std::size_t visited = 0;
        in.ready.visit_unclaimed(10, [&](const std::string&, const entry&) { ++visited; });
        return visited;
    };
    BOOST_TEST((first.unclaimed && second.unclaimed));
    in.ready.remove(first);
    BOOST_TEST(!first.unclaimed);
    BOOST_TEST(in.ready.unclaimed_size() == 1U);
    BOOST_TEST(names() == 1U);
    in.ready.remove(second);
    BOOST_TEST(names() == 0U);
    BOOST_TEST(in.ready.unclaimed_size() == 0U);
    BOOST_TEST(!in.ready.has_work(nullptr));
}

BOOST_AUTO_TEST_CASE(of_the_names_that_were_passed_over_some_are_told_each_with_its_next_task) {
    lanes in;
    for (const auto* name : {"a", "b", "a", "c"}) in.add(name);
    const name_set other{"other"};
    in.take(&other);
    std::vector<std::uint64_t> told;
    in.ready.visit_unclaimed(2, [&](const std::string&, const entry& task) { told.push_back(task.sequence); });
    BOOST_TEST((told == std::vector<std::uint64_t>{1, 2}));
}

BOOST_AUTO_TEST_SUITE_END()
