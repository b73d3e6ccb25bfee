#include <taskflux/exec/when_all.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace exec_when_all {

namespace asio = boost::asio;
using taskflux::when_all;
using taskflux::when_any;

struct fixture {
    /// Never ends by itself; counts how often it was cancelled.
    static asio::awaitable<int> hanging(fixture& self) {
        asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
        try {
            co_await timer.async_wait(asio::use_awaitable);
        } catch (const boost::system::system_error&) {
            ++self.cancelled;
            throw;
        }
        co_return 0;
    }

    static asio::awaitable<int> value(int number) { co_return number; }
    static asio::awaitable<std::string> text(std::string what) { co_return what; }
    static asio::awaitable<void> nothing() { co_return; }
    static asio::awaitable<int> failing(std::string why) {
        throw std::runtime_error(why);
        co_return 0;
    }

    template <class T>
    T run(asio::awaitable<T> call) {
        auto result = asio::co_spawn(context, std::move(call), asio::use_future);
        context.restart();
        context.run();
        return result.get();
    }

    asio::io_context context;
    int cancelled = 0;
};

// When all have begun.
asio::awaitable<void> failing_later(std::string why) {
    for (int i = 0; i < 3; ++i) co_await asio::post(asio::deferred);
    throw std::runtime_error(why);
}

asio::awaitable<std::string> text_later(std::string what) {
    for (int i = 0; i < 3; ++i) co_await asio::post(asio::deferred);
    co_return what;
}

}  // namespace exec_when_all

BOOST_FIXTURE_TEST_SUITE(exec_when_all, fixture)

BOOST_AUTO_TEST_CASE(a_failure_after_all_have_begun_cancels_the_others_and_is_thrown) {
    BOOST_CHECK_EXCEPTION(run(when_all(value(1), failing_later("no"), hanging(*this))), std::runtime_error,
                          [](const auto& e) { return e.what() == std::string("no"); });
    BOOST_TEST(cancelled == 1);
}

BOOST_AUTO_TEST_CASE(a_failure_that_comes_after_several_successes_is_thrown) {
    BOOST_CHECK_EXCEPTION(run(when_all(value(1), text("two"), failing_later("no"))), std::runtime_error,
                          [](const auto& e) { return e.what() == std::string("no"); });
}

BOOST_AUTO_TEST_CASE(a_failure_does_not_end_the_wait_for_the_first_success) {
    const auto first = run(when_any(failing("no"), text_later("won"), hanging(*this)));
    BOOST_REQUIRE_EQUAL(first.index(), 1U);
    BOOST_TEST(std::get<1>(first) == "won");
    BOOST_TEST(cancelled == 1);
}

BOOST_AUTO_TEST_CASE(all_results_come_in_the_order_of_the_calls) {
    const auto [number, word, none] = run(when_all(value(1), text("two"), nothing()));
    BOOST_TEST(number == 1);
    BOOST_TEST(word == "two");
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(none)>, std::monostate>);
}

BOOST_AUTO_TEST_CASE(the_first_failure_cancels_the_others_and_is_thrown) {
    BOOST_CHECK_EXCEPTION(run(when_all(hanging(*this), failing("no"), hanging(*this))), std::runtime_error,
                          [](const auto& e) { return e.what() == std::string("no"); });
    BOOST_TEST(cancelled == 2);
}

BOOST_AUTO_TEST_CASE(the_first_success_cancels_the_others) {
    const auto first = run(when_any(hanging(*this), failing("no"), text("won")));
    BOOST_REQUIRE_EQUAL(first.index(), 2U);
    BOOST_TEST(std::get<2>(first) == "won");
    BOOST_TEST(cancelled == 1);
}

BOOST_AUTO_TEST_CASE(when_all_fail_the_last_failure_is_thrown) {
    BOOST_CHECK_EXCEPTION(run(when_any(failing("first"), failing("last"))), std::runtime_error,
                          [](const auto& e) { return e.what() == std::string("last"); });
}

BOOST_AUTO_TEST_CASE(of_failures_that_come_one_after_the_other_the_last_in_time_is_thrown) {
    BOOST_CHECK_EXCEPTION(run(when_any(failing_later("last"), failing("first"))), std::runtime_error,
                          [](const auto& e) { return e.what() == std::string("last"); });
}

BOOST_AUTO_TEST_CASE(cancelling_reaches_all_of_them) {
    asio::cancellation_signal stop;
    auto result = asio::co_spawn(context, when_all(hanging(*this), hanging(*this)),
                                 asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    context.poll();
    stop.emit(asio::cancellation_type::terminal);
    context.restart();
    context.run();
    BOOST_CHECK_EXCEPTION(result.get(), boost::system::system_error,
                          [](const auto& e) { return e.code() == asio::error::operation_aborted; });
    BOOST_TEST(cancelled == 2);
}

BOOST_AUTO_TEST_SUITE_END()
