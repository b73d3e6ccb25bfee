#include <conformance/workflow_site.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include <ranges>
#include <vector>

namespace taskflux::conformance {

namespace conformance_pauses {

using namespace asio::experimental::awaitable_operators;
using word = std::string;

/// Notes that it was destroyed.
struct local {
    local(std::vector<word>& all, word n) : told(all), name(std::move(n)) {}
    local(const local&) = delete;
    local& operator=(const local&) = delete;
    ~local() { told.push_back(name); }

    std::vector<word>& told;
    word name;
};

/// Runs the handler until it has paused that often.
void until_begun(fixture& on, const int& begins, int wanted) {
    while (begins < wanted) on.run(on.broker().counts(q));
}

}  // namespace conformance_pauses

BOOST_AUTO_TEST_SUITE(conformance_pauses)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_catches_everything_does_not_see_a_pause, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0, reserved = 0, caught = 0;
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        ++begins;
        const auto reserve = [&] { return ++reserved; };
        bool has_failed = false;
        int got = 0;
        try {
            co_await ctx.step("reserve", reserve);
            got = co_await ctx.wait_signal<int>("paid");
        } catch (...) {
            has_failed = true;
        }
        caught += has_failed;
        if (has_failed) co_await ctx.call(twice, value);  // compensates
        co_return got;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 5));
    all.until(job.id(), task_state::scheduled);
    on.let_work();
    BOOST_TEST((all.state(job.id()) == task_state::scheduled));
    BOOST_TEST(begins == 1);
    all.result(all.client.signal(job.id(), "paid", 42));
    BOOST_TEST(all.result(job.result()) == 42);
    BOOST_TEST(begins == 2);
    BOOST_TEST(reserved == 1);
    BOOST_TEST(caught == 0);
    BOOST_TEST(all.runs.empty());
    BOOST_TEST(all.result(job.record()).attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_loop_that_ignores_errors_sleeps_all_the_same, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0, ignored = 0;
    all.parent_body = [&](context& ctx, int times) -> asio::awaitable<int> {
        ++begins;
        for (int i = 0; i != times; ++i) {
            try {
                co_await ctx.sleep_for(10s);
            } catch (...) {
                ++ignored;
            }
        }
        co_return ignored;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 3));
    for (int i = 1; i <= 3; ++i) {
        all.until(job.id(), task_state::scheduled);
        BOOST_TEST(begins == i);
        on.advance(10s);
        until_begun(on, begins, i + 1);
    }
    BOOST_TEST(all.result(job.result()) == 0);
    BOOST_TEST(begins == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pause_destroys_the_locals_of_all_coroutines_from_the_innermost_on, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    std::vector<word> told;
    struct inner {
        static asio::awaitable<word> wait(context& ctx, std::vector<word>& all) {
            const local here(all, "inner");
            try {
                co_return co_await ctx.wait_signal<word>("go");
            } catch (...) {
                all.push_back("caught inside");
                throw;
            }
        }
        static asio::awaitable<word> middle(context& ctx, std::vector<word>& all) {
            const local here(all, "middle");
            try {
                co_return co_await wait(ctx, all);
            } catch (...) {
                all.push_back("caught");
            }
            co_return "";
        }
    };
    all.flow_body = [&told](context& ctx) -> asio::awaitable<word> {
        const local here(told, "outer");
        co_return co_await inner::middle(ctx, told);
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::scheduled);
    const std::vector<word> once{"inner", "middle", "outer"};
    BOOST_TEST(told == once, boost::test_tools::per_element());
    all.result(all.client.signal(job.id(), "go", word("on")));
    BOOST_TEST(all.result(job.result()) == "on");
    BOOST_TEST(told.size() == 6U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_that_loses_against_a_timer_leaves_its_signal_to_the_next, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0;
    all.flow_body = [&begins](context& ctx) -> asio::awaitable<word> {
        ++begins;
        const auto first = co_await (ctx.wait_signal<word>("go") || ctx.sleep_for(5s));
        const auto got = first.index() == 0 ? std::get<0>(first) : word("late");
        const auto second = co_await ctx.wait_signal<word>("go");
        co_return got + '+' + second;
    };
    all.begin();
    const auto late = all.result(all.client.submit(flow));
    all.until(late.id(), task_state::running);
    on.let_work();
    BOOST_TEST(begins == 1);
    for (int i = 0; i != 100 && all.state(late.id()) == task_state::running; ++i) on.advance(1s);
    BOOST_TEST((all.state(late.id()) == task_state::scheduled));
    all.result(all.client.signal(late.id(), "go", word("a")));
    BOOST_TEST(all.result(late.result()) == "late+a");

    const auto early = all.result(all.client.submit(flow, submit_options().hold()));
    all.result(all.client.signal(early.id(), "go", word("a")));
    all.result(all.client.signal(early.id(), "go", word("b")));
    all.result(early.start());
    BOOST_TEST(all.result(early.result()) == "a+b");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_waits_of_which_one_is_enough_the_loser_takes_no_signal, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    bool is_plain = false;
    all.flow_body = [&is_plain](context& ctx) -> asio::awaitable<word> {
        auto a = ctx.wait_signal<word>("a");
        auto b = ctx.wait_signal<word>("b");
        std::size_t first = 0;
        if (is_plain) {
            const auto got = co_await (std::move(a) || std::move(b));
            first = got.index();
        } else {
            const auto got = co_await ctx.any(std::move(a), std::move(b));
            first = got.index();
        }
        const auto other = co_await ctx.wait_signal<word>(first == 0 ? "b" : "a");
        co_return std::to_string(first) + other;
    };
    all.begin();
    for (const bool plain : {false, true}) {
        is_plain = plain;
        const auto job = all.result(all.client.submit(flow, submit_options().hold()));
        all.result(all.client.signal(job.id(), "b", word("B")));
        all.result(all.client.signal(job.id(), "a", word("A")));
        all.result(job.start());
        const auto result = all.result(job.result());
        BOOST_TEST((result == "0B" || result == "1A"), result);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_lost_loses_again_in_the_next_run, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.hangs_at = 7;
    int begins = 0;
    all.flow_body = [&begins](context& ctx) -> asio::awaitable<word> {
        ++begins;
        const auto first = co_await (ctx.sleep_for(20s) || ctx.sleep_for(5s));
        const auto second = co_await (ctx.call(twice, 7) || ctx.sleep_for(5s));
        co_await ctx.sleep_for(100s);
        co_return std::to_string(first.index()) + std::to_string(second.index());
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::running);
    for (int i = 0; i != 100 && all.state(job.id()) == task_state::running; ++i) on.pass(1s);
    BOOST_TEST((all.state(job.id()) == task_state::scheduled));
    on.advance(100s);
    BOOST_TEST(all.result(job.result()) == "11");
    BOOST_TEST(begins == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_lost_in_a_failed_attempt_may_win_in_the_next_one, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.hangs_at = 2;
    all.fails_at = 3;
    int begins = 0;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        if (++begins == 2) all.hangs_at = all.fails_at = -1;
        std::exception_ptr failure;
        try {
            const auto [a, b] = co_await ctx.all(ctx.call_as("a", twice, submit_options(), 2), ctx.call_as("b", twice, submit_options(), 3));
            co_return a + b;
        } catch (const task_failed&) {
            failure = std::current_exception();
        }
        const auto noted = [] { return 1; };
        co_await ctx.step("noted", noted);  // and with it, which one has lost
        std::rethrow_exception(failure);
    };
    all.begin();
    const auto options = submit_options().retry(retry_policy::fixed(0s).attempts(2));
    BOOST_TEST(all.result(all.client.run(parent, options, 0)) == 10);
    BOOST_TEST(begins == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_waits_that_are_both_needed_get_both_signals, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.flow_body = [](context& ctx) -> asio::awaitable<word> {
        const auto [a, b] = co_await (ctx.wait_signal<word>("a") && ctx.wait_signal<word>("b"));
        const auto [c, d] = co_await ctx.all(ctx.wait_signal<word>("a"), ctx.wait_signal<word>("a"));
        co_return a + b + (c < d ? c + d : d + c);
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::running);
    const auto send = [&](const char* name, const char* value) {
        all.result(all.client.signal(job.id(), name, word(value)));
        on.pass(1s);
    };
    send("b", "B");
    send("a", "A");
    send("a", "1");
    send("a", "2");
    for (int i = 0; i != 100 && all.state(job.id()) == task_state::running; ++i) on.advance(1s);
    BOOST_TEST(all.result(job.result()) == "AB12");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_in_a_coroutine_that_the_handler_has_spawned_stays_in_memory, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0, caught = 0;
    all.flow_body = [&](context& ctx) -> asio::awaitable<word> {
        ++begins;
        const auto executor = co_await asio::this_coro::executor;
        word got;
        try {
            auto waiting = asio::co_spawn(executor, ctx.wait_signal<word>("go"), asio::deferred);
            got = co_await std::move(waiting);
        } catch (...) {
            ++caught;
        }
        co_return got;
    };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::running);
    on.let_work();
    BOOST_TEST((all.state(job.id()) == task_state::running));
    all.result(all.client.signal(job.id(), "go", word("on")));
    for (int i = 0; i != 100 && all.state(job.id()) == task_state::running; ++i) on.advance(1s);
    BOOST_TEST(all.result(job.result()) == "on");
    BOOST_TEST(begins == 1);
    BOOST_TEST(caught == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_end_of_a_worker_is_no_failure_of_what_its_handlers_wait_for, Backend, backends) {
    enum { calls, maps, waits, sleeps };
    for (const int kind : {calls, maps, waits, sleeps}) {
        fixture on(std::make_unique<Backend>());
        int caught = 0, begins = 0;
        const auto body = [&](context& ctx, int which) -> asio::awaitable<int> {
            ++begins;
            try {
                if (which == calls) co_await ctx.call(twice, 7);
                if (which == maps) co_await ctx.map(twice, std::views::iota(7, 9));
                if (which == waits) co_await (ctx.wait_signal<int>("go") || ctx.sleep_for(1h));
                if (which == sleeps) co_await ctx.sleep_for(900ms);
            } catch (...) {
                ++caught;
            }
            co_return 1;
        };
        std::optional<job<int>> job;
        {
            site first(on, 4);
            first.hangs_at = 7;
            first.parent_body = body;
            first.begin();
            job = first.result(first.client.submit(parent, kind));
            first.until(job->id(), task_state::running);
            on.let_work();
            BOOST_TEST(begins == 1);
            first.worker.stop_now();
        }
        const auto known = on.run(on.broker().get(job->id()));
        BOOST_TEST((known && known->state == task_state::waiting), kind << ": " << (known ? known->result : ""));
        if (kind != waits) BOOST_TEST(caught == 0, kind);  // beside others a call ends as they do
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_slot_whose_handlers_pause_serves_the_next_ones, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 2);
    all.parent_body = [](context& ctx, int value) -> asio::awaitable<int> {
        co_await ctx.sleep_for(10s);
        co_await ctx.sleep_for(10s);
        co_return value;
    };
    all.begin();
    const auto jobs = all.result(all.client.submit_all(parent, std::views::iota(0, 50)));
    for (int i = 0; i != 2; ++i) {
        for (const auto& one : jobs) all.until(one.id(), task_state::scheduled);
        on.advance(10s);
        on.let_work();
    }
    for (std::size_t i = 0; i != jobs.size(); ++i) BOOST_TEST(all.result(jobs[i].result()) == int(i));
    BOOST_TEST(all.result(all.client.run(twice, 4)) == 8);
    const auto counts = all.worker.counts();
    BOOST_TEST(counts.running == 0U);
    BOOST_TEST(counts.retried == 100U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_task_ends_though_its_handler_pauses, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.flow_body = [](context& ctx) -> asio::awaitable<word> { co_return co_await ctx.wait_signal<word>("never"); };
    all.begin();
    const auto job = all.result(all.client.submit(flow));
    all.until(job.id(), task_state::scheduled);
    all.result(job.cancel());
    BOOST_TEST(on.error_of(job.result()) == errc::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sleep_of_a_second_pauses_and_a_shorter_one_does_not, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    all.parent_body = [](context& ctx, int length) -> asio::awaitable<int> {
        co_await ctx.sleep_for(std::chrono::milliseconds(length));
        co_return 1;
    };
    all.begin();
    const auto second = all.result(all.client.submit(parent, 1000));
    all.until(second.id(), task_state::scheduled);
    const auto shorter = all.result(all.client.submit(parent, 999));
    all.until(shorter.id(), task_state::running);
    on.let_work();
    BOOST_TEST(all.state(shorter.id()) == task_state::running);
    on.pass(1s);
    BOOST_TEST(all.result(second.result()) == 1);
    BOOST_TEST(all.result(shorter.result()) == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sleep_until_a_time_long_ago_is_over_at_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0;
    all.parent_body = [&begins](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        co_await ctx.sleep_until((time_point::min)());
        co_await ctx.sleep_until((time_point::min)() + 1ms);
        co_await ctx.sleep_until((std::chrono::sys_time<std::chrono::hours>::min)());
        co_await ctx.sleep_until(time_point(-1ms));
        co_await ctx.sleep_for((duration::min)());
        co_return 7;
    };
    all.begin();
    BOOST_TEST(all.result(all.client.run(parent, 1)) == 7);
    BOOST_TEST(begins == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
