#include <taskflux/detail/event.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <thread>

namespace detail_event {

namespace asio = boost::asio;
using taskflux::detail::event;

asio::awaitable<void> count(event& on, int& woken) {
    for (;;) {
        co_await on.wait();
        ++woken;
    }
}

asio::awaitable<void> wait_once(std::shared_ptr<event> on) { co_await on->wait(); }

asio::awaitable<void> set_at_the_end(event& on, event& never) {
    struct setting {
        ~setting() { on.set(); }
        event& on;
    } at_the_end{on};
    co_await never.wait();
}

void poll(asio::io_context& context) {
    context.restart();
    context.poll();
}

}  // namespace detail_event

BOOST_AUTO_TEST_SUITE(detail_event)

BOOST_AUTO_TEST_CASE(setting_it_wakes_its_waiters) {
    int woken = 0;
    asio::io_context context;
    event on;
    asio::co_spawn(context, count(on, woken), asio::detached);
    poll(context);
    BOOST_TEST(woken == 0);
    for (int i = 1; i <= 3; ++i) {
        on.set();
        poll(context);
        BOOST_TEST(woken == i);
    }
}

BOOST_AUTO_TEST_CASE(set_before_a_wait_it_lets_one_wait_through) {
    int woken = 0;
    asio::io_context context;
    event on;
    on.set();
    on.set();
    on.set();
    asio::co_spawn(context, count(on, woken), asio::detached);
    poll(context);
    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_throws_operation_aborted_and_takes_no_set_with_it) {
    int woken = 0;
    asio::io_context context;
    event on;
    asio::cancellation_signal signal;
    boost::system::error_code failed;
    asio::co_spawn(context, on.wait(), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
        try {
            if (e) std::rethrow_exception(e);
        } catch (const boost::system::system_error& caught) {
            failed = caught.code();
        }
    }));
    poll(context);
    signal.emit(asio::cancellation_type::terminal);
    poll(context);
    BOOST_TEST((failed == asio::error::operation_aborted));
    on.set();
    asio::co_spawn(context, count(on, woken), asio::detached);
    poll(context);
    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(sets_from_other_threads_are_not_lost) {
    constexpr int rounds = 2000;
    asio::io_context context;
    event there;
    std::atomic<int> sets = 0, seen = 0;
    struct loop {
        static asio::awaitable<void> run(event& on, std::atomic<int>& set_so_far, std::atomic<int>& seen_so_far) {
            while (seen_so_far < rounds) {
                co_await on.wait();
                seen_so_far = set_so_far.load();  // the last set is always seen, whatever was merged before it
            }
        }
    };
    asio::co_spawn(context, loop::run(there, sets, seen), asio::detached);
    std::jthread other([&] {
        for (int i = 0; i < rounds; ++i) {
            ++sets;
            there.set();
        }
    });
    context.run();
    BOOST_TEST(seen == rounds);
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_takes_its_waits_with_it) {
    int woken = 0;
    auto context = std::make_unique<asio::io_context>();
    event on;
    asio::co_spawn(*context, count(on, woken), asio::detached);
    poll(*context);
    context.reset();
    on.set();
    BOOST_TEST(woken == 0);
}

BOOST_AUTO_TEST_CASE(it_may_be_set_by_what_a_context_drops_when_it_ends) {
    for (const bool is_setter_first : {false, true}) {
        int woken = 0;
        event on, never;
        {
            asio::io_context context;
            if (is_setter_first) asio::co_spawn(context, set_at_the_end(on, never), asio::detached);
            asio::co_spawn(context, count(on, woken), asio::detached);
            if (!is_setter_first) asio::co_spawn(context, set_at_the_end(on, never), asio::detached);
            poll(context);
        }
        BOOST_TEST(woken == 0);
        asio::io_context other;
        asio::co_spawn(other, count(on, woken), asio::detached);
        poll(other);
        BOOST_TEST(woken == 1);
    }
}

BOOST_AUTO_TEST_CASE(it_may_be_set_and_destroyed_after_the_context_of_who_waited_and_while_that_ends) {
    constexpr int rounds = 500;
    int woken = 0;
    std::jthread other;
    for (int i = 0; i < rounds; ++i) {
        asio::io_context context;
        auto on = std::make_shared<event>();
        asio::co_spawn(context, wait_once(on), [&](std::exception_ptr e) { woken += !e; });
        other = std::jthread([on] { on->set(); });
        on.reset();
        context.run();
    }
    BOOST_TEST(woken == rounds);
}

BOOST_AUTO_TEST_CASE(a_set_that_comes_while_a_wait_is_being_cancelled_is_kept_for_the_next_wait) {
    int woken = 0;
    asio::io_context context;
    event on;
    asio::cancellation_signal signal;
    asio::co_spawn(context, on.wait(), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { BOOST_TEST(!!e); }));
    poll(context);
    signal.emit(asio::cancellation_type::terminal);
    on.set();
    asio::co_spawn(context, count(on, woken), asio::detached);
    poll(context);
    poll(context);
    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_SUITE_END()
