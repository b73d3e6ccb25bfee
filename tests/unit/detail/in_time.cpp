#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/in_time.hpp>
#include <taskflux/detail/sleep.hpp>

#include "../exec/fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <exception>
#include <stdexcept>
#include <string>

namespace detail_in_time {

using namespace test;
using taskflux::detail::caught;
using taskflux::detail::in_time;
using taskflux::detail::sleep_for;

/// Returns 7 after a while; notes whether it was cancelled before.
asio::awaitable<int> seven_after(taskflux::clock& time, taskflux::duration by, bool& was_cancelled) {
    auto sleeping = sleep_for(time, by);
    const auto ended = co_await caught(std::move(sleeping));
    was_cancelled = ended.failure() != nullptr;
    if (was_cancelled) std::rethrow_exception(ended.failure());
    co_return 7;
}

asio::awaitable<int> fail_after(taskflux::clock& time, taskflux::duration by) {
    co_await sleep_for(time, by);
    throw std::runtime_error("no luck");
}

/// Takes no notice of being cancelled.
asio::awaitable<int> stubborn_seven(gate& until) {
    auto passing = until.pass();
    co_await caught(std::move(passing));
    co_return 7;
}

struct in_time_fixture : fixture {
    bool was_cancelled = false;

    auto begin(taskflux::duration limit, taskflux::duration needed) {
        return start(in_time(time, time.now() + limit, seven_after(time, needed, was_cancelled), "counting"));
    }
};

}  // namespace detail_in_time

BOOST_FIXTURE_TEST_SUITE(detail_in_time, in_time_fixture)

BOOST_AUTO_TEST_CASE(work_that_is_done_in_time_gives_its_result_and_leaves_no_timer) {
    const auto end = begin(1s, 999ms);
    advance(999ms);
    BOOST_TEST(end->value.value() == 7);
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(work_that_takes_longer_is_cancelled_and_the_error_names_it) {
    const auto end = begin(1s, 2s);
    advance(1s - 1ms);
    BOOST_TEST(!end->done);
    advance(1ms);
    BOOST_TEST(was_cancelled);
    BOOST_TEST(end->failed_with(errc::timed_out));
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(end->error), std::exception, [](const std::exception& e) {
        return std::string(e.what()).find("counting timed out") != std::string::npos;
    });
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_cancels_its_work_and_does_not_wait_for_the_limit) {
    const auto end = begin(1h, 2h);
    end->cancel();
    settle();
    BOOST_TEST(was_cancelled);
    BOOST_TEST((end->code() == asio::error::operation_aborted));
    BOOST_TEST((time.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(an_error_of_the_work_is_thrown_as_it_is) {
    const auto end = start(in_time(time, time.now() + 1s, fail_after(time, 10ms), "counting"));
    advance(10ms);
    BOOST_REQUIRE(end->done);
    BOOST_CHECK_THROW(std::rethrow_exception(end->error), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(an_error_that_comes_with_the_very_limit_is_the_works_own) {
    const auto end = start(in_time(time, time.now() + 1s, fail_after(time, 1s), "counting"));
    advance(1s);
    BOOST_REQUIRE(end->done);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(end->error), std::runtime_error,
                          [](const std::exception& e) { return e.what() == std::string("no luck"); });
}

BOOST_AUTO_TEST_CASE(a_result_that_comes_although_the_work_was_cut_off_is_not_lost) {
    gate closed(io.get_executor());
    const auto end = start(in_time(time, time.now() + 1s, stubborn_seven(closed), "counting"));
    BOOST_TEST(!end->done);
    advance(1s);
    BOOST_TEST(end->value.value() == 7);
}

BOOST_AUTO_TEST_SUITE_END()
