#include <conformance/workflow_site.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

// Subtasks that are spawned by a call that is cancelled while it is under way: nothing hangs, whenever that is.

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_spawning)

using namespace asio::experimental::awaitable_operators;

/// Lets others go on so many times.
asio::awaitable<void> stand_back(int times) {
    const auto here = co_await asio::this_coro::executor;
    for (int i = 0; i < times; ++i) co_await asio::post(here, asio::deferred);
}

/// Runs a parent whose spawning call is cancelled after each number of rounds: it ends.
void end_whenever_cancelled(fixture& on, int most, asio::awaitable<void> (*spawning)(context&)) {
    site all(on);
    int rounds = 0;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        co_await (spawning(ctx) || stand_back(rounds));
        co_return 1;
    };
    all.begin();
    for (; rounds < most; ++rounds) {
        const auto job = all.result(all.client.submit(parent, 0));
        all.until(job.id(), task_state::succeeded);
        const auto tree = all.result(all.inspector.tree(job.id()));
        for (const auto& child : tree.node.children) BOOST_TEST(is_terminal(child.task.state));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_ends_whenever_its_spawning_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    end_whenever_cancelled(on, 40, [](context& ctx) -> asio::awaitable<void> {
        co_await ctx.spawn(note, std::views::iota(0, 2));
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_ends_whenever_the_spawning_of_its_continuation_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    end_whenever_cancelled(on, 60, [](context& ctx) -> asio::awaitable<void> {
        const auto options = spawn_options().then(total);
        co_await ctx.spawn(twice, std::views::iota(0, 2), options);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_ends_whenever_the_spawning_of_one_subtask_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    end_whenever_cancelled(on, 40, [](context& ctx) -> asio::awaitable<void> {
        const auto options = submit_options();
        co_await ctx.spawn_one(note, options, 1);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_ends_whenever_a_submission_under_it_was_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> { return ctx.wait_signal<int>("go"); };
    all.begin();
    for (int rounds = 0; rounds < 20; ++rounds) {
        const auto job = all.result(all.client.submit(parent, 0));
        all.until(job.id(), task_state::scheduled);
        auto under = on.begin(all.client.submit_under(job.id(), note, submit_options(), 1));
        on.run(stand_back(rounds));
        under.cancel();
        const auto code = on.error_of(under);
        BOOST_TEST((!code || code == aborted), code.message());
        all.result(all.client.signal(job.id(), "go", 1));
        all.until(job.id(), task_state::succeeded);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_subtasks_of_a_parent_that_is_cancelled_while_it_spawns_end, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 7;
    bool has_begun = false;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        has_begun = true;
        co_await ctx.spawn(twice, std::vector<int>(1200, 7));
        co_return 1;
    };
    all.begin();
    for (int rounds = 0; rounds < 12; ++rounds) {
        has_begun = false;
        const auto job = all.result(all.client.submit(parent, 0));
        for (int i = 0; i != 1000 && !has_begun; ++i) all.state(job.id());
        BOOST_REQUIRE(has_begun);
        on.run(stand_back(4 * rounds));
        all.result(job.cancel());
        all.until(job.id(), task_state::cancelled);
        const auto are_open = [&] {
            const auto now = all.result(on.broker().counts("q"));
            return now.waiting + now.scheduled + now.running + now.held + now.waiting_children != 0;
        };
        for (int i = 0; i != 1000 && are_open(); ++i) {
        }
        BOOST_TEST(!are_open(), rounds);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_spawn_that_has_lost_loses_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    int rounds = 0, lost = 0;
    std::vector<bool> has_lost;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        const auto slower = has_lost.empty() ? 0 : 50;  // the next run's spawn is not
        const auto first = co_await (stand_back(rounds + slower) || ctx.spawn(note, std::views::iota(0, 2)));
        has_lost.push_back(first.index() == 0);
        co_await ctx.sleep_for(2s);
        co_return 1;
    };
    all.begin();
    for (; rounds < 40; ++rounds) {
        has_lost.clear();
        const auto job = all.result(all.client.submit(parent, 0));
        all.until(job.id(), task_state::scheduled);
        on.pass(2s);
        all.until(job.id(), task_state::succeeded);
        BOOST_REQUIRE_EQUAL(has_lost.size(), 2U);
        if (!has_lost.front()) continue;
        ++lost;
        BOOST_TEST(has_lost.back(), rounds);
    }
    BOOST_TEST(lost > 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_ends_that_goes_on_after_its_spawning_has_become_another, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    std::vector<std::string> refusals;
    std::vector<int> payloads;
    bool is_called_first = false;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        const bool is_first = refusals.empty() && payloads.size() == 2;
        try {
            if (is_first && is_called_first) co_await ctx.call(twice, 1);
            else co_await ctx.spawn(note, payloads);
        } catch (const error& e) {
            refusals.push_back(e.what());
            BOOST_TEST(e.code() == errc::journal_mismatch);
        }
        payloads = {9, 2, 3, 4};
        co_await ctx.sleep_for(2s);
        co_return 1;
    };
    all.begin();
    for (const bool how : {false, true}) {
        is_called_first = how;
        payloads = {1, 2};
        refusals.clear();
        const auto job = all.result(all.client.submit(parent, 0));
        all.until(job.id(), task_state::scheduled);
        on.pass(2s);
        all.until(job.id(), task_state::succeeded);
        BOOST_TEST(refusals.size() == 1U);
        const auto tree = all.result(all.inspector.tree(job.id()));
        BOOST_TEST(tree.node.children.size() == (how ? 1U : 2U));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
