#include "fixture.hpp"

#include <taskflux/detail/in_time.hpp>
#include <taskflux/exec/when_all.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <list>
#include <stdexcept>
#include <vector>

// Several threads run the executor, the caller is in no strand, and its call has a cancellation slot.
namespace exec_when_all_threads {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<int> hop(int times) {
    for (int i = 0; i < times; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    co_return times;
}

asio::awaitable<int> fail_after(int times) {
    co_await hop(times);
    throw std::runtime_error("no luck");
}

/// Awaits many of what `make` makes, at the same time, and returns how many ended with a value.
template <class Make>
int await_many(Make make) {
    asio::thread_pool pool(4);
    std::list<asio::cancellation_signal> slots;
    std::vector<decltype(asio::co_spawn(pool, make(0), asio::use_future))> calls;
    for (int i = 0; i < 3000; ++i) {
        calls.push_back(asio::co_spawn(pool, make(i), asio::bind_cancellation_slot(slots.emplace_back().slot(), asio::use_future)));
    }
    int values = 0;
    for (auto& one : calls) {
        try {
            one.get();
            ++values;
        } catch (const std::runtime_error&) {
        }
    }
    pool.join();
    return values;
}

}  // namespace exec_when_all_threads

BOOST_AUTO_TEST_SUITE(exec_when_all_threads)

BOOST_AUTO_TEST_CASE(calls_are_awaited_side_by_side_where_several_threads_run_the_caller) {
    BOOST_TEST(await_many([](int i) { return taskflux::when_all(hop(i % 3), hop(i % 2)); }) == 3000);
    BOOST_TEST(await_many([](int i) { return taskflux::when_all(hop(i % 3), fail_after(i % 2)); }) == 0);
    BOOST_TEST(await_many([](int i) { return taskflux::when_any(fail_after(i % 3), hop(i % 2)); }) == 3000);
}

BOOST_AUTO_TEST_CASE(a_call_with_a_time_limit_is_awaited_where_several_threads_run_the_caller) {
    auto& clock = taskflux::real_clock();
    BOOST_TEST(await_many([&](int i) { return taskflux::detail::in_time(clock, clock.now() + 1h, hop(i % 3), "hopping"); }) == 3000);
    BOOST_TEST(await_many([&](int) { return taskflux::detail::in_time(clock, clock.now() - 1h, hop(100), "hopping"); }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
