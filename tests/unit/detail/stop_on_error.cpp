#include <taskflux/stop_on_error.hpp>

#include "../../support/standard_error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stop_on_error_ {

namespace asio = boost::asio;
using taskflux::stop_on_error;

asio::awaitable<void> wait_for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<std::unique_ptr<int>> succeed() { co_return std::make_unique<int>(1); }

asio::awaitable<void> fail(const char* why) {
    co_await succeed();
    throw std::runtime_error(why);
}

asio::awaitable<void> fail_oddly() {
    co_await succeed();
    throw 1;
}

BOOST_AUTO_TEST_SUITE(stop_on_error_)

BOOST_AUTO_TEST_CASE(a_failure_is_said_and_ends_the_context) {
    asio::io_context io;
    std::string text;
    const stop_on_error handler{io, [&text](std::string_view line) { text = line; }};
    asio::co_spawn(io, wait_for_ever(), handler);
    asio::co_spawn(io, fail("the printer is on fire"), handler);
    io.run();
    BOOST_TEST(text == "a coroutine has failed, and the program stops: the printer is on fire");
    BOOST_TEST(handler.status() == 1);
}

BOOST_AUTO_TEST_CASE(it_goes_to_standard_error_by_default) {
    const test::standard_error written;
    asio::io_context io;
    const stop_on_error handler{io};
    asio::co_spawn(io, fail_oddly(), handler);
    io.run();
    BOOST_TEST(written.text().find("error a coroutine has failed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(coroutines_that_return_leave_the_others_running) {
    asio::io_context io;
    const stop_on_error handler{io, nullptr};
    asio::co_spawn(io, succeed(), handler);
    asio::co_spawn(io, wait_for_ever(), handler);
    io.poll();
    BOOST_TEST(!io.stopped());
    BOOST_TEST(handler.status() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace stop_on_error_
