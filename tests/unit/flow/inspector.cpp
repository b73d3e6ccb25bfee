#include "fixture.hpp"

#include <taskflux/admin/inspector.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

using namespace test::flow;

namespace flow_inspector {

inline constexpr taskflux::task<void()> parent{"parent"};

}  // namespace flow_inspector

BOOST_FIXTURE_TEST_SUITE(flow_inspector, fixture)

BOOST_AUTO_TEST_CASE(of_a_subtask_whose_record_is_gone_its_parents_journal_tells_the_end) {
    for (const bool fails : {false, true}) {
        gate closed{here};
        worker w{broker, options().log(nullptr)};
        w.on(twice, [&](int x) {
            if (fails) throw std::runtime_error("no luck");
            return 2 * x;
        });
        w.on(parent, [&](context& ctx) -> asio::awaitable<void> {
            try {
                co_await ctx.call(twice, 21);
            } catch (const taskflux::task_failed&) {  // it goes on
            }
            co_await closed.pass();
        });
        const auto life = start(w.run());
        const auto job = now(client.submit(parent));
        settle();
        const taskflux::inspector tells{broker};
        const auto before = now(tells.tree(job.id()));
        BOOST_REQUIRE_EQUAL(before.node.children.size(), 1U);
        const auto& child = before.node.children[0].task;
        BOOST_TEST(child.id.key.sequence != 0U);
        now(taskflux::job<int>(broker, child.id).remove());
        const auto after = now(tells.tree(job.id()));
        BOOST_REQUIRE_EQUAL(after.node.children.size(), 1U);
        const auto& kept = after.node.children[0].task;
        BOOST_TEST(kept.id.key.sequence == 0U);
        BOOST_TEST((kept.id.queue == "default" && kept.name == "twice" && kept.own_id == child.own_id));
        BOOST_TEST(kept.state == (fails ? task_state::failed : task_state::succeeded));
        BOOST_TEST((kept.result == child.result && kept.error == child.error && kept.attempts == 1U));
        BOOST_TEST((fails ? kept.error : kept.result) != "");
        closed.open();
        settle();
        w.stop();
        settle();
        BOOST_TEST(life->done);
    }
}

BOOST_AUTO_TEST_CASE(a_tree_has_no_more_subtasks_than_were_asked_for_and_says_where_it_is_cut) {
    worker w{broker, options().concurrency(2)};
    w.on(twice, [&](context& ctx, int x) -> asio::awaitable<int> {
        const std::vector<int> one{1};
        if (x == 0) co_await ctx.spawn(twice, one);
        co_return x;
    });
    w.on(parent, [&](context& ctx) -> asio::awaitable<void> {
        std::vector<int> all(12);
        std::iota(all.begin(), all.end(), 0);
        co_await ctx.spawn(twice, all);
    });
    const auto life = start(w.run());
    const auto job = now(client.submit(parent));
    settle();
    const taskflux::inspector tells{broker};
    const auto numbers = [](const taskflux::task_node& of) {
        std::vector<std::string> names;
        for (const auto& child : of.children) names.push_back(child.task.payload);
        return names;
    };
    const auto whole = now(tells.tree(job.id(), 13)).node;
    BOOST_TEST(!whole.is_cut);
    const std::vector<std::string> all{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
    BOOST_TEST(numbers(whole) == all, boost::test_tools::per_element());
    BOOST_TEST(whole.spawned.total == 12U);
    BOOST_TEST(numbers(whole.children[0]) == std::vector<std::string>{"1"}, boost::test_tools::per_element());
    BOOST_TEST(!whole.children[0].is_cut);

    const auto without_grandchild = now(tells.tree(job.id(), 12)).node;
    BOOST_TEST(!without_grandchild.is_cut);
    BOOST_TEST(without_grandchild.children.size() == 12U);
    BOOST_TEST((without_grandchild.children[0].is_cut && without_grandchild.children[0].spawned.total == 1U));

    const auto cut = now(tells.tree(job.id(), 11)).node;
    BOOST_TEST(cut.is_cut);
    BOOST_TEST(cut.spawned.total == 12U);
    BOOST_TEST(cut.children.size() == 11U);
    BOOST_TEST(std::ranges::is_sorted(cut.children, {}, [](const taskflux::task_node& n) { return std::stoi(n.task.payload); }));
    BOOST_TEST(now(tells.tree(job.id(), 0)).node.children.empty());
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_SUITE_END()
