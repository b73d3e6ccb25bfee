#include <taskflux/testing.hpp>

#include "fixture.hpp"

#include <taskflux/calls/service.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace flow_testing {

using namespace test::flow;
using taskflux::client;
using taskflux::testing::environment;

inline constexpr taskflux::task<std::string(int)> remind{"remind"};
inline constexpr taskflux::method<int(int)> add{"sums", "add"};
inline constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1h).attempts(3))};

asio::awaitable<std::string> on_remind(context& ctx, int days) {
    co_await ctx.sleep_for(std::chrono::hours(24 * days));
    co_return "after " + std::to_string(days) + " days";
}

asio::awaitable<void> wait_for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> fail() {
    co_await asio::this_coro::executor;
    throw std::runtime_error("a reason");
}

asio::awaitable<void> fail_in(environment& test, taskflux::duration time, std::string why) {
    co_await taskflux::detail::sleep_for(test.clock(), time);
    throw std::runtime_error(why);
}

auto says(std::string what) {
    return [what = std::move(what)](const std::exception& e) { return e.what() == what; };
}

BOOST_AUTO_TEST_SUITE(flow_testing)

BOOST_AUTO_TEST_CASE(a_handler_sleeps_for_days_in_no_time) {
    environment test;
    const auto begun = test.clock().now();
    worker w{test.broker(), test.options()};
    w.on(remind, on_remind);
    test.start(w.run());
    BOOST_TEST(test.run(client{test.broker()}.run(remind, 3)) == "after 3 days");
    BOOST_TEST((test.clock().now() - begun == 72h));
}

BOOST_AUTO_TEST_CASE(attempts_come_at_their_moments) {
    environment test;
    std::vector<taskflux::time_point> begun;
    worker w{test.broker(), test.options()};
    w.on(flaky, [&](context& ctx, int x) {
        begun.push_back(ctx.now());
        if (ctx.attempt() < 3) throw std::runtime_error("not yet");
        return x;
    });
    test.start(w.run());
    BOOST_TEST(test.run(client{test.broker()}.run(flaky, 7)) == 7);
    BOOST_REQUIRE(begun.size() == 3U);
    BOOST_TEST((begun[1] - begun[0] == 1h));
    BOOST_TEST((begun[2] - begun[1] == 1h));
}

BOOST_AUTO_TEST_CASE(advance_passes_through_all_moments_in_order) {
    environment test;
    int ticks = 0;
    taskflux::scheduler s{test.broker(), taskflux::scheduler_options().cpu(test.get_executor()).look_every(1h)};
    const auto options = taskflux::schedule_options().scope(taskflux::local_scope::every_process);
    s.local("noon", "0 12 * * *", [&ticks] { ++ticks; }, options);
    test.start(s.run());
    test.advance(std::chrono::hours(24 * 7));
    BOOST_TEST(ticks == 7);
}

BOOST_AUTO_TEST_CASE(the_next_moment_is_one_step_away) {
    environment test;
    const auto begun = test.clock().now();
    BOOST_TEST(!test.advance_to_next());
    const taskflux::client c{test.broker()};
    test.run(c.submit(remind, submit_options().delay(5h), 1));
    bool is_due = false;
    const auto due = [](taskflux::broker_ptr broker, bool& has_come) -> asio::awaitable<void> {
        co_await taskflux::detail::sleep_until(broker->clock(), broker->clock().now() + 2h);
        has_come = true;
    };
    test.start(due(test.broker(), is_due));
    while (!is_due) BOOST_REQUIRE(test.advance_to_next());
    BOOST_TEST((test.clock().now() - begun == 2h));
}

BOOST_AUTO_TEST_CASE(what_can_never_end_is_an_error_and_no_hang) {
    environment test;
    BOOST_CHECK_EXCEPTION(test.run(wait_for_ever()), std::logic_error, [](const std::logic_error& e) {
        return std::string(e.what()).find("nothing waits for time") != std::string::npos;
    });
    worker w{test.broker(), test.options()};
    w.on(twice, [](int x) { return x; });
    test.start(w.run());
    const auto begun = test.clock().now();
    for (const auto limit : {24h, 1h}) {
        BOOST_CHECK_EXCEPTION(test.run(client{test.broker()}.run(remind, 1), limit), std::logic_error, [](const std::logic_error& e) {
            return std::string(e.what()).find("within its limit") != std::string::npos;
        });
    }
    BOOST_TEST((test.clock().now() - begun == 25h));
}

BOOST_AUTO_TEST_CASE(time_stops_at_the_limit_though_nothing_waits_for_that_moment) {
    environment test;
    const auto begun = test.clock().now();
    BOOST_CHECK_THROW(test.run(taskflux::detail::sleep_for(test.clock(), 3h), 1h), std::logic_error);
    BOOST_TEST((test.clock().now() - begun == 1h));
    test.run(taskflux::detail::sleep_for(test.clock(), 1h), 1h);  // at the limit itself is in time
    BOOST_TEST((test.clock().now() - begun == 2h));
}

