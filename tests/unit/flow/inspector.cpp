#include "fixture.hpp"

#include <taskflux/admin/inspector.hpp>

using namespace test::flow;

namespace {

inline constexpr taskflux::task<void()> parent{"parent"};

}  // namespace

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

BOOST_AUTO_TEST_SUITE_END()
