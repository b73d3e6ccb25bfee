#include "fixture.hpp"

#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <memory>

using namespace test::flow;
using namespace taskflux;

BOOST_AUTO_TEST_SUITE(flow_scheduler_threads)

BOOST_AUTO_TEST_CASE(schedulers_come_and_go_on_several_threads) {
    const watchdog dog;
    asio::thread_pool pool(4);
    const auto broker = make_memory_broker(pool.get_executor());
    const auto ran = std::make_shared<std::atomic<int>>(0);
    const auto options = scheduler_options().look_every(5ms);
    const auto with = schedule_options().overlap(overlap_policy::cancel_previous);
    const auto run = [&](auto call) { return asio::co_spawn(pool, std::move(call), asio::use_future).get(); };
    for (int round = 0; round < 20; ++round) {
        scheduler one(broker, options), other(broker, options);
        for (auto* each : {&one, &other}) {
            each->local("plain", "@every 3ms", [ran] { ++*ran; }, with);
            each->local("coroutine", "@every 3ms", [](std::shared_ptr<std::atomic<int>> count) {
                return [count]() -> asio::awaitable<void> {
                    ++*count;
                    co_await taskflux::detail::sleep_for(real_clock(), 4ms);
                };
            }(ran), with);
        }
        auto life = asio::co_spawn(pool, one.run(), asio::use_future);
        auto other_life = asio::co_spawn(pool, other.run(), asio::use_future);
        run(one.every("@every 2ms", "UTC", tick, with));
        const int goal = *ran + 20;
        while (*ran < goal) std::this_thread::yield();
        run(one.run_now("tick"));
        run(other.pause("tick"));
        run(one.resume("tick"));
        run(other.remove("tick"));
        one.stop();
        if (round % 2 == 0) life.get();
    }
    pool.join();
    BOOST_TEST(*ran >= 400);
}

BOOST_AUTO_TEST_SUITE_END()