BOOST_AUTO_TEST_CASE(what_is_given_up_has_ended_before_what_it_refers_to_is_gone) {
    struct present {
        bool& is_gone;
        ~present() { is_gone = true; }
    };
    const auto wait_in = [](bool& is_gone, context& ctx) -> asio::awaitable<int> {
        const present here{is_gone};
        co_return co_await ctx.call(twice, 1);
    };
    environment test;
    bool is_gone = false;
    {
        taskflux::testing::task_context ctx{test, twice};
        BOOST_CHECK_THROW(ctx.run(wait_in(is_gone, ctx)), std::logic_error);  // no worker serves the subtask
        BOOST_TEST(is_gone);
    }
    is_gone = false;
    taskflux::testing::task_context ctx{test, twice};
    asio::steady_timer until(test.get_executor());
    const auto beside = [&]() -> asio::awaitable<void> {
        co_await until.async_wait(asio::as_tuple(asio::use_awaitable));
        throw std::runtime_error("beside");
    };
    until.expires_at(asio::steady_timer::time_point::max());
    test.start(beside());
    asio::post(test.get_executor(), [&] { until.cancel(); });
    BOOST_CHECK_THROW(ctx.run(wait_in(is_gone, ctx)), std::runtime_error);
    BOOST_TEST(is_gone);
}

BOOST_AUTO_TEST_CASE(an_empty_coroutine_is_refused) {
    environment test;
    BOOST_CHECK_THROW(test.run(asio::awaitable<int>()), std::logic_error);
    BOOST_CHECK_THROW(test.start(asio::awaitable<void>()), std::logic_error);
}

BOOST_AUTO_TEST_CASE(what_would_have_threads_of_its_own_in_an_environment_says_so) {
    environment test;
    asio::thread_pool elsewhere(1);
    const auto refused = [](const std::string& who, const std::string& why, const std::string& remedy) {
        return [=](const taskflux::error& e) {
            const std::string told = e.what();
            return e.code() == errc::invalid_argument && told.starts_with(who + " in a testing::environment can't have " + why) &&
                   told.find("make it with " + remedy) != std::string::npos;
        };
    };
    const auto plain = [](int x) { return x; };
    const auto run = [&](auto& what) { test.start(what.run()); };
    worker forgetful{test.broker()}, pooled{test.broker(), test.options().cpu(elsewhere.get_executor())};
    forgetful.on(remind, on_remind);
    pooled.on(twice, plain);
    BOOST_CHECK_EXCEPTION(run(forgetful), taskflux::error, refused("a worker", "a thread of its own", "environment::options()"));
    BOOST_CHECK_EXCEPTION(run(pooled), taskflux::error,
                          refused("a worker", "plain functions on other threads", "environment::options()"));
    taskflux::service sums{test.broker(), taskflux::service_options().id("sums-1")};
    sums.on(add, plain);
    BOOST_CHECK_EXCEPTION(run(sums), taskflux::error,
                          refused("service sums-1", "plain functions on other threads", "service_options::cpu"));
    taskflux::scheduler jobs{test.broker()};
    jobs.local("noon", "0 12 * * *", [] {});
    BOOST_CHECK_EXCEPTION(run(jobs), taskflux::error,
                          refused("a scheduler with local jobs", "plain functions on other threads", "scheduler_options::cpu"));
    worker right{test.broker(), test.options()};
    right.on(twice, plain);
    test.start(right.run());
    BOOST_TEST(test.run(client{test.broker()}.run(twice, 4)) == 4);
}

BOOST_AUTO_TEST_CASE(what_runs_in_an_environment_can_not_run_it) {
    environment test;
    const client c{test.broker()};
    worker w{test.broker(), test.options()};
    bool has_begun = false;
    const auto begin = [](bool& begun) -> asio::awaitable<void> {
        begun = true;
        co_return;
    };
    w.on(twice, [&](int x) {
        BOOST_CHECK_THROW(test.start(begin(has_begun)), std::logic_error);
        test.run(begin(has_begun));
        return x;
    });
    test.start(w.run());
    BOOST_CHECK_EXCEPTION(test.run(c.run(twice, 1)), taskflux::task_failed, [](const taskflux::task_failed& e) {
        return e.failure().message.find("is run by the test, and not by a handler") != std::string::npos;
    });
    test.run_until_idle();
    BOOST_TEST(!has_begun);
}

BOOST_AUTO_TEST_CASE(what_a_coroutine_beside_the_test_throws_comes_out) {
    environment test;
    BOOST_CHECK_THROW(test.start(fail()), std::runtime_error);
    BOOST_CHECK_THROW(test.run(fail()), std::runtime_error);
    test.run_until_idle();
}

BOOST_AUTO_TEST_CASE(of_what_several_throw_at_a_time_the_first_comes_out_and_once) {
    environment test;
    test.start(fail_in(test, 1h, "first"));
    test.start(fail_in(test, 1h, "second"));
    BOOST_CHECK_EXCEPTION(test.advance(1h), std::runtime_error, says("first"));
    test.run_until_idle();
    test.advance(1h);
}

BOOST_AUTO_TEST_CASE(what_is_ready_runs_before_time_moves_on) {
    environment test;
    const auto begun = test.clock().now();
    std::vector<taskflux::duration> heard;
    const auto note = [](environment& in, taskflux::time_point from, std::vector<taskflux::duration>& to) -> asio::awaitable<void> {
        to.push_back(in.clock().now() - from);
        co_await taskflux::detail::sleep_for(in.clock(), 5s);
        to.push_back(in.clock().now() - from);
    };
    asio::co_spawn(test.get_executor(), note(test, begun, heard), asio::detached);  // has not begun yet
    BOOST_TEST(test.advance_to_next());
    BOOST_TEST((heard == std::vector<taskflux::duration>{0s, 5s}));
    BOOST_TEST(!test.advance_to_next());
    heard.clear();
    asio::co_spawn(test.get_executor(), note(test, test.clock().now(), heard), asio::detached);
    test.advance(7s);
    BOOST_TEST((heard == std::vector<taskflux::duration>{0s, 5s}));
    BOOST_TEST((test.clock().now() - begun == 12s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace flow_testing
