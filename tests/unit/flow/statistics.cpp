#include "fixture.hpp"

#include <taskflux/admin/statistics.hpp>

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace test::flow;

namespace flow_statistics {

inline constexpr taskflux::task<void()> parent{"parent"};

struct counted : fixture {
    taskflux::task_statistics of(const std::string& name) {
        settle();
        const auto all = now(taskflux::statistics(broker, "default").now());
        for (const auto& one : all.tasks) {
            if (one.name == name) return one.counts;
        }
        return {};
    }
};

}  // namespace flow_statistics

BOOST_FIXTURE_TEST_SUITE(flow_statistics, counted)

BOOST_AUTO_TEST_CASE(a_worker_counts_what_it_runs) {
    worker w{broker, options().log(nullptr)};
    w.on(twice, [](int x) { return 2 * x; });
    w.on(note, [](int) { throw std::runtime_error("no luck"); });
    const auto life = start(w.run());
    now(client.submit(twice, 21));
    now(client.submit(note, 1));
    now(client.submit(note, 2));
    const auto good = of("twice"), bad = of("note");
    BOOST_TEST(good.submitted == 1U);
    BOOST_TEST(good.ended.succeeded == 1U);
    BOOST_TEST(good.attempts.succeeded == 1U);
    BOOST_TEST(good.run.count() == 1U);
    BOOST_TEST(good.wait.count() == 1U);
    BOOST_TEST(bad.ended.failed == 2U);
    BOOST_TEST(bad.attempts.failed == 2U);
    BOOST_TEST(bad.attempts.retried == 0U);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_parent_that_waits_for_its_subtasks_succeeds_once) {
    gate closed{here};
    worker w{broker, options().log(nullptr)};
    w.on(note, [&](int) -> asio::awaitable<void> { co_await closed.pass(); });
    w.on(parent, [](context& ctx) -> asio::awaitable<void> {
        const std::vector<int> one{1};
        co_await ctx.spawn(note, one);
    });
    const auto life = start(w.run());
    now(client.submit(parent));
    BOOST_TEST(of("parent").ended.succeeded == 0U);
    BOOST_TEST(of("parent").attempts.succeeded == 1U);
    closed.open();
    BOOST_TEST(of("parent").ended.succeeded == 1U);
    BOOST_TEST(of("note").ended.succeeded == 1U);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(items_of_a_batch_count_each) {
    worker w{broker, options().log(nullptr)};
    w.on_batch(twice, taskflux::batch_options{}.max(10), [](std::span<taskflux::batch_item<int>> items) {
        return std::vector<int>(items.size(), 1);
    });
    for (int i = 0; i < 3; ++i) now(client.submit(twice, i));
    const auto life = start(w.run());
    BOOST_TEST(of("twice").ended.succeeded == 3U);
    BOOST_TEST(of("twice").run.count() == 3U);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_SUITE_END()
