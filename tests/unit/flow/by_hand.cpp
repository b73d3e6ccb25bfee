#include <taskflux/testing.hpp>

#include "fixture.hpp"

#include <taskflux/core/method.hpp>
#include <taskflux/detail/sleep.hpp>

#include <boost/asio/as_tuple.hpp>

#include <stdexcept>
#include <string>

namespace flow_by_hand {

using namespace test::flow;
using taskflux::call_context;
using taskflux::call_options;
using taskflux::client;
using taskflux::testing::environment;
using taskflux::testing::method_context;
using taskflux::testing::task_context;

inline constexpr taskflux::task<int(int)> order{"order", task_options().timeout(5s)};
inline constexpr taskflux::method<int(int)> ask{"shop", "ask"};

int on_order_now(context& ctx, int count) {
    for (int i = 1; i <= count; ++i) ctx.progress(i);
    ctx.log(taskflux::log_level::info, "attempt " + std::to_string(ctx.attempt()), {{"who", std::string(ctx.header("customer"))}});
    return ctx.cancelled() ? -1 : count;
}

asio::awaitable<void> wait_until_cancelled() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<bool> on_wait(context& ctx) {
    co_await wait_until_cancelled();
    co_return ctx.cancelled();
}

asio::awaitable<bool> on_wait_for_call(call_context& ctx) {
    co_await wait_until_cancelled();
    co_return ctx.cancelled();
}

template <class Context>
asio::awaitable<void> cancel_after(environment& test, Context& ctx, taskflux::duration time) {
    co_await taskflux::detail::sleep_for(test.clock(), time);
    ctx.cancel();
}

asio::awaitable<int> on_workflow(context& ctx, int& charged) {
    const auto charge = [&charged] { return ++charged; };
    const int receipt = co_await ctx.step("charge", charge);
    co_await ctx.sleep_for(std::chrono::hours(72));
    const auto doubled = co_await ctx.call(twice, 21);
    const auto extra = co_await ctx.wait_signal<int>("extra");
    co_return receipt + doubled + extra;
}

BOOST_AUTO_TEST_SUITE(flow_by_hand)

BOOST_AUTO_TEST_CASE(a_second_context_of_the_same_own_id_says_so) {
    environment test;
    const auto options = taskflux::submit_options().id("order-7");
    task_context first{test, order, options};
    BOOST_CHECK_EXCEPTION((task_context{test, order, options}), std::logic_error, [](const std::logic_error& e) {
        return e.what() == std::string("no context can be made for task order: the environment has had a task of the id \"order-7\"; "
                                       "give each context an id of its own, or none");
    });
}

BOOST_AUTO_TEST_CASE(a_handler_is_called_with_a_context_made_by_hand) {
    environment test;
    task_context ctx{test, order, submit_options().header("customer", "7").id("my-order"), 3};
    BOOST_TEST(on_order_now(ctx, 3) == 3);
    BOOST_TEST(ctx.progress() == (std::vector<std::string>{"1", "2", "3"}), boost::test_tools::per_element());
    BOOST_REQUIRE_EQUAL(ctx.log().size(), 1U);
    BOOST_TEST(ctx.log()[0].text == "attempt 3");
    BOOST_TEST(ctx.log()[0].fields.at("who") == "7");
    BOOST_TEST(ctx.get().name() == "order");
    BOOST_TEST(ctx.get().own_id() == "my-order");
    BOOST_TEST((ctx.get().remaining() == 5s));
}

BOOST_AUTO_TEST_CASE(a_plain_handler_sees_that_its_context_is_cancelled) {
    environment test;
    task_context stopped{test, order}, late{test, order};
    stopped.cancel();
    BOOST_TEST(on_order_now(stopped, 3) == -1);
    test.advance(4s);
    BOOST_TEST(on_order_now(late, 3) == 3);
    test.advance(1s);
    BOOST_TEST(on_order_now(late, 3) == -1);
}

BOOST_AUTO_TEST_CASE(a_context_made_by_hand_ends_with_its_timeout_its_deadline_or_never) {
    environment test;
    task_context endless{test, twice}, soon{test, order, submit_options().deadline(3s)}, later{test, order, submit_options().deadline(9s)};
    BOOST_TEST((endless.get().remaining() == (taskflux::duration::max)()));
    BOOST_TEST(!endless.get().cancelled());
    BOOST_TEST((soon.get().remaining() == 3s));
    BOOST_TEST((later.get().remaining() == 5s));
    test.advance(3s);
    BOOST_TEST(soon.get().cancelled());
    BOOST_TEST(!later.get().cancelled());
    test.advance(std::chrono::hours(24 * 30));
    BOOST_TEST(!endless.get().cancelled());
}

BOOST_AUTO_TEST_CASE(a_coroutine_with_a_context_made_by_hand_is_cancelled) {
    environment test;
    task_context ctx{test, order};
    test.start(cancel_after(test, ctx, 1h));
    const auto begun = test.clock().now();
    BOOST_TEST(ctx.run(on_wait(ctx)));
    BOOST_TEST((test.clock().now() - begun == 1h));
}

BOOST_AUTO_TEST_CASE(a_workflow_with_a_context_made_by_hand_stays_where_it_waits) {
    environment test;
    worker w{test.broker(), test.options()};
    w.on(twice, [](int x) { return 2 * x; });
    test.start(w.run());
    task_context ctx{test, order};
    const client c{test.broker()};
    test.run(c.signal(ctx.id(), "extra", 100));
    int charged = 0;
    const auto begun = test.clock().now();
    BOOST_TEST(ctx.run(on_workflow(ctx, charged)) == 143);
    BOOST_TEST(charged == 1);
    BOOST_TEST((test.clock().now() - begun >= 72h));
    BOOST_TEST((test.clock().now() - begun < 73h));
}

BOOST_AUTO_TEST_CASE(a_method_is_called_with_a_context_made_by_hand) {
    environment test;
    method_context ctx{test, ask, call_options().timeout(10s).header("trace", "1")};
    BOOST_TEST(ctx.get().service() == "shop");
    BOOST_TEST(ctx.get().method() == "ask");
    BOOST_TEST(ctx.get().header("trace") == "1");
    BOOST_TEST((ctx.get().remaining() == 10s));
    test.start(cancel_after(test, ctx, 1s));
    BOOST_TEST(ctx.run(on_wait_for_call(ctx)));
    method_context late{test, ask, call_options().timeout(10s)};
    BOOST_TEST(!late.get().cancelled());
    test.advance(10s);
    BOOST_TEST(late.get().cancelled());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace flow_by_hand
