#include "gate.hpp"

#include <taskflux/core/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/describe/class.hpp>

#include <chrono>
#include <future>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace http_ending {

using namespace http_test;
using namespace std::chrono_literals;

struct nothing {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(nothing, (), (x))

inline constexpr taskflux::task<void(nothing)> idle{"idle"};

/// Says that it was begun, and whether it was cancelled.
struct seen {
    std::promise<void> begun;
    std::promise<bool> cancelled;
};

asio::awaitable<http::response> waits(std::shared_ptr<seen> by, http::call&) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    by->begun.set_value();
    try {
        co_await timer.async_wait(asio::use_awaitable);
    } catch (...) {
        by->cancelled.set_value(true);
        throw;
    }
    by->cancelled.set_value(false);
    http::response made(200);
    co_return made;
}

struct ending : still_clock, gate {
    explicit ending(taskflux::gateway_options options = taskflux::gateway_options()) : gate(options, clock) {
        gateway.expose(idle);
        gateway.routes().add("GET /wait", http::permission::none, std::bind_front(&waits, handler));
    }
    ~ending() { end(); }

    /// How many tasks wait.
    std::size_t waiting_tasks() {
        auto counted = asio::co_spawn(context, broker->counts("default"), asio::use_future);
        return counted.get().waiting;
    }

    std::shared_ptr<seen> handler = std::make_shared<seen>();
};

BOOST_FIXTURE_TEST_SUITE(http_ending, ending)

BOOST_AUTO_TEST_CASE(a_handler_is_cancelled_when_its_client_goes_away) {
    begin();
    auto one = connect();
    one.send(get("/wait"));
    handler->begun.get_future().wait();
    one.close();
    auto cancelled = handler->cancelled.get_future();
    advance_until(clock, cancelled);
    BOOST_TEST(cancelled.get());
    while (gateway.connections() > 0) std::this_thread::yield();
}

BOOST_AUTO_TEST_CASE(long_polls_answer_when_the_gateway_ends) {
    begin();
    auto one = connect(), other = connect();
    one.send(post("/v1/tasks/idle?wait=1h", "{}"));
    while (waiting_tasks() == 0) std::this_thread::yield();
    BOOST_TEST(status(other.ask(get("/livez"))) == 200U);
    gateway.stop();
    const auto told = one.answer();
    BOOST_TEST(status(told) == 202U);
    BOOST_TEST(boost::json::parse(body(told)).at("state") == "waiting");
    BOOST_TEST(wire::header(told, "Connection") == "close");
    BOOST_TEST(other.rest() == "");  // between two requests
    end();
    BOOST_TEST(!failure);
    BOOST_CHECK_THROW(connect(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_request_under_way_may_end_until_it_is_cut_off) {
    begin();
    auto one = connect();
    one.send(get("/wait"));
    handler->begun.get_future().wait();
    gateway.stop();
    auto cancelled = handler->cancelled.get_future();
    const auto took = advance_until(clock, cancelled);
    BOOST_TEST((took >= 10s));
    BOOST_TEST(one.rest() == "");
    end();
    BOOST_TEST(!failure);
}

BOOST_AUTO_TEST_CASE(a_gateway_that_was_stopped_before_ends_at_once) {
    gateway.stop();
    begin();
    thread.join();
    BOOST_TEST(has_ended);
    BOOST_TEST(!failure);
}

BOOST_AUTO_TEST_CASE(a_closed_broker_ends_it_with_an_error) {
    begin();
    auto one = connect();
    BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
    broker->close();
    thread.join();
    BOOST_TEST(has_ended);
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        BOOST_TEST((e.code() == taskflux::errc::shut_down));
    }
}

BOOST_AUTO_TEST_CASE(it_runs_once_and_is_filled_before) {
    begin();
    BOOST_CHECK_THROW(static_cast<void>(gateway.run()), taskflux::error);
    BOOST_CHECK_THROW(gateway.routes("/late"), taskflux::error);
    BOOST_CHECK_THROW(gateway.expose(idle), taskflux::error);
}

BOOST_AUTO_TEST_CASE(a_gateway_that_is_destroyed_abandons_what_it_answers) {
    auto mine = std::make_unique<taskflux::gateway>(broker, taskflux::gateway_options().listen("127.0.0.1", 0).log(nullptr));
    mine->routes().add("GET /wait", http::permission::none, std::bind_front(&waits, handler));
    mine->listen();
    asio::co_spawn(context, mine->run(), asio::detached);
    thread = std::thread([this] { context.run(); });
    wire one(mine->port());
    one.send(get("/wait"));
    handler->begun.get_future().wait();
    asio::post(context, [&] { mine.reset(); });
    BOOST_TEST(handler->cancelled.get_future().get());
    BOOST_TEST(one.rest() == "");
    thread.join();
}

BOOST_AUTO_TEST_CASE(a_public_address_needs_authentication_or_anonymous) {
    const auto listens = [&](taskflux::gateway_options options) {
        taskflux::gateway public_one(broker, options.listen("0.0.0.0", 0).log(nullptr));
        public_one.listen();
    };
    BOOST_CHECK_THROW(listens(taskflux::gateway_options()), taskflux::error);
    BOOST_CHECK_NO_THROW(listens(taskflux::gateway_options().anonymous(true)));
    BOOST_CHECK_NO_THROW(listens(taskflux::gateway_options().authenticate([](http::call&) -> asio::awaitable<http::identity> {
        http::identity nobody;
        co_return nobody;
    })));
    BOOST_CHECK_THROW(taskflux::gateway(broker, taskflux::gateway_options().listen("here", 0)).listen(), taskflux::error);
    BOOST_CHECK_THROW(taskflux::gateway(broker, taskflux::gateway_options().listen("192.0.2.1", 0).anonymous(true)).listen(),
                      boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_ending
