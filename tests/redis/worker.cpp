#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Clients and workers as users write them, on a real server, in real time.
namespace redis_worker {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::context;
using taskflux::errc;
using taskflux::retry_policy;
using taskflux::task_options;
using taskflux::task_state;
using taskflux::worker_options;

struct circle {
    double radius = 1;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius, name))

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};
inline constexpr taskflux::task<int(int)> flaky{
    "flaky", task_options().retry(retry_policy::fixed(10ms).attempts(3))};
inline constexpr taskflux::task<void()> endless{"endless"};

asio::awaitable<void> for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
    co_await timer.async_wait(asio::use_awaitable);
}

/// A server, a client and a worker in a program of one thread.
struct program {
    test::redis_server server;
    asio::io_context io;
    taskflux::broker_ptr broker = taskflux::connect(io.get_executor(), server.url() + "?timeout=600s");
    taskflux::client client{broker};
    taskflux::worker worker{broker, worker_options().concurrency(16)};
    int attempts = 0;

    program() {
        worker.on(circumference, [](const circle& of) { return 6.28 * of.radius; });
        worker.on(flaky, [this](context& ctx, int value) -> asio::awaitable<int> {
            ++attempts;
            ctx.progress(value);
            if (ctx.attempt() < 3) throw std::runtime_error("not yet");
            co_return value;
        });
        worker.on(endless, for_ever);
    }

    /// Runs `body` beside the worker, to the end of both.
    template <class Body>
    void run(Body body) {
        std::exception_ptr failure;
        // A Redis broker keeps its context running.
        asio::co_spawn(io, worker.run(), [this](std::exception_ptr) { broker->close(); });
        asio::co_spawn(io, body(*this), [&](std::exception_ptr error) {
            failure = error;
            worker.stop();
        });
        io.run_for(test::hang_limit);
        BOOST_TEST(io.stopped());
        if (failure) std::rethrow_exception(failure);
    }
};

asio::awaitable<void> many(program& with) {
    std::vector<circle> circles(2000);
    for (std::size_t i = 0; i < circles.size(); ++i) circles[i].radius = double(i);
    const auto jobs = co_await with.client.submit_all(circumference, circles);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto result = co_await jobs[i].result();
        BOOST_TEST(result == 6.28 * double(i));
    }
    const auto counts = co_await with.broker->counts("default");
    BOOST_TEST(counts.succeeded == 2000U);
}

asio::awaitable<void> retried(program& with) {
    const auto result = co_await with.client.run(flaky, 7);
    BOOST_TEST(result == 7);
    BOOST_TEST(with.attempts == 3);
}

asio::awaitable<void> cancelled(program& with) {
    const auto job = co_await with.client.submit(endless);
    bool is_running = false;
    while (!is_running) {
        const auto record = co_await job.record();
        is_running = record.state == task_state::running;
    }
    co_await job.cancel();
    errc why{};
    try {
        co_await job.result();
    } catch (const boost::system::system_error& e) {
        why = static_cast<errc>(e.code().value());
    }
    BOOST_TEST((why == errc::cancelled));
}

asio::awaitable<void> restarted(program& with) {
    co_await with.client.run(circumference, 1.0, "before");
    with.server.kill();
    with.server.start();  // empty
    const auto result = co_await with.client.run(circumference, 2.0, "after");
    BOOST_TEST(result == 12.56);
}

asio::awaitable<void> not_replicated(taskflux::broker_ptr broker) {
    const taskflux::client client(broker);
    std::string why;
    try {
        co_await client.submit(circumference, 1.0, "one");
    } catch (const boost::system::system_error& e) {
        BOOST_TEST((e.code() == errc::unavailable));
        why = e.what();
    }
    BOOST_TEST(why.find("0 of 1 replicas") != std::string::npos, why);
    const auto counts = co_await broker->counts("default");
    BOOST_TEST(counts.waiting == 1U);
}

}  // namespace redis_worker

BOOST_AUTO_TEST_SUITE(redis_worker)

BOOST_AUTO_TEST_CASE(two_thousand_tasks_come_back_with_their_results) {
    program with;
    with.run(many);
}

BOOST_AUTO_TEST_CASE(a_task_that_fails_is_tried_again) {
    program with;
    with.run(retried);
}

BOOST_AUTO_TEST_CASE(a_running_task_is_cancelled) {
    program with;
    with.run(cancelled);
}

BOOST_AUTO_TEST_CASE(a_restarted_server_is_found_again) {
    program with;
    with.run(restarted);
}

BOOST_AUTO_TEST_CASE(a_submission_that_too_few_replicas_have_is_told_but_stored) {
    test::redis_server server;
    asio::io_context io;
    const auto options = taskflux::redis_options().durable(1).timeout(test::no_timeout);
    const auto broker = taskflux::make_redis_broker(io.get_executor(), server.url(), options);
    asio::co_spawn(io, not_replicated(broker), [&](std::exception_ptr error) {
        broker->close();
        if (error) std::rethrow_exception(error);
    });
    io.run();
}

BOOST_AUTO_TEST_SUITE_END()
