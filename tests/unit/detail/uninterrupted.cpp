#include <taskflux/detail/sleep.hpp>
#include <taskflux/detail/uninterrupted.hpp>

#include "../exec/fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>
#include <utility>

namespace detail_uninterrupted {

using namespace test;
using taskflux::detail::sleep_for;
using taskflux::detail::uninterrupted;

struct uninterrupted_fixture : fixture {
    /// Two calls that belong together, and what follows them.
    asio::awaitable<void> calls() {
        co_await sleep_for(time, 1s);
        has_first = true;
        co_await sleep_for(time, 1s);
        has_second = true;
    }
    asio::awaitable<int> handler(std::function<bool()> may_stop) {
        auto both = calls();
        co_await uninterrupted(std::move(both), std::move(may_stop));
        has_returned = true;
        co_await sleep_for(time, 1s);
        co_return 7;
    }

    bool has_first = false, has_second = false, has_returned = false, is_ending = false;
    std::function<bool()> ends = [this] { return is_ending; };
};

}  // namespace detail_uninterrupted

BOOST_FIXTURE_TEST_SUITE(detail_uninterrupted, uninterrupted_fixture)

BOOST_AUTO_TEST_CASE(calls_that_nobody_cancels_are_awaited) {
    const auto end = start(handler(ends));
    advance(1s);
    advance(1s);
    BOOST_TEST(has_second);
    advance(1s);
    BOOST_TEST(end->value.value() == 7);
}

BOOST_AUTO_TEST_CASE(a_cancelled_coroutine_throws_after_the_calls_have_ended) {
    for (const auto& may_stop : {ends, std::function<bool()>()}) {
        has_first = has_second = has_returned = false;
        const auto end = start(handler(may_stop));
        advance(500ms);
        end->cancel();
        advance(500ms);
        BOOST_TEST(has_first);
        BOOST_TEST(!end->done);
        advance(1s);
        BOOST_TEST(has_second);
        BOOST_TEST(has_returned);
        BOOST_TEST((end->code() == asio::error::operation_aborted));
        BOOST_TEST((time.next() == taskflux::never));
    }
}

BOOST_AUTO_TEST_CASE(calls_that_may_stop_are_cancelled_also_by_a_second_cancellation) {
    const auto end = start(handler(ends));
    advance(500ms);
    end->cancel();
    settle();
    BOOST_TEST(!end->done);
    is_ending = true;
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST(!has_first);
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(calls_are_not_begun_by_a_coroutine_that_was_cancelled_before) {
    bool is_begun = false;
    const auto late = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        try {
            co_await sleep_for(time, 1s);
        } catch (const boost::system::system_error&) {
        }
        co_await asio::this_coro::throw_if_cancelled(true);
        auto work = [&]() -> asio::awaitable<void> {
            is_begun = true;
            co_return;
        };
        auto both = work();
        co_await uninterrupted(std::move(both));
    };
    const auto end = start(late());
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST(!is_begun);
}

BOOST_AUTO_TEST_CASE(what_the_calls_throw_is_thrown) {
    const auto fails = [&]() -> asio::awaitable<void> {
        co_await sleep_for(time, 1s);
        throw std::runtime_error("no luck");
    };
    const auto end = start(uninterrupted(fails()));
    advance(1s);
    BOOST_TEST(end->what() == "no luck");
}

BOOST_AUTO_TEST_CASE(the_next_await_has_its_own_cancellation) {
    const auto end = start(handler(ends));
    advance(1s);
    advance(1s);
    BOOST_TEST(has_returned);
    end->cancel();
    settle();
    BOOST_TEST((end->code() == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_SUITE_END()
