#include "fixture.hpp"

#include <taskflux/admin/node.hpp>
#include <taskflux/app/app.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <list>
#include <memory>
#include <thread>

// Threads steer and end what other threads run; the sanitizers tell of what is raced for.
using namespace test::flow;
using namespace taskflux;

BOOST_AUTO_TEST_SUITE(flow_shutdown_threads)

namespace {

constexpr method<int(int)> slow{"numbers", "slow"};
constexpr method<void(int)> block{"numbers", "block"};

asio::awaitable<int> rest(int milliseconds) {
    co_await taskflux::detail::sleep_for(real_clock(), std::chrono::milliseconds(milliseconds));
    co_return milliseconds;
}

void set_up(service& one) {
    one.on(slow, rest);
    one.on(block, [](int) { std::this_thread::yield(); });
}

/// Calls `run` on one thread and `steer`, until that has returned, on another; then waits for the end of `run`.
template <class Run, class Steer>
void race(asio::thread_pool& pool, Run run, Steer steer) {
    std::thread other(steer);
    auto life = asio::co_spawn(pool, run(), asio::use_future);
    other.join();
    life.get();
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_runs_may_be_stopped_by_any_thread_at_any_time) {
    const watchdog dog;
    asio::thread_pool pool(3);
    const auto broker = make_memory_broker(pool.get_executor());
    for (int round = 0; round < 100; ++round) {
        worker w{broker, worker_options().cpu_threads(1).drain_for(0s)};
        w.on(tick, [] {});
        node shown{broker, w};
        race(pool, [&] { return shown.run(); }, [&] {
            w.set_concurrency(5);
            w.pause();
            w.resume();
            BOOST_TEST(w.concurrency() == 5U);
            static_cast<void>(w.counts());
            if (round % 2 == 0) w.stop();
            if (round % 3 == 0) w.stop_now();
            shown.stop();
        });
        service s{broker, service_options().drain_for(0s)};
        set_up(s);
        race(pool, [&] { return s.run(); }, [&] {
            static_cast<void>(s.running());
            s.stop();
        });
        scheduler plan{broker};
        plan.local("job", "@every 1ms", [] {});
        race(pool, [&] { return plan.run(); }, [&] { plan.stop(); });
    }
    broker->close();
    pool.join();
}

BOOST_AUTO_TEST_CASE(calls_may_come_while_their_service_goes) {
    const watchdog dog;
    asio::thread_pool pool(3);
    const auto broker = make_memory_broker(pool.get_executor());
    const rpc caller{broker};
    for (int round = 0; round < 40; ++round) {
        auto one = std::make_unique<service>(broker, service_options().drain_for(0s).cpu_threads(1));
        set_up(*one);
        auto life = asio::co_spawn(pool, one->run(), asio::use_future);
        std::list<asio::cancellation_signal> slots;
        std::vector<std::future<void>> calls;
        struct local {
            static asio::awaitable<void> call(rpc by) {
                for (int i = 0; i < 10; ++i) {
                    try {
                        co_await by.notify(block, 1);
                        co_await by.broadcast(slow, 1);
                        co_await by.call(block, 1);
                    } catch (const boost::system::system_error&) {  // it is gone
                    }
                }
            }
        };
        for (int i = 0; i < 4; ++i) {
            calls.push_back(asio::co_spawn(pool, local::call(caller),
                                           asio::bind_cancellation_slot(slots.emplace_back().slot(), asio::use_future)));
        }
        for (int i = 0; i < round % 7; ++i) std::this_thread::yield();
        if (round % 2 == 0) one->stop();
        else one.reset();
        life.get();
        for (auto& call : calls) BOOST_CHECK_NO_THROW(call.get());
    }
    broker->close();
    pool.join();
}

BOOST_AUTO_TEST_CASE(a_broker_may_be_closed_by_any_thread) {
    const watchdog dog;
    for (int round = 0; round < 40; ++round) {
        asio::thread_pool pool(3);
        const auto broker = make_memory_broker(pool.get_executor());
        worker w{broker, worker_options().cpu_threads(1)};
        w.on(tick, [] {});
        worker steered{broker};
        steered.on(tick, [] {});
        node shown{broker, steered};
        service s{broker};
        set_up(s);
        scheduler plan{broker};
        auto working = asio::co_spawn(pool, w.run(), asio::use_future);
        auto showing = asio::co_spawn(pool, shown.run(), asio::use_future);
        auto serving = asio::co_spawn(pool, s.run(), asio::use_future);
        auto planning = asio::co_spawn(pool, plan.run(), asio::use_future);
        for (int i = 0; i < round; ++i) std::this_thread::yield();
        const bool is_stopped = round % 2 == 0;
        if (is_stopped) {
            w.stop();
            shown.stop();
            s.stop();
            plan.stop();
        }
        broker->close();
        for (auto* life : {&working, &showing, &serving, &planning}) {
            if (is_stopped) BOOST_CHECK_NO_THROW(life->get());
            else BOOST_CHECK_THROW(life->get(), boost::system::system_error);
        }
        pool.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
