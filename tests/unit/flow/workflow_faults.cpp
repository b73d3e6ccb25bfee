#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <map>
#include <ranges>
#include <vector>

using namespace test::flow;

namespace flow_workflow_faults {

using namespace boost::asio::experimental::awaitable_operators;

/// An embedded broker, some of whose calls fail as often as the test says.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<std::vector<taskflux::submitted>> submit(std::string queue, std::vector<taskflux::new_task> tasks) override {
        if (tasks.front().parent) fail("submit");
        submits += tasks.front().parent.has_value();
        co_return co_await memory_broker::submit(std::move(queue), std::move(tasks));
    }

    awaitable<taskflux::journal_written> write_journal(taskflux::task_id id, taskflux::journal_write what) override {
        ++writes;
        fail("write");
        co_return co_await memory_broker::write_journal(std::move(id), std::move(what));
    }

    awaitable<taskflux::journal_page> journal(taskflux::task_id id, taskflux::journal_query query) override {
        fail("read");
        co_return co_await memory_broker::journal(std::move(id), std::move(query));
    }

    awaitable<std::optional<taskflux::task_outcome>> wait(taskflux::task_id id, taskflux::duration wait) override {
        fail("wait");
        if (late_wait) co_await late_wait->pass();
        co_return co_await memory_broker::wait(std::move(id), wait);
    }

    awaitable<std::vector<effect>> cancel(std::string queue, std::vector<taskflux::task_key> keys) override {
        ++cancels;
        co_return co_await memory_broker::cancel(std::move(queue), std::move(keys));
    }

    void fail(const std::string& call) {
        auto& left = failing[call];
        if (left == 0) return;
        --left;
        if (foreign) throw boost::system::system_error(foreign, "elsewhere");
        throw taskflux::error(reason, "not now");
    }

    errc reason = errc::unavailable;
    boost::system::error_code foreign;  // in its place
    std::map<std::string, int> failing;
    gate* late_wait = nullptr;
    int writes = 0;                // of journals
    int cancels = 0, submits = 0;  // of subtasks
};

inline constexpr taskflux::task<int(int)> parent{"parent"};

struct workflow_fixture : fixture {
    workflow_fixture() {
        broker = faulty;
        client = taskflux::client(broker);
        w.emplace(broker, options());
        w->on(twice, [](int x) { return 2 * x; });
        w->on(note, [this](int) { ++notes; });
    }

    /// Nothing ends it, but a cancel.
    void make_twice_hang() {
        w.emplace(broker, options());
        w->on(twice, [](context& ctx, int) -> asio::awaitable<int> { co_return co_await ctx.wait_signal<int>("never"); });
    }

    task_state state(const job<int>& of) { return now(of.status()); }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
    std::optional<worker> w;
    int begins = 0, caught = 0, notes = 0;
};

}  // namespace flow_workflow_faults

BOOST_FIXTURE_TEST_SUITE(flow_workflow_faults, workflow_fixture)

