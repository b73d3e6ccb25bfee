#include <taskflux/detail/sleep.hpp>
#include <taskflux/detail/spawn.hpp>

#include "../exec/fixture.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

namespace detail_spawn {

using namespace test;
using taskflux::detail::sleep_for;
using taskflux::detail::spawn_ignoring_errors;
using taskflux::detail::spawn_on;

asio::awaitable<void> mark(bool& done) {
    done = true;
    co_return;
}

asio::awaitable<void> fail(bool& begun) {
    begun = true;
    co_await asio::this_coro::executor;
    throw std::runtime_error("a reason");
}

/// What `on_end` was called with.
struct heard {
    int times = 0;
    std::string what;

    void operator()(const std::exception_ptr& error) {
        ++times;
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            what = e.what();
        }
    }
};

}  // namespace detail_spawn

BOOST_FIXTURE_TEST_SUITE(detail_spawn, fixture)

BOOST_AUTO_TEST_CASE(the_end_of_the_work_is_heard_once) {
    bool is_done = false;
    heard end;
    spawn_on(io.get_executor(), mark(is_done), std::ref(end));
    settle();
    BOOST_TEST(is_done);
    BOOST_TEST(end.times == 1);
    BOOST_TEST(end.what == "");
}

BOOST_AUTO_TEST_CASE(what_the_work_throws_is_heard) {
    bool has_begun = false;
    heard end;
    spawn_on(io.get_executor(), fail(has_begun), std::ref(end));
    settle();
    BOOST_TEST(end.times == 1);
    BOOST_TEST(end.what == "a reason");
}

BOOST_AUTO_TEST_CASE(the_slot_cancels_the_work) {
    asio::cancellation_signal stop;
    std::exception_ptr error;
    spawn_on(io.get_executor(), sleep_for(time, 1h), [&](std::exception_ptr why) { error = why; }, stop.slot());
    settle();
    BOOST_TEST(!error);
    stop.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_REQUIRE(error);
    BOOST_CHECK_THROW(std::rethrow_exception(error), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(the_end_is_heard_on_the_executor_of_the_work) {
    const auto strand = asio::make_strand(io);
    bool is_done = false, was_there = false;
    spawn_on(strand, mark(is_done), [&](std::exception_ptr) { was_there = strand.running_in_this_thread(); });
    settle();
    BOOST_TEST(was_there);
}

BOOST_AUTO_TEST_CASE(work_in_a_context_that_ends_is_destroyed_with_what_hears_its_end) {
    const auto kept = std::make_shared<int>(0);
    bool has_ended = false;
    {
        asio::io_context brief;
        spawn_on(brief.get_executor(), sleep_for(time, 1h), [kept, &has_ended](std::exception_ptr) { has_ended = true; });
        brief.poll();
        BOOST_TEST(kept.use_count() > 1);
    }
    BOOST_TEST(kept.use_count() == 1);
    BOOST_TEST(!has_ended);
}

BOOST_AUTO_TEST_CASE(an_error_of_work_whose_errors_are_ignored_goes_nowhere) {
    bool has_begun = false;
    spawn_ignoring_errors(io.get_executor(), fail(has_begun));
    BOOST_CHECK_NO_THROW(settle());
    BOOST_TEST(has_begun);
}

BOOST_AUTO_TEST_SUITE_END()
