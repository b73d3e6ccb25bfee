#include <conformance/workflow_site.hpp>
#include <taskflux/detail/sleep.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_workflows)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_gives_a_typed_result_and_inherits, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    duration left{};
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        const int near = co_await ctx.call(twice, submit_options().deadline(10s), value);
        left = all.remaining;
        const int away = co_await ctx.call(far, submit_options().deadline(1h), near);
        co_return away;
    };
    all.begin();
    const auto options = submit_options().header("tenant", "acme").header("taskflux-stream", "1 a").priority(7).deadline(100s);
    const auto job = all.result(all.client.submit(parent, options, 5));
    BOOST_TEST(all.result(job.result()) == 20);
    BOOST_TEST(all.headers.at("tenant") == "acme");
    BOOST_TEST(!all.headers.contains("taskflux-stream"));  // its reader is the parent's
    BOOST_TEST((left <= 10s && left > 0s));
    BOOST_TEST((all.remaining <= 100s && all.remaining > 10s));
    const auto tree = all.result(all.inspector.tree(job.id()));
    BOOST_REQUIRE_EQUAL(tree.node.children.size(), 2U);
    const auto& second = tree.node.children[1];
    BOOST_TEST(second.name == "2");
    BOOST_TEST(second.task.name == "far");
    BOOST_TEST(second.task.id.queue == "far");
    BOOST_TEST(second.task.priority == 7);
    BOOST_TEST(second.task.result == "20");
    BOOST_TEST(second.task.parent == to_string(job.id()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_with_one_slot_runs_the_subtasks_of_its_own_handlers, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> {
        if (value < 2) co_return value;
        const auto [a, b] = co_await ctx.all(ctx.call(parent, value - 1), ctx.call(parent, value - 2));
        co_return a + b;
    };
    all.begin();
    BOOST_TEST(all.result(all.client.run(parent, 7)) == 13);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_map_gives_results_in_order_and_reads_its_range_as_subtasks_end, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    int produced = 0;
    std::size_t most_open = 0;
    all.parent_body = [&](context& ctx, int count) -> asio::awaitable<int> {
        auto lazy = std::views::iota(0, count) | std::views::transform([&](int i) {
            ++produced;
            most_open = (std::max)(most_open, static_cast<std::size_t>(produced) - all.runs.size());
            return i;
        });
        const auto results = co_await ctx.map(twice, lazy, window(8));
        for (int i = 0; i != count; ++i) BOOST_TEST(results.at(static_cast<std::size_t>(i)) == 2 * i);
        co_return static_cast<int>(results.size());
    };
    all.begin();
    BOOST_TEST(all.result(all.client.run(parent, 50)) == 50);
    BOOST_TEST(produced == 50);
    BOOST_TEST(most_open <= 8U);
    BOOST_TEST(all.result(all.client.run(parent, 0)) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_map_without_a_bound_submits_all_its_payloads, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    constexpr auto most = (std::numeric_limits<std::size_t>::max)();
    for (const auto bound : {most, most / 2 + 2, std::size_t(1)}) {
        all.parent_body = [bound](context& ctx, int count) -> asio::awaitable<int> {
            const auto results = co_await ctx.map(twice, std::views::iota(0, count), window(bound));
            co_return static_cast<int>(results.size());
        };
        if (!all.running) all.begin();
        BOOST_TEST(all.result(all.client.run(parent, 10)) == 10, bound);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parent_that_needs_subtasks_and_has_spawned_none_fails, Backend, backends) {
    constexpr auto most = (std::numeric_limits<std::size_t>::max)();
    fixture on(std::make_unique<Backend>());
    site all(on);
    for (const auto& [named, wanted] : std::vector<std::pair<children_policy, task_state>>{
             {children_policy::quorum(1), task_state::failed}, {children_policy::quorum(most), task_state::failed},
             {children_policy::quorum(0), task_state::succeeded}, {children_policy::collect(), task_state::succeeded}}) {
        all.parent_body = [policy = named](context& ctx, int count) -> asio::awaitable<int> {
            const auto options = spawn_options().policy(policy);
            co_await ctx.spawn(twice, std::views::iota(0, count), options);
            co_return 1;
        };
        if (!all.running) all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        const auto ended = all.result(job.outcome());
        BOOST_TEST((ended->state == wanted), named.text());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_map_without_results_keeps_no_journal_of_what_is_done, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int count) -> asio::awaitable<int> {
        co_await ctx.map(note, std::views::iota(0, count), window(16));
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 600));
    BOOST_TEST(all.result(job.result()) == 1);
    const auto page = all.result(on.broker().journal(job.id(), {}));
    BOOST_TEST(page.entries.size() == 1U);
    BOOST_TEST(all.runs.size() == 600U);
    BOOST_TEST(std::ranges::all_of(all.runs, [](const auto& one) { return one.second == 1; }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failed_subtask_throws_in_its_parent_and_the_others_are_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.fails_at = 3;
    all.hangs_at = 2;
    std::string told;
    all.parent_body = [&told](context& ctx, int count) -> asio::awaitable<int> {
        try {
            co_await ctx.map(twice, std::views::iota(0, count), window(8));
        } catch (const task_failed& e) {
            told = e.what();
        }
        co_return told.empty() ? 0 : 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 4));
    BOOST_TEST(all.result(job.result()) == 1);
    BOOST_TEST(told.find("no luck") != std::string::npos);
    const auto tree = all.result(all.inspector.tree(job.id()));
    BOOST_REQUIRE_EQUAL(tree.node.children.size(), 4U);
    all.until(tree.node.children[2].task.id, task_state::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(any_takes_the_first_success_and_cancels_the_rest, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 1;
    all.fails_at = 2;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto first = co_await ctx.any(ctx.call_as("slow", twice, submit_options(), 1), ctx.call_as("bad", twice, submit_options(), 2),
                                            ctx.call_as("good", twice, submit_options(), 3));
        co_return static_cast<int>(first.index());
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    BOOST_TEST(all.result(job.result()) == 2);
    const auto tree = all.result(all.inspector.tree(job.id()));
    for (const auto& child : tree.node.children) {
        if (child.name == "slow") all.until(child.task.id, task_state::cancelled);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(any_has_the_same_winner_when_its_handler_is_run_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    constexpr auto after = [](int turns, int value) -> asio::awaitable<int> {
        for (int i = 0; i != turns; ++i) co_await asio::post(asio::deferred);
        co_return value;
    };
    int runs = 0;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        const bool is_first_run = runs++ == 0;
        const auto won = co_await ctx.any(after(is_first_run ? 20 : 0, 1), after(is_first_run ? 0 : 20, 2));
        co_await ctx.sleep_for(10s);
        co_return static_cast<int>(won.index());
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::scheduled);
    on.advance(10s);
    BOOST_TEST(all.result(job.result()) == 1);
    BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_is_run_again_at_any_point_repeats_nothing, Backend, backends) {
    constexpr int points = 6;
    for (int at = 0; at != points; ++at) {
        for (const bool counts : {false, true}) {
            fixture on(std::make_unique<Backend>());
            site all(on);
            int steps = 0, stops = 0;
            const auto charge = [&steps] { return ++steps; };
            all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
                const auto point = [&](int number) {
                    if (number != at || stops > 0) return;
                    ++stops;
                    if (counts) throw std::runtime_error("once");
                    throw retry_after(0s);
                };
                point(0);
                int sum = co_await ctx.call(twice, value);
                point(1);
                const auto several = co_await ctx.map(twice, std::views::iota(10, 20), window(4));
                for (const int one : several) sum += one;
                point(2);
                sum += co_await ctx.step("charge", charge);
                point(3);
                co_await ctx.map(note, std::views::iota(100, 130));
                point(4);
                const auto [a, b] = co_await ctx.all(ctx.call(twice, 1000), ctx.call(far, 1001));
                point(5);
                co_return sum + a + b;
            };
            all.begin();
            const auto options = submit_options().retry(retry_policy::fixed(0s).attempts(3));
            BOOST_TEST(all.result(all.client.run(parent, options, 5)) == 10 + 290 + 1 + 2000 + 2002);
            BOOST_TEST(steps == 1);
            BOOST_TEST(all.runs.size() == 1 + 10 + 30 + 2);
            for (const auto& [value, times] : all.runs) BOOST_TEST(times == 1, value << " ran " << times << " times, point " << at);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_crash_while_a_handler_only_waits_makes_it_a_dead_letter, Backend, backends) {
    const auto call = [](context& ctx) -> asio::awaitable<int> { return ctx.call(twice, 7); };
    const auto in_map = [](context& ctx) -> asio::awaitable<int> {
        const auto all = co_await ctx.map(twice, std::views::single(7));
        co_return all.front();
    };
    for (const auto& body : std::vector<std::function<asio::awaitable<int>(context&)>>{call, in_map}) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        all.hangs_at = 7;
        int runs = 0;
        all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> { return ++runs, body(ctx); };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        for (int day = 0; day != 5; ++day) {  // more than the limit of 3
            on.let_work();
            on.advance(31s);  // as if the machine had slept: the lease is lost
            for (int i = 0; i != 1000 && runs < day + 2; ++i) on.let_work();
        }
        on.let_work();
        BOOST_TEST(on.record(job.id().key).crashes == 0U);
        BOOST_TEST(all.runs[7] == 1);
        all.end_what_hangs(job.id());
        const auto ended = on.start(job.result());
        for (int i = 0; i != 10 && !ended.done(); ++i) on.pass(1s);
        BOOST_REQUIRE(ended.done());
        BOOST_TEST(on.record(job.id().key).result == "14");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_kills_workers_beside_a_subtask_that_is_awaited_is_a_dead_letter, Backend, backends) {
    using namespace asio::experimental::awaitable_operators;
    const auto deadly = [](context& ctx) -> asio::awaitable<int> {  // works until its worker is lost
        co_await ctx.sleep_for(1ms);
        asio::steady_timer work(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await work.async_wait(asio::deferred);
        co_return 1;
    };
    const std::vector<std::function<asio::awaitable<void>(context&)>> ways{
        [&](context& ctx) -> asio::awaitable<void> { co_await ctx.all(ctx.call(twice, 7), deadly(ctx)); },
        [&](context& ctx) -> asio::awaitable<void> { co_await (ctx.call(twice, 7) || deadly(ctx)); },
        [&](context& ctx) -> asio::awaitable<void> {
            co_await (ctx.all(ctx.call(twice, 7), ctx.call_as("b", twice, submit_options(), 7)) || deadly(ctx));
        },
        [&](context& ctx) -> asio::awaitable<void> { co_await ctx.all(ctx.call(twice, 7), ctx.any(deadly(ctx), ctx.sleep_for(24h))); },
    };
    for (const auto& way : ways) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        all.hangs_at = 7;
        int runs = 0;
        all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
            ++runs;
            co_await way(ctx);
            co_return 1;
        };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        for (int times = 1; times <= 5 && all.state(job.id()) != task_state::failed; ++times) {
            for (int i = 0; i != 1000 && runs < times; ++i) on.let_work();
            on.pass(1ms);
            on.pass(31s);  // as if the machine had slept: the lease is lost
        }
        BOOST_TEST((all.state(job.id()) == task_state::failed));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_attempt_runs_failed_subtasks_again_and_the_same_one_does_not, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    int pauses = 0;
    all.fails_at = 4;
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        bool has_failed = false;
        try {
            co_await ctx.call(twice, value);
        } catch (const task_failed&) {
            has_failed = true;
        }
        if (has_failed && pauses++ == 0) throw retry_after(0s);
        if (has_failed) all.fails_at = -1;
        if (has_failed) throw std::runtime_error("again");
        co_return 1;
    };
    all.begin();
    const auto options = submit_options().retry(retry_policy::fixed(0s).attempts(2));
    BOOST_TEST(all.result(all.client.run(parent, options, 4)) == 1);
    BOOST_TEST(pauses == 2);
    BOOST_TEST(all.runs[4] == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(calls_that_have_changed_are_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    bool is_new = false;
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        if (!is_new) {
            co_await ctx.call(twice, value);
            is_new = true;
            throw retry_after(0s);
        }
        co_await ctx.call(note, value);
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, submit_options().retry(retry_policy::fixed(0s).attempts(5)), 1));
    const auto end = all.result(job.outcome());
    BOOST_REQUIRE((end && end->failure));
    BOOST_TEST(end->failure->code == "journal_mismatch");
    BOOST_TEST(end->failure->message.find("\"1\" was twice in queue q") != std::string::npos, end->failure->message);
    BOOST_TEST(end->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(spawned_subtasks_are_waited_for_without_a_slot, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.hangs_at = 2;
    spawned which;
    all.parent_body = [&](context& ctx, int count) -> asio::awaitable<int> {
        which = co_await ctx.spawn(twice, std::views::iota(0, count));
        co_return 42;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 3));
    all.until(job.id(), task_state::waiting_children);
    const auto tree = all.result(all.inspector.tree(job.id()));
    BOOST_REQUIRE_EQUAL(tree.node.children.size(), 3U);
    all.until(tree.node.children[0].task.id, task_state::succeeded);
    all.until(tree.node.children[1].task.id, task_state::succeeded);
    BOOST_TEST((all.result(all.inspector.progress(job.id())) == children_counts{3, 2, 0}));
    auto results = all.result(all.client.results(twice, which));
    BOOST_REQUIRE_EQUAL(results.size(), 3U);
    BOOST_TEST(results[1].value.value() == 2);
    BOOST_TEST(!is_terminal(results[2].state));
    all.result(all.client.signal(tree.node.children[2].task.id, "never", 1));
    BOOST_TEST(all.result(job.result()) == 42);
    results = all.result(all.client.results(twice, which, 2, 10));
    BOOST_REQUIRE_EQUAL(results.size(), 1U);
    BOOST_TEST(results[0].value.value() == 4);
    BOOST_TEST(all.result(all.client.run(parent, 0)) == 42);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_spawn_of_nothing_has_its_policy_for_what_is_added_from_outside, Backend, backends) {
    for (const bool collects : {true, false}) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        all.fails_at = 9;
        all.parent_body = [collects](context& ctx, int) -> asio::awaitable<int> {
            const auto options = spawn_options().policy(collects ? children_policy::collect() : children_policy());
            co_await ctx.spawn(twice, std::views::iota(0, 0), options);
            co_await ctx.sleep_for(10s);
            co_return 1;
        };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        all.until(job.id(), task_state::scheduled);
        const auto added = all.result(all.client.submit_under(job.id(), twice, submit_options(), 9));
        all.until(added.id(), task_state::failed);
        on.advance(10s);
        if (collects) BOOST_TEST(all.result(job.result()) == 1);
        else BOOST_TEST(on.error_of(job.result()) == errc::task_failed);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_continuation_receives_the_results_of_thousands, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 100);
    all.parent_body = [](context& ctx, int count) -> asio::awaitable<int> {
        const auto options = spawn_options().policy(children_policy::collect()).then(total);
        co_await ctx.spawn(twice, std::views::iota(0, count), options);
        co_return 0;
    };
    all.begin();
    BOOST_TEST(all.result(all.client.run(parent, 1000)) == 999000);
    BOOST_TEST(all.result(all.client.run(parent, 0)) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_continuation_waits_for_the_last_subtask, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 2;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto options = spawn_options().then(total);
        co_await ctx.spawn(twice, std::views::iota(1, 3), options);
        co_return 0;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::waiting_children);
    on.let_work();
    const auto tree = all.result(all.inspector.tree(job.id()));
    for (const auto& child : tree.node.children) {
        if (child.task.name == "total") BOOST_TEST(child.task.state == task_state::held);
        if (child.task.state == task_state::scheduled) all.result(all.client.signal(child.task.id, "never", 1));
    }
    BOOST_TEST(all.result(job.result()) == 2 + 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(subtasks_may_have_ids_of_their_own_and_be_added_from_outside, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 9;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto mine = co_await ctx.spawn_one(twice, submit_options().id("mine"), 9);
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::waiting_children);
    const auto mine = all.result(all.client.attach(twice, task_id{"q", *all.result(on.broker().find("q", "mine"))}).record());
    BOOST_TEST(mine.parent == to_string(job.id()));
    const auto added = all.result(all.client.submit_under(job.id(), twice, submit_options(), 5));
    BOOST_TEST(all.result(added.result()) == 10);
    BOOST_TEST((all.state(job.id()) == task_state::waiting_children));
    all.result(all.client.signal(mine.id, "never", 1));
    BOOST_TEST(all.result(job.result()) == 1);
    BOOST_TEST(on.error_of(all.client.submit_under(job.id(), twice, submit_options(), 5)) == errc::wrong_state);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_subtask_cannot_have_the_id_of_a_strange_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 9;
    bool is_caught = false;
    all.parent_body = [&is_caught](context& ctx, int) -> asio::awaitable<int> {
        try {
            co_await ctx.spawn_one(twice, submit_options().id("taken"), 1);
        } catch (const error& e) {
            is_caught = e.code() == errc::invalid_argument;
        }
        co_return 1;
    };
    all.begin();
    const auto strange = all.result(all.client.submit(twice, submit_options().id("taken"), 9));
    BOOST_TEST(all.result(all.client.run(parent, 0)) == 1);
    BOOST_TEST(is_caught);
    const auto job = all.result(all.client.submit(parent, submit_options().hold(), 0));
    BOOST_TEST(on.error_of(all.client.submit_under(job.id(), twice, submit_options().id("taken"), 1)) == errc::invalid_argument);
    all.result(job.cancel());
    all.until(strange.id(), task_state::scheduled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parents_that_were_submitted_together_have_children_too, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> {
        const int called = co_await ctx.call(twice, value);
        co_await ctx.spawn(twice, std::views::iota(0, 3));
        co_return called;
    };
    all.begin();
    const auto jobs = all.result(all.client.submit_all(parent, std::views::iota(0, 20)));
    for (std::size_t i = 0; i != jobs.size(); ++i) BOOST_TEST(all.result(jobs[i].result()) == int(2 * i));
    BOOST_TEST(on.counts().succeeded == 20U * 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_that_stops_waits_for_handlers_that_wait, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.hangs_at = 1;
    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> { co_return co_await ctx.call(twice, value); };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 1));
    const auto child = [&] { return all.result(all.inspector.tree(job.id())).node.children; };
    while (child().empty() || child().front().task.state != task_state::scheduled) {
    }
    all.worker.stop();
    BOOST_TEST(on.still_waiting(*all.running));
    BOOST_TEST(all.result(job.cancel()) == effect::requested);
    all.running->get();
    BOOST_TEST((all.state(job.id()) == task_state::cancelled));
    all.until(child().front().task.id, task_state::cancelled);
    all.running.reset();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sleep_and_a_signal_free_the_slot_and_go_on_where_they_were, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0;
    all.flow_body = [&begins](context& ctx) -> asio::awaitable<std::string> {
        ++begins;
        co_await ctx.sleep_for(10s);
        const auto who = co_await ctx.wait_signal<std::string>("approved");
        const auto more = co_await ctx.wait_signal<std::string>("approved", 5s);
        const auto none = co_await ctx.wait_signal<std::string>("other", 5s);
        co_return who + '+' + more.value_or("nobody") + '+' + none.value_or("nobody");
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::scheduled);
    BOOST_TEST(begins == 1);
    on.advance(10s);
    while (begins < 2) on.run(on.broker().counts(q));
    all.until(job.id(), task_state::scheduled);
    all.result(all.client.signal(job.id(), "approved", std::string("ann")));
    while (begins < 3) on.run(on.broker().counts(q));
    all.until(job.id(), task_state::scheduled);
    all.result(all.client.signal(job.id(), "approved", std::string("bob")));
    while (begins < 4) on.run(on.broker().counts(q));
    all.until(job.id(), task_state::scheduled);
    on.advance(5s);
    BOOST_TEST(all.result(job.result()) == "ann+bob+nobody");
    BOOST_TEST(on.error_of(all.client.signal(job.id(), "approved", 1)) == errc::wrong_state);
    BOOST_TEST(all.result(job.record()).attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_that_came_after_its_wait_was_given_up_is_taken_by_the_next, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    int reminders = 0;
    all.flow_body = [&reminders](context& ctx) -> asio::awaitable<std::string> {
        for (;;) {
            const auto word = co_await ctx.wait_signal<std::string>("go", 10s);
            if (word) co_return *word;
            const auto remind = [&] { return ++reminders; };
            co_await ctx.step("remind " + std::to_string(ctx.now().time_since_epoch().count()), remind);
        }
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::scheduled);
    on.advance(10s);
    while (reminders == 0) on.run(on.broker().counts(q));
    all.until(job.id(), task_state::scheduled);
    all.result(all.client.signal(job.id(), "go", std::string("late")));
    BOOST_TEST(all.result(job.result()) == "late");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(signals_and_sleeps_can_be_awaited_together, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.flow_body = [](context& ctx) -> asio::awaitable<std::string> {
        const auto first = co_await ctx.any(ctx.wait_signal<std::string>("yes"), ctx.wait_signal<std::string>("no"), ctx.sleep_for(1h));
        const auto second = co_await ctx.any(ctx.wait_signal<std::string>("never"), ctx.sleep_for(5s));
        const auto yes = co_await ctx.wait_signal<std::string>("yes");  // what lost has taken nothing
        co_return (first.index() == 1 ? std::get<1>(first) : "?") + std::to_string(second.index()) + yes;
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::running);
    all.result(all.client.signal(job.id(), "no", std::string("no")));
    for (int i = 0; i != 100 && all.state(job.id()) == task_state::running; ++i) on.advance(1s);
    BOOST_TEST((all.state(job.id()) == task_state::scheduled));
    all.result(all.client.signal(job.id(), "yes", std::string("yes")));
    BOOST_TEST(all.result(job.result()) == "no1yes");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_caught_failure_is_the_same_one_in_the_next_run, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 2;
    all.fails_at = 3;
    std::vector<std::string> told;
    all.parent_body = [&told](context& ctx, int together) -> asio::awaitable<int> {
        try {
            if (together == 0) co_await ctx.map(twice, std::views::iota(2, 4));
            else co_await ctx.all(ctx.call(twice, 2), ctx.call(twice, 3));
        } catch (const task_failed& e) {
            told.push_back(e.what());
        }
        co_await ctx.sleep_for(10s);
        co_return int(told.size());
    };
    all.begin();
    for (const int together : {0, 1}) {
        told.clear();
        const auto job = all.result(all.client.submit(parent, together));
        all.until(job.id(), task_state::scheduled);
        on.advance(10s);
        BOOST_TEST(all.result(job.result()) == 2);
        BOOST_TEST(told.at(0) == told.at(1));
        all.runs.clear();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_groups_failure_is_the_same_one_though_nothing_was_written_since, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 2;
    all.fails_at = 3;
    std::vector<std::string> told;
    all.parent_body = [&told](context& ctx, int) -> asio::awaitable<int> {
        try {
            co_await ctx.all(ctx.call(twice, 2), ctx.call(twice, 3));
        } catch (const std::exception& e) {
            told.push_back(e.what());
        }
        if (told.size() == 1) throw retry_after(10s);
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::scheduled);
    all.until(all.result(all.inspector.tree(job.id())).node.children.at(0).task.id, task_state::cancelled);
    on.pass(10s);
    for (int i = 0; i != 100 && all.state(job.id()) != task_state::succeeded; ++i) on.advance(100ms);
    BOOST_TEST(all.result(job.result()) == 1);
    BOOST_REQUIRE_EQUAL(told.size(), 2U);
    BOOST_TEST(told[0] == told[1]);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_attempt_does_not_end_by_what_the_one_before_has_cancelled, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 2;
    all.fails_at = 3;
    bool is_spawned = false;
    int attempts = 0;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        if (attempts++ > 0) all.fails_at = all.hangs_at = -1;
        if (is_spawned) co_await ctx.spawn(twice, std::views::iota(2, 4));
        else co_await ctx.map(twice, std::views::iota(2, 4));
        if (is_spawned && attempts == 1) throw std::runtime_error("again");
        co_return 1;
    };
    all.begin();
    for (const bool spawns : {false, true}) {
        is_spawned = spawns;
        attempts = 0;
        all.hangs_at = spawns ? -1 : 2;
        all.fails_at = 3;
        const auto options = submit_options().retry(retry_policy::fixed(0s).attempts(2));
        BOOST_TEST(all.result(all.client.run(parent, options, 0)) == 1);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handle_to_a_spawned_subtask_is_the_same_in_the_next_run, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> {
        const auto child = co_await ctx.spawn_one(twice, submit_options(), value);
        co_await ctx.sleep_for(10s);
        co_return co_await child.result();
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 4));
    all.until(job.id(), task_state::scheduled);
    all.until(all.result(all.inspector.tree(job.id())).node.children.at(0).task.id, task_state::succeeded);
    on.advance(10s);
    BOOST_TEST(all.result(job.result()) == 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_calls_cannot_share_one_subtask, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 1;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto options = submit_options().unique("customer 7");
        co_await ctx.spawn_one(twice, options, 1);
        int refused = 0;
        try {
            co_await ctx.spawn_one(twice, options, 1);
        } catch (const error& e) {
            refused = e.code() == errc::invalid_argument;
        }
        co_return refused;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::waiting_children);
    const auto tree = all.result(all.inspector.tree(job.id()));
    BOOST_REQUIRE_EQUAL(tree.node.children.size(), 1U);
    all.until(tree.node.children[0].task.id, task_state::scheduled);
    all.result(all.client.signal(tree.node.children[0].task.id, "never", 1));
    BOOST_TEST(all.result(job.result()) == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(steps_need_names_of_their_own_and_room, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int which) -> asio::awaitable<int> {
        const auto small = [] { return 1; };
        const auto large = [] { return std::string(max_journal_size, 'x'); };
        co_await ctx.step("a", small);
        if (which == 0) co_await ctx.step("a", small);
        if (which == 1) co_await ctx.step("b", large);
        if (which == 2) co_await ctx.step("", small);
        if (which == 3) co_await ctx.step("~map/1", small);
        if (which == 4) co_await ctx.version("~lost/1", 1);
        co_return 1;
    };
    all.begin();
    const auto code = [&](int which) { return on.error_of(all.client.run(parent, which)); };
    BOOST_TEST(code(0) == errc::invalid_argument);
    BOOST_TEST(code(1) == errc::too_large);
    BOOST_TEST(code(2) == errc::invalid_argument);
    BOOST_TEST(code(3) == errc::invalid_argument);
    BOOST_TEST(code(4) == errc::invalid_argument);
    BOOST_TEST(!code(5));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(several_subtasks_share_no_id_and_no_key, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int which) -> asio::awaitable<int> {
        const auto shared = which % 2 == 0 ? submit_options().id("one") : submit_options().unique("one");
        const auto options = spawn_options().each(shared);
        if (which < 2) co_await ctx.map(twice, shared, std::views::iota(0, 1));
        else co_await ctx.spawn(twice, std::views::iota(0, 1), options);
        co_return 1;
    };
    all.begin();
    for (const int which : {0, 1, 2, 3}) BOOST_TEST(on.error_of(all.client.run(parent, which)) == errc::invalid_argument);
    BOOST_TEST(all.runs.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelling_a_parent_cancels_everything_below, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 1;
    all.parent_body = [](context& ctx, int depth) -> asio::awaitable<int> {
        if (depth == 0) co_return co_await ctx.call(twice, 1);
        co_return co_await ctx.call(parent, depth - 1);
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 2));
    const auto leaf = [&] {
        auto tree = all.result(all.inspector.tree(job.id()));
        auto* node = &tree.node;
        std::size_t depth = 0;
        for (; !node->children.empty(); ++depth) node = &node->children.front();
        return std::pair(depth, node->task.id);
    };
    while (leaf().first < 3) {
    }
    const auto last = leaf().second;
    BOOST_TEST(all.result(all.inspector.tree(last)).ancestors.size() == 3U);
    BOOST_TEST((all.result(all.inspector.tree(last)).ancestors.front().id == job.id()));
    all.until(last, task_state::scheduled);
    all.result(job.cancel());
    BOOST_TEST(on.error_of(job.result()) == errc::cancelled);
    all.until(last, task_state::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_contracts_priority_counts_before_that_of_the_parent, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    static constexpr task<int(int)> ranked{"twice", here().priority(3)};
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        co_await ctx.call(ranked, 1);
        co_await ctx.call(ranked, submit_options().priority(0), 2);
        co_return co_await ctx.call(twice, 3);
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, submit_options().priority(7), 0));
    BOOST_TEST(all.result(job.result()) == 6);
    const auto tree = all.result(all.inspector.tree(job.id()));
    std::vector<int> priorities;
    for (const auto& child : tree.node.children) priorities.push_back(child.task.priority);
    const std::vector<int> expected{3, 0, 7};
    BOOST_TEST(priorities == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_subtask_that_was_added_from_outside_is_waited_for, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 9;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> { co_return co_await ctx.wait_signal<int>("go"); };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::scheduled);
    const auto added = all.result(all.client.submit_under(job.id(), twice, submit_options(), 9));
    all.until(added.id(), task_state::scheduled);
    all.result(all.client.signal(job.id(), "go", 1));
    all.until(job.id(), task_state::waiting_children);
    all.result(all.client.signal(added.id(), "never", 1));
    BOOST_TEST(all.result(job.result()) == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_subtask_is_not_waited_for_where_it_is_spawned_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 9;
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        co_await ctx.spawn(twice, std::views::iota(9, 10));
        co_await ctx.sleep_for(10s);
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    all.until(job.id(), task_state::scheduled);
    on.advance(10s);
    all.until(job.id(), task_state::waiting_children);
    BOOST_TEST(all.runs[9] == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(any_of_coroutines_that_make_a_call_each_has_the_same_winner_and_what_follows_its_place, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    struct own {
        static asio::awaitable<int> sleep(context& ctx) {
            co_await ctx.sleep_for(1h);
            co_return 0;
        }
        static asio::awaitable<int> call(context& ctx, int value) { co_return co_await ctx.call(twice, value); }
    };
    const auto before = [](context& ctx) { return ctx.any(own::sleep(ctx), own::call(ctx, 1), own::sleep(ctx)); };
    const auto behind = [](context& ctx) { return ctx.any(own::call(ctx, 1), own::sleep(ctx), own::sleep(ctx)); };
    const auto mixed = [](context& ctx) { return ctx.any(own::sleep(ctx), ctx.call(twice, 1), own::sleep(ctx)); };
    const std::vector<std::function<asio::awaitable<std::variant<int, int, int>>(context&)>> choices{before, behind, mixed};
    for (std::size_t i = 0; i < choices.size(); ++i) {
        int begins = 0;
        all.parent_body = [&, i](context& ctx, int) -> asio::awaitable<int> {
            ++begins;
            const auto got = co_await choices[i](ctx);
            const int first = std::visit([](int value) { return value; }, got);
            co_await ctx.sleep_for(10s);
            const int second = co_await ctx.call(twice, 50);
            co_await ctx.sleep_for(10s);
            co_return first + second;
        };
        if (i == 0) all.begin();
        const auto job = all.result(all.client.submit(parent, 1));
        for (int pauses = 1; pauses <= 2; ++pauses) {
            all.until(job.id(), task_state::scheduled);
            on.advance(10s);
            while (begins == pauses) on.run(on.broker().counts(q));
        }
        BOOST_TEST(all.result(job.result()) == 102, i);
        BOOST_TEST(begins == 3);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_names_of_losers_are_left_out_where_groups_are_nested, Backend, backends) {
    struct own {
        static asio::awaitable<int> call(context& ctx) { co_return co_await ctx.call(twice, 7); }
        static asio::awaitable<int> job(context& ctx) {
            const auto made = co_await ctx.spawn_one(twice, submit_options(), 7);
            co_return co_await made.result();
        }
    };
    const std::vector<std::function<asio::awaitable<void>(context&)>> choices{
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.any(ctx.all(own::call(ctx), own::call(ctx)), ctx.sleep_for(10s)); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.any(ctx.any(own::call(ctx), own::call(ctx)), ctx.sleep_for(10s)); },
        [](context& ctx) -> asio::awaitable<void> {
            co_await ctx.any(ctx.all(own::call(ctx), ctx.any(own::call(ctx), own::call(ctx))), ctx.sleep_for(10s));
        },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.any(own::job(ctx), ctx.sleep_for(10s)); },
    };
    for (std::size_t i = 0; i < choices.size(); ++i) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        all.hangs_at = 7;
        int begins = 0;
        all.parent_body = [&, i](context& ctx, int) -> asio::awaitable<int> {
            ++begins;
            co_await choices[i](ctx);
            co_await ctx.sleep_for(10s);
            const int second = co_await ctx.call(twice, 50);
            co_await ctx.sleep_for(10s);
            co_return second;
        };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 1));
        on.let_work();
        on.pass(10s);
        for (int pauses = 1; pauses <= 2; ++pauses) {
            all.until(job.id(), task_state::scheduled);
            on.advance(10s);
            while (begins == pauses) on.run(on.broker().counts(q));
        }
        all.end_what_hangs(job.id());
        BOOST_TEST(all.result(job.result()) == 100, i);
        BOOST_TEST(begins == 3);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_that_has_lost_against_another_call_loses_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    using namespace asio::experimental::awaitable_operators;
    int asked = 0, runs = 0;
    std::vector<std::size_t> winners;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        ++runs;
        const auto ask = [&]() -> asio::awaitable<int> {
            if (asked++ > 0) co_return 7;
            asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
            co_await timer.async_wait(asio::use_awaitable);
            co_return 0;
        };
        const auto nothing = [] {};
        const auto patience = [&]() -> asio::awaitable<void> {  // takes longer to find than the step takes to be called
            for (const auto* name : {"a", "b", "c", "d", "e"}) co_await ctx.step(name, nothing);
            co_await ctx.sleep_for(10s);
        };
        const auto first = co_await (ctx.step("ask", ask) || patience());
        winners.push_back(first.index());
        if (first.index() == 1) co_await ctx.sleep_for(60s);
        co_return co_await ctx.call(twice, 4);
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 0));
    while (asked == 0) on.let_work();
    while (runs < 2) on.pass(10s);
    on.pass(60s);
    BOOST_TEST(all.result(job.result()) == 8);
    for (const auto winner : winners) BOOST_TEST(winner == 1U);
    BOOST_TEST(asked == 1);
}

/// Never ends by itself.
asio::awaitable<int> hang() {
    asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
    co_await timer.async_wait(asio::use_awaitable);
    co_return 0;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_loses_again_though_its_attempt_had_written_nothing_before_it_paused, Backend, backends) {
    using namespace asio::experimental::awaitable_operators;
    using made = std::function<asio::awaitable<void>(context&, clock&)>;
    const std::vector<made> timers{
        [](context& ctx, clock&) { return ctx.sleep_for(500ms); },
        [](context&, clock& time) { return detail::sleep_for(time, 500ms); },
    };
    for (std::size_t i = 0; i < timers.size(); ++i) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        int asked = 0;
        std::vector<std::size_t> winners;
        all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
            const auto ask = [&]() -> asio::awaitable<int> {
                if (asked++ > 0) co_return 7;
                co_return co_await hang();
            };
            const auto first = co_await (ctx.step("ask", ask) || timers[i](ctx, on.broker().clock()));
            winners.push_back(first.index());
            co_await ctx.sleep_for(60s);
            co_return 1;
        };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        while (asked == 0) on.let_work();
        while (winners.empty()) on.pass(500ms);
        all.until(job.id(), task_state::scheduled);
        on.pass(60s);
        while (winners.size() < 2) on.pass(500ms);
        BOOST_TEST(all.result(job.result()) == 1);
        for (const auto winner : winners) BOOST_TEST(winner == 1U, i);
        BOOST_TEST(asked == 1, i);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_steps_failure_beside_others_is_the_same_one_in_the_next_run, Backend, backends) {
    using namespace asio::experimental::awaitable_operators;
    using made = std::function<asio::awaitable<void>(context&, asio::awaitable<void>)>;
    const auto slow = [](context& ctx) -> asio::awaitable<void> {
        const auto reserve = [] { return hang(); };
        co_await (ctx.step("reserve", reserve) || ctx.sleep_for(1h));
    };
    const std::vector<made> choices{
        [](context& ctx, asio::awaitable<void> charge) -> asio::awaitable<void> {
            const auto reserve = [] { return hang(); };
            co_await ctx.all(ctx.step("reserve", reserve), std::move(charge));
        },
        [](context& ctx, asio::awaitable<void> charge) -> asio::awaitable<void> {
            co_await ctx.all(ctx.sleep_for(1h), std::move(charge));
        },
        [&slow](context& ctx, asio::awaitable<void> charge) -> asio::awaitable<void> {
            co_await ctx.all(slow(ctx), std::move(charge));
        },
    };
    for (std::size_t i = 0; i < choices.size(); ++i) {
        fixture on(std::make_unique<Backend>());
        site all(on);
        std::vector<std::string> told;
        all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
            const auto decline = [&]() -> asio::awaitable<void> {
                co_await detail::sleep_for(on.broker().clock(), 1s);
                throw std::runtime_error("declined");
            };
            try {
                co_await choices[i](ctx, ctx.step("charge", decline));
            } catch (const std::exception& e) {
                told.push_back(e.what());
            }
            co_await ctx.sleep_for(60s);
            co_return 1;
        };
        all.begin();
        const auto job = all.result(all.client.submit(parent, 0));
        on.let_work();
        while (told.empty()) on.pass(500ms);
        all.until(job.id(), task_state::scheduled);
        on.pass(60s);
        while (told.size() < 2) on.pass(500ms);
        BOOST_TEST(all.result(job.result()) == 1);
        for (const auto& what : told) BOOST_TEST(what == "declined", i << ' ' << what);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_that_calls_its_context_is_refused_and_one_with_names_of_its_own_is_not, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    using made = std::function<asio::awaitable<void>(context&)>;
    const std::vector<made> calls{
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.call(twice, 1); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.map(note, std::views::iota(0, 2)); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.spawn(note, std::views::iota(0, 2)); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.sleep_for(10s); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.wait_signal<int>("go"); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.any(ctx.call_as("a", twice, submit_options(), 1)); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.all(ctx.call(twice, 1)); },
        [](context& ctx) -> asio::awaitable<void> { co_await ctx.spawn_one(twice, submit_options(), 1); },
    };
    all.parent_body = [&](context& ctx, int which) -> asio::awaitable<int> {
        const auto& call = calls.at(static_cast<std::size_t>(which));
        const auto step = [&] { return call(ctx); };
        co_await ctx.step("step", step);
        co_return 1;
    };
    all.begin();
    for (int i = 0; i < static_cast<int>(calls.size()); ++i) {
        BOOST_TEST(on.error_of(all.client.run(parent, i)) == errc::invalid_argument, i);
    }
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto step = [&]() -> asio::awaitable<void> { co_await ctx.call(twice, 1); };
        const auto beside = [] {};
        co_await ctx.all(ctx.step("one", step), ctx.step("other", beside));
        co_return 1;
    };
    BOOST_TEST(on.error_of(all.client.run(parent, 0)) == errc::invalid_argument);
    BOOST_TEST(all.runs.empty());

    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> {
        const auto inner = [] { return 3; };
        const auto outer = [&]() -> asio::awaitable<int> {
            const int a = co_await ctx.call_as("named", twice, submit_options(), value);
            const int b = co_await ctx.step("inner", inner);
            co_return a + b;
        };
        const int got = co_await ctx.step("outer", outer);
        const int more = co_await ctx.call(twice, 100);
        co_await ctx.sleep_for(0s);
        co_return got + more;
    };
    BOOST_TEST(all.result(all.client.run(parent, 5)) == 213);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