// It is away, or something is in the way of a queue, as a foreign key of another type on Redis is.
BOOST_DATA_TEST_CASE(a_broker_that_is_away_costs_a_workflow_no_attempt,
                     boost::unit_test::data::make({errc::unavailable, errc::protocol}), reason) {
    faulty->reason = reason;
    w->on(parent, [this](context& ctx, int which) -> asio::awaitable<int> {
        ++begins;
        int sum = 0;
        const auto one = [] { return 1; };
        try {
            co_await ctx.step("before", one);
            if (which == 0) sum = co_await ctx.call(twice, 21);
            if (which == 1) {
                for (const int x : co_await ctx.map(twice, std::views::iota(0, 7))) sum += x;
            }
            if (which == 2) co_await ctx.map(note, std::views::iota(0, 7));
            if (which == 3) co_await ctx.spawn(twice, std::views::iota(0, 7));
            if (which == 4) sum = co_await ctx.step("count", one);
        } catch (...) {
            ++caught;
        }
        co_return sum;
    });
    const auto life = start(w->run());
    for (const std::string call : {"submit", "write", "read", "wait"}) {
        for (const int which : {0, 1, 2, 3, 4}) {
            BOOST_TEST_CONTEXT(call << ' ' << which) {
                begins = caught = 0;
                const auto held = now(client.submit(parent, submit_options().hold(), which));
                faulty->failing[call] = 1;
                now(held.start());
                settle();
                const bool was_met = faulty->failing[call] == 0;
                faulty->failing[call] = 0;
                if (was_met) BOOST_TEST((state(held) == task_state::scheduled));
                BOOST_TEST(now(held.record()).log.size() == (was_met && reason == errc::protocol ? 1U : 0U));
                advance(1s);
                BOOST_TEST(begins == (was_met ? 2 : 1));
                BOOST_TEST(caught == 0);
                BOOST_TEST(now(held.result()) == (which < 2 ? 42 : which == 4 ? 1 : 0));
                BOOST_TEST(now(held.record()).attempts == 1U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_broker_that_is_away_for_a_call_beside_others_ends_the_attempt_whatever_its_handler_returns) {
    w->on(parent, [this](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        int got = 0;
        try {
            const auto [a, b] = co_await ctx.all(ctx.call(twice, 1), ctx.call(twice, 2));
            got = a + b;
        } catch (...) {
            ++caught;
        }
        co_return got;
    });
    const auto life = start(w->run());
    for (const std::string call : {"submit", "wait"}) {
        begins = caught = 0;
        faulty->failing[call] = 1;
        const auto one = now(client.submit(parent, 0));
        settle();
        BOOST_TEST((state(one) == task_state::scheduled), call);
        advance(1s);
        BOOST_TEST(now(one.result()) == 6, call);
        BOOST_TEST(begins == 2, call);
        BOOST_TEST(caught == 1, call);
        BOOST_TEST(faulty->cancels == 0, call);
    }
}

BOOST_AUTO_TEST_CASE(an_attempt_that_has_departed_beside_others_waits_for_nothing_else) {
    gate closed{here};
    w->on(parent, [&](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        try {
            co_await ctx.all(ctx.call(twice, 1), ctx.call(twice, 2));
        } catch (...) {
            ++caught;
        }
        if (caught == begins) co_await closed.pass();
        co_return 6;
    });
    const auto life = start(w->run());
    faulty->failing["submit"] = 1;
    const auto one = now(client.submit(parent, 0));
    settle();
    BOOST_TEST(caught == 1);
    BOOST_TEST(closed.waiting == 0);
    BOOST_TEST((state(one) == task_state::scheduled));
    advance(1s);
    BOOST_TEST(now(one.result()) == 6);
}

BOOST_DATA_TEST_CASE(an_attempt_that_has_departed_beside_others_makes_no_more_calls, boost::unit_test::data::make({false, true}),
                     begins_with_a_step) {
    w->on(parent, [this, begins_with_a_step](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        bool has_failed = false;
        try {
            co_await (ctx.call(twice, 1) && ctx.call(twice, 2));
        } catch (...) {
            has_failed = true;
        }
        if (has_failed) {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await asio::this_coro::throw_if_cancelled(false);
            const auto refund = [this] { ++notes; };
            if (begins_with_a_step) co_await ctx.step("refund", refund);
            co_await ctx.call(note, 1);  // compensates
            ++caught;
        }
        co_return 6;
    });
    const auto life = start(w->run());
    faulty->failing["submit"] = 1;
    const auto one = now(client.submit(parent, 0));
    settle();
    advance(1s);
    BOOST_TEST(now(one.result()) == 6);
    BOOST_TEST(begins == 2);
    BOOST_TEST(caught == 0);
    BOOST_TEST(notes == 0);
}

// Whether it has prepared its call before or not.
BOOST_DATA_TEST_CASE(a_handler_that_its_worker_no_longer_waits_for_makes_no_more_calls,
                     boost::unit_test::data::make({false, true}) * boost::unit_test::data::make({0, 1, 2}), is_prepared, which) {
    w.emplace(broker, options().drain_for(10s).unwind_for(5s));
    gate closed{here};
    w->on(parent, [&](context& ctx, int) -> asio::awaitable<int> {
        const auto step = [this] { ++notes; };
        const auto make = [&]() -> asio::awaitable<void> {
            if (which == 0) return ctx.step("step", step);
            if (which == 1) return ctx.call(note, 1);
            return ctx.sleep_for(500ms);
        };
        std::optional<asio::awaitable<void>> call;
        if (is_prepared) call.emplace(make());
        co_await closed.pass_stubbornly();
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        ++begins;
        if (!is_prepared) call.emplace(make());
        co_await std::move(*call);
        ++caught;
        co_return 1;
    });
    const auto life = start(w->run());
    const auto one = now(client.submit(parent, 0));
    settle();
    BOOST_TEST(closed.waiting == 1);
    w->stop();
    settle();
    advance(10s);
    BOOST_TEST(!life->done);
    closed.open();  // while the worker lets it unwind
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST((state(one) == task_state::waiting));
    BOOST_TEST(begins == 1);
    BOOST_TEST(caught == 0);
    BOOST_TEST(notes == 0);
    BOOST_TEST(faulty->submits == 0);
}

BOOST_AUTO_TEST_CASE(a_map_submits_half_a_window_at_a_time) {
    w->on(parent, [](context& ctx, int count) -> asio::awaitable<int> {
        const auto all = co_await ctx.map(twice, std::views::iota(0, count), taskflux::window(8));
        co_return static_cast<int>(all.size());
    });
    const auto life = start(w->run());
    BOOST_TEST(now(client.run(parent, 64)) == 64);
    BOOST_TEST(faulty->submits == 1 + (64 - 8) / 4);
}

BOOST_AUTO_TEST_CASE(a_subtask_that_cannot_be_stored_is_none) {
    w->on(parent, [this](context& ctx, int) -> asio::awaitable<int> {
        try {
            co_await ctx.spawn_one(twice, submit_options(), 1);
        } catch (const taskflux::error& e) {
            caught += e.code() == errc::queue_full;
        }
        co_return 1;
    });
    const auto life = start(w->run());
    faulty->reason = errc::queue_full;
    faulty->failing["submit"] = 1;
    const auto one = now(client.submit(parent, 0));
    settle();
    BOOST_TEST(caught == 1);
    BOOST_TEST(now(one.result()) == 1);  // it waits for none
}

BOOST_AUTO_TEST_CASE(the_end_of_a_subtask_that_is_not_kept_is_in_the_journal) {
    w->on(parent, [](context& ctx, int x) -> asio::awaitable<int> {
        co_return co_await ctx.call(twice, submit_options().retention(0s), x);
    });
    const auto life = start(w->run());
    gate late{here};
    faulty->late_wait = &late;
    const auto one = now(client.submit(parent, 21));
    settle();
    BOOST_TEST(late.waiting == 1);
    BOOST_TEST(counts().succeeded == 0U);
    BOOST_TEST(counts().running == 1U);  // the parent: the subtask has ended and is gone
    faulty->late_wait = nullptr;
    late.open();
    settle();
    advance(1s);
    BOOST_TEST(now(one.result()) == 42);
}

BOOST_AUTO_TEST_CASE(what_a_handler_cannot_reach_itself_is_its_failure) {
    w->on(parent, [](context& ctx, int) -> asio::awaitable<int> {
        const auto step = []() -> int { throw taskflux::error(errc::unavailable, "its own server"); };
        co_return co_await ctx.step("reach", step);
    });
    const auto life = start(w->run());
    const auto one = now(client.submit(parent, 0));
    settle();
    BOOST_TEST((state(one) == task_state::failed));
}

BOOST_AUTO_TEST_CASE(an_error_of_another_category_is_a_failure_of_the_call_whatever_its_number) {
    w->on(parent, [](context& ctx, int) -> asio::awaitable<int> { co_return co_await ctx.call(twice, 1); });
    const auto life = start(w->run());
    for (const auto code : {errc::lease_lost, errc::shut_down, errc::unavailable}) {
        faulty->foreign.assign(static_cast<int>(code), boost::system::generic_category());
        faulty->failing["write"] = 1;
        const auto one = now(client.submit(parent, 0));
        settle();
        BOOST_TEST((state(one) == task_state::failed));
        BOOST_TEST(start(one.result())->what().find("elsewhere") != std::string::npos);
    }
}

BOOST_DATA_TEST_CASE(an_attempt_that_is_no_longer_the_tasks_ends_in_silence,
                     boost::unit_test::data::make({errc::lease_lost, errc::wrong_state, errc::not_found}), reason) {
    w->on(parent, [this](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        try {
            co_await ctx.call(twice, 1);
        } catch (...) {
            ++caught;
        }
        co_return 1;
    });
    const auto life = start(w->run());
    faulty->reason = reason;
    faulty->failing["write"] = 1;
    const auto one = now(client.submit(parent, 0));
    settle();
    BOOST_TEST(begins == 1);
    BOOST_TEST(caught == 0);
    BOOST_TEST((state(one) == task_state::running));  // for this broker it is still the worker's
    BOOST_TEST(w->counts().running == 0U);
}

BOOST_AUTO_TEST_CASE(an_attempt_whose_lease_was_lost_cancels_no_subtask_of_the_next_one) {
    make_twice_hang();
    w->on(parent, [this](context& ctx, int) -> asio::awaitable<int> {
        const auto first = co_await (ctx.call(twice, 1) || ctx.sleep_for(5s));
        caught = static_cast<int>(first.index());
        co_return caught;
    });
    const auto life = start(w->run());
    const auto lost = now(client.submit(parent, 0));
    settle();
    faulty->reason = errc::lease_lost;
    faulty->failing["write"] = 1;
    advance(5s);
    BOOST_TEST(caught == 1);
    BOOST_TEST(faulty->cancels == 0);
    const auto kept = now(client.submit(parent, 0));
    settle();
    advance(5s);
    BOOST_TEST(faulty->cancels == 1);
}

BOOST_AUTO_TEST_CASE(a_subtask_that_was_cancelled_for_another_attempt_is_no_failure_of_this_one) {
    make_twice_hang();
    w->on(parent, [this](context& ctx, int) -> asio::awaitable<int> {
        try {
            co_await ctx.call(twice, 1);
        } catch (...) {
            ++caught;
        }
        co_return 1;
    });
    const auto life = start(w->run());
    const auto cancel_child = [&](const job<int>& of) {
        const auto child = now(broker->find("default", to_string(of.id()) + "/1"));
        BOOST_REQUIRE(child.has_value());
        now(broker->cancel("default", {*child}));
        settle();
    };
    const auto lost = now(client.submit(parent, 0));
    settle();
    faulty->reason = errc::lease_lost;
    faulty->failing["write"] = 1;
    cancel_child(lost);
    BOOST_TEST(caught == 0);
    BOOST_TEST((state(lost) == task_state::running));
    faulty->failing["write"] = 0;
    const auto kept = now(client.submit(parent, 0));
    settle();
    cancel_child(kept);
    BOOST_TEST(caught == 1);
    BOOST_TEST(now(kept.result()) == 1);
}

BOOST_AUTO_TEST_CASE(steps_that_the_journal_has_write_nothing) {
    std::vector<int> writes;
    w->on(parent, [&](context& ctx, int) -> asio::awaitable<int> {
        const int before = faulty->writes;
        const auto one = [] { return 1; };
        for (const auto* name : {"a", "b", "c"}) co_await ctx.step(name, one);
        writes.push_back(faulty->writes - before);
        co_await ctx.sleep_for(60s);
        co_return 1;
    });
    const auto life = start(w->run());
    const auto job = now(client.submit(parent, 0));
    settle();
    advance(60s);
    BOOST_TEST(now(job.result()) == 1);
    BOOST_TEST(writes == std::vector<int>({3, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_version_is_that_of_before_where_only_a_step_that_has_lost_tells) {
    std::vector<unsigned> versions;
    w->on(parent, [&](context& ctx, int) -> asio::awaitable<int> {
        if (begins++ > 0) versions.push_back(co_await ctx.version("inserted", 1));
        const auto ask = []() -> asio::awaitable<void> {
            asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
            co_await timer.async_wait(asio::use_awaitable);
        };
        co_await (ctx.step("ask", ask) || taskflux::detail::sleep_for(time, 500ms));
        co_await ctx.version("other", 1);  // writes that the step has lost
        if (begins == 1) faulty->failing["write"] = 1;
        const auto one = [] { return 1; };
        co_return co_await ctx.step("never written", one);
    });
    const auto life = start(w->run());
    const auto job = now(client.submit(parent, 0));
    settle();
    advance(500ms);
    BOOST_TEST((state(job) == task_state::scheduled));
    pass(3s, 100ms);
    BOOST_TEST(now(job.result()) == 1);
    BOOST_TEST(begins == 2);
    BOOST_TEST(versions == std::vector<unsigned>({0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
