#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

// A server that has no memory left, or takes no connections, while workflows run.
namespace redis_troubled_server {

namespace asio = boost::asio;
using taskflux::context;
using words = std::vector<std::string>;

inline constexpr taskflux::task<int(int)> twice{"twice"};
inline constexpr taskflux::task<int(int)> parent{"parent"};

/// A handler's coroutine, which tells when it is destroyed.
struct in_handler {
    explicit in_handler(int& ends) : ends_(ends) {}
    in_handler(const in_handler&) = delete;
    in_handler& operator=(const in_handler&) = delete;
    ~in_handler() { ++ends_; }

    int& ends_;
};

/// Parents that are held back until the server is in trouble, and make their calls then.
struct troubled_server {
    static constexpr int count = 6;

    test::redis_server server;
    asio::io_context io;
    taskflux::broker_ptr broker = taskflux::connect(io.get_executor(), server.url() + "?timeout=600s");
    taskflux::client client{broker};
    taskflux::worker worker{broker, taskflux::worker_options().concurrency(16).log(nullptr)};
    asio::steady_timer may_go{io, asio::steady_timer::time_point::max()};
    int begins = 0, ends = 0;

    troubled_server() {
        worker.on(twice, [](int value) -> asio::awaitable<int> { co_return 2 * value; });
        worker.on(parent, [this](context& ctx, int how) -> asio::awaitable<int> { return body(*this, ctx, how); });
    }

    static asio::awaitable<int> body(troubled_server& self, context& ctx, int how) {
        const in_handler here(self.ends);
        const auto wait = [&self]() -> asio::awaitable<void> {
            if (++self.begins <= count) co_await self.may_go.async_wait(asio::as_tuple(asio::use_awaitable));
        };
        co_await wait();
        int got = 0;
        if (how == 0) got = co_await ctx.call(twice, 21);
        if (how == 1) {
            const std::vector<int> values{20, 1};
            const auto all = co_await ctx.map(twice, values);
            got = all[0] + all[1];
        }
        if (how == 2) {
            const auto answer = [] { return 42; };
            got = co_await ctx.step("answer", answer);
        }
        if (how == 3) {
            const auto both = co_await ctx.all(ctx.call(twice, 20), ctx.call(twice, 1));
            got = std::get<0>(both) + std::get<1>(both);
        }
        if (how == 4) got = int(co_await ctx.version("answer", 42));
        if (how == 5) {
            co_await ctx.sleep_for(std::chrono::milliseconds(1500));
            got = 42;
        }
        co_return got;
    }

    asio::awaitable<void> until(const int& number, int wanted) {
        while (number < wanted) co_await asio::post(asio::deferred);
    }

    asio::awaitable<void> until_it_answers() {
        for (bool answers = false; !answers;) {
            try {
                co_await broker->counts("default");
                answers = true;
            } catch (const boost::system::system_error&) {  // not yet
            }
            co_await asio::post(asio::deferred);
        }
    }
};

asio::awaitable<void> trouble(troubled_server& with, std::vector<words> begin, std::vector<words> end) {
    auto admin = with.server.connect();
    std::vector<taskflux::job<int>> jobs;
    for (int how = 0; how < troubled_server::count; ++how) {
        const auto one = co_await with.client.submit(parent, how);
        jobs.push_back(one);
    }
    co_await with.until(with.begins, troubled_server::count);
    for (const auto& one : begin) admin.command(one);
    with.may_go.cancel();
    co_await with.until(with.ends, troubled_server::count);
    for (const auto& one : end) admin.command(one);
    co_await with.until_it_answers();
    for (const auto& one : jobs) {
        const auto ended = co_await one.outcome();
        BOOST_TEST_CONTEXT(to_string(one.id())) {
            BOOST_TEST(ended->value.value_or(0) == 42, (ended->failure ? ended->failure->message : ""));
            BOOST_TEST(ended->attempts == 1U);
        }
    }
}

void run(std::vector<words> begin, std::vector<words> end) {
    troubled_server with;
    std::exception_ptr failure;
    asio::co_spawn(with.io, with.worker.run(), [&](std::exception_ptr) { with.broker->close(); });
    asio::co_spawn(with.io, trouble(with, std::move(begin), std::move(end)), [&](std::exception_ptr error) {
        failure = error;
        with.worker.stop();
    });
    with.io.run_for(test::hang_limit);
    BOOST_TEST(with.io.stopped());
    if (failure) std::rethrow_exception(failure);
}

}  // namespace redis_troubled_server

BOOST_AUTO_TEST_SUITE(redis_troubled_server)

BOOST_AUTO_TEST_CASE(a_workflow_waits_while_its_server_is_full_and_goes_on_then) {
    run({{"CONFIG", "SET", "maxmemory", "1"}}, {{"CONFIG", "SET", "maxmemory", "0"}});
}

BOOST_AUTO_TEST_CASE(a_workflow_waits_while_its_server_refuses_the_password_and_goes_on_then) {
    run({{"CONFIG", "SET", "requirepass", "another"}, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}},
        {{"CONFIG", "SET", "requirepass", ""}});
}

BOOST_AUTO_TEST_CASE(a_workflow_waits_while_its_user_lacks_a_right_and_goes_on_then) {
    run({{"ACL", "SETUSER", "default", "-hset"}}, {{"ACL", "SETUSER", "default", "+hset"}});
}

BOOST_AUTO_TEST_SUITE_END()
