#include <taskflux/detail/event.hpp>
#include <taskflux/detail/nursery.hpp>

#include "../exec/fixture.hpp"

#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

namespace detail_nursery {

using namespace test;
using taskflux::detail::event;
using taskflux::detail::nursery;

/// Whose failures are told apart by their text.
struct parent : fixture {
    event hold;
    int failures_heard = 0;
    nursery all{asio::make_strand(io), [this] { ++failures_heard; }};

    std::string failure() const {
        try {
            all.check();
        } catch (const std::exception& e) {
            return e.what();
        }
        return "none";
    }
};

asio::awaitable<void> wait_for(event& on) { co_await on.wait(); }

asio::awaitable<void> fail(std::string why) {
    co_await asio::this_coro::executor;
    throw std::runtime_error(why);
}

/// Ends with an error of its own when it is told to stop.
asio::awaitable<void> fail_when_stopped(event& on) {
    try {
        co_await on.wait();
    } catch (const boost::system::system_error&) {
        throw std::runtime_error("stopped badly");
    }
}

asio::awaitable<void> abort_unasked() {
    co_await asio::this_coro::executor;
    throw boost::system::system_error(asio::error::operation_aborted);
}

asio::awaitable<void> stop_itself(nursery& all, nursery::child& self, event& on) {
    co_await asio::this_coro::executor;
    self.stop();
    co_await on.wait();
    all.stop_all();
}

}  // namespace detail_nursery

BOOST_FIXTURE_TEST_SUITE(detail_nursery, parent)

BOOST_AUTO_TEST_CASE(the_end_of_one_is_waited_for_while_another_runs) {
    event other;
    nursery::child one;
    all.start(one, wait_for(hold));
    all.start(wait_for(other));
    const auto waiting = start(all.end_of(one));
    BOOST_TEST(!waiting->done);
    BOOST_TEST(!one.is_over());
    hold.set();
    settle();
    BOOST_TEST(waiting->done);
    BOOST_TEST(one.is_over());
    const auto waiting_for_all = start(all.end_of_all());
    BOOST_TEST(!waiting_for_all->done);
    other.set();
    settle();
    BOOST_TEST(waiting_for_all->done);
    BOOST_TEST(failure() == "none");
}

BOOST_AUTO_TEST_CASE(one_that_was_never_started_is_over) {
    nursery::child one;
    one.stop();
    BOOST_TEST(one.is_over());
    BOOST_TEST(start(all.end_of(one))->done);
    BOOST_TEST(start(all.end_of_all())->done);
}

BOOST_AUTO_TEST_CASE(stopping_one_stops_no_other_and_is_no_failure) {
    event other;
    nursery::child one, two;
    all.start(one, wait_for(hold));
    all.start(two, wait_for(other));
    settle();
    one.stop();
    settle();
    BOOST_TEST(one.is_over());
    BOOST_TEST(!two.is_over());
    BOOST_TEST(failure() == "none");
    BOOST_TEST(failures_heard == 0);
    other.set();
    settle();
}

BOOST_AUTO_TEST_CASE(stopping_all_ends_all_and_lets_none_begin) {
    event other;
    all.start(wait_for(hold));
    all.start(wait_for(other));
    settle();
    all.stop_all();
    settle();
    BOOST_TEST(all.is_stopped());
    BOOST_TEST(start(all.end_of_all())->done);
    nursery::child late;
    all.start(late, fail("it has begun"));
    settle();
    BOOST_TEST(late.is_over());
    BOOST_TEST(failure() == "none");
}

BOOST_AUTO_TEST_CASE(the_first_failure_is_kept_and_heard_of_once) {
    all.start(fail("the first"));
    all.start(fail("the second"));
    settle();
    BOOST_TEST(failure() == "the first");
    BOOST_TEST(failures_heard == 1);
}

BOOST_AUTO_TEST_CASE(what_one_throws_other_than_its_cancellation_is_a_failure_also_when_stopped) {
    nursery::child one;
    all.start(one, fail_when_stopped(hold));
    settle();
    one.stop();
    settle();
    BOOST_TEST(failure() == "stopped badly");
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_nobody_asked_for_is_a_failure) {
    all.start(abort_unasked());
    settle();
    BOOST_TEST(failures_heard == 1);
    BOOST_CHECK_THROW(all.check(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(one_can_stop_itself_before_it_first_waits) {
    nursery::child one;
    all.start(one, stop_itself(all, one, hold));
    settle();
    BOOST_TEST(one.is_over());
    BOOST_TEST(!all.is_stopped());
    BOOST_TEST(failure() == "none");
}

BOOST_AUTO_TEST_CASE(a_failure_can_stop_the_others) {
    event other;
    nursery together(io.get_executor(), [&] { together.stop_all(); });
    nursery::child one;
    together.start(one, wait_for(other));
    together.start(fail("the only"));
    settle();
    BOOST_TEST(one.is_over());
    BOOST_CHECK_THROW(together.check(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_takes_the_coroutines_and_their_owner) {
    struct owner : std::enable_shared_from_this<owner> {
        explicit owner(const asio::any_io_executor& on) : all(on) {}
        asio::awaitable<void> live() {
            const auto self = shared_from_this();
            all.start(wait_for(never));
            co_await all.end_of_all();
        }
        event never;
        nursery all;
    };
    std::weak_ptr<owner> gone;
    {
        asio::io_context brief;
        auto one = std::make_shared<owner>(brief.get_executor());
        gone = one;
        test::start_on(brief.get_executor(), one->live());
        brief.poll();
        one.reset();
        BOOST_TEST(!gone.expired());
    }
    BOOST_TEST(gone.expired());
}

BOOST_AUTO_TEST_CASE(one_that_outlives_its_nursery_ends_unheard) {
    auto brief = std::make_unique<nursery>(asio::make_strand(io), [this] { ++failures_heard; });
    nursery::child one;
    brief->start(one, fail_when_stopped(hold));
    settle();
    brief.reset();
    one.stop();
    settle();
    BOOST_TEST(one.is_over());
    BOOST_TEST(failures_heard == 0);
}

BOOST_AUTO_TEST_SUITE_END()
