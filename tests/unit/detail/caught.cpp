#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/sleep.hpp>

#include "../exec/fixture.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace detail_caught {

using namespace test;
using taskflux::detail::caught;
using taskflux::detail::sleep_for;

asio::awaitable<std::string> long_text() {
    co_await asio::this_coro::executor;
    co_return std::string(100, 'x');
}

asio::awaitable<std::string> throws() {
    co_await asio::this_coro::executor;
    throw std::runtime_error("a reason that is too long for any small buffer of a string");
}

asio::awaitable<void> nothing() { co_await asio::this_coro::executor; }

asio::awaitable<void> cancelled_while_asleep(taskflux::clock& time, bool& was_caught) {
    auto sleeping = sleep_for(time, 1h);
    const auto ended = co_await caught(std::move(sleeping));
    was_caught = ended.failure() != nullptr;
}

asio::awaitable<void> cancelled_before(bool& has_begun, bool& has_gone_on) {
    const auto begin = [](bool& begun) -> asio::awaitable<void> {
        begun = true;
        co_return;
    };
    co_await asio::this_coro::throw_if_cancelled(false);
    auto waiting = asio::steady_timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
    boost::system::error_code ec;
    co_await waiting.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_await asio::this_coro::throw_if_cancelled(true);
    auto beginning = begin(has_begun);
    co_await caught(std::move(beginning));
    has_gone_on = true;
}

}  // namespace detail_caught

BOOST_FIXTURE_TEST_SUITE(detail_caught, fixture)

BOOST_AUTO_TEST_CASE(a_value_is_given_as_it_came) {
    const auto end = start([]() -> asio::awaitable<std::string> {
        auto call = long_text();
        auto ended = co_await caught(std::move(call));
        if (ended.failure()) co_return "it failed";
        co_return ended.take();
    }());
    BOOST_TEST(end->value.value() == std::string(100, 'x'));
}

BOOST_AUTO_TEST_CASE(what_is_thrown_is_given_and_the_coroutine_can_go_on_awaiting) {
    const auto end = start([]() -> asio::awaitable<std::string> {
        auto call = throws();
        const auto ended = co_await caught(std::move(call));
        if (!ended.failure()) co_return "it did not fail";
        co_return co_await long_text();
    }());
    BOOST_TEST(end->value.value() == std::string(100, 'x'));
}

BOOST_AUTO_TEST_CASE(taking_the_value_of_a_failed_call_throws_what_it_threw) {
    const auto end = start([]() -> asio::awaitable<std::string> {
        auto call = throws();
        auto ended = co_await caught(std::move(call));
        co_return ended.take();
    }());
    BOOST_REQUIRE(end->error);
    BOOST_CHECK_THROW(std::rethrow_exception(end->error), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_call_without_a_value_ends_without_a_failure) {
    const auto end = start([]() -> asio::awaitable<bool> {
        auto call = nothing();
        auto ended = co_await caught(std::move(call));
        ended.take();
        co_return ended.failure() == nullptr;
    }());
    BOOST_TEST(end->value.value());
}

BOOST_AUTO_TEST_CASE(many_outcomes_in_one_coroutine_leave_nothing_behind) {  // what GCC 12 destroys twice, ASan finds
    const auto end = start([]() -> asio::awaitable<std::size_t> {
        std::vector<std::exception_ptr> failures;
        for (int i = 0; i < 100; ++i) {
            auto call = i % 2 == 0 ? throws() : long_text();
            const auto ended = co_await caught(std::move(call));
            if (ended.failure()) failures.push_back(ended.failure());
        }
        co_return failures.size();
    }());
    BOOST_TEST(end->value.value() == 50U);
}

BOOST_AUTO_TEST_CASE(a_cancellation_while_the_call_is_under_way_is_an_outcome) {
    bool was_caught = false;
    const auto end = start(cancelled_while_asleep(time, was_caught));
    end->cancel();
    settle();
    BOOST_TEST(end->done);
    BOOST_TEST(was_caught);
}

BOOST_AUTO_TEST_CASE(a_cancelled_coroutine_does_not_begin_the_call_and_throws) {
    bool has_begun = false, has_gone_on = false;
    const auto end = start(cancelled_before(has_begun, has_gone_on));
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST(!has_begun);
    BOOST_TEST(!has_gone_on);
}

BOOST_AUTO_TEST_CASE(a_cancellation_is_told_from_all_other_errors) {
    using boost::system::system_error;
    using taskflux::detail::is_abort;
    BOOST_TEST(is_abort(std::make_exception_ptr(system_error(asio::error::operation_aborted))));
    BOOST_TEST(!is_abort(std::make_exception_ptr(system_error(asio::error::eof))));
    BOOST_TEST(!is_abort(std::make_exception_ptr(taskflux::error(errc::cancelled, ""))));
    BOOST_TEST(!is_abort(std::make_exception_ptr(std::runtime_error("operation aborted"))));
    BOOST_TEST(!is_abort(std::make_exception_ptr(1)));
}

BOOST_AUTO_TEST_SUITE_END()
