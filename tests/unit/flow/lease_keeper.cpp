#include "fixture.hpp"

#include <taskflux/flow/worker/lease_keeper.hpp>

#include <atomic>
#include <future>

using namespace test::flow;

namespace {

/// Counts how often it is asked.
struct asked_clock final : taskflux::clock {
    taskflux::time_point now() const noexcept override {
        ++asked;
        return taskflux::time_point(taskflux::duration(now_ms));
    }
    void arm(asio::steady_timer&, taskflux::time_point) override {}
    void disarm(asio::steady_timer&) noexcept override {}

    mutable std::atomic<int> asked = 0;
    std::atomic<taskflux::duration::rep> now_ms = 0;
};

/// Real time and a worker whose handler blocks its I/O thread until it is let go.
struct blocked {
    asio::io_context io;
    taskflux::broker_ptr broker = taskflux::make_memory_broker(io.get_executor());
    std::promise<void> release;
    std::atomic<int> begun = 0;
    taskflux::client client{broker};

    asio::awaitable<int> block(int x) {
        if (++begun == 1) release.get_future().wait();
        co_return 2 * x;
    }

    /// Runs `observe(job)` on this thread while the I/O thread is blocked, then lets that go; gives the record.
    template <class Observe>
    taskflux::task_record watch(const worker_options& how, Observe observe) {
        worker w{broker, how};
        w.on(twice, [this](int x) { return block(x); });
        const auto life = start_on(io.get_executor(), w.run());
        const auto job = start_on(io.get_executor(), client.submit(twice, 4));
        while (!job->done) io.run_one();
        std::thread thread([this] {
            io.restart();
            io.run();
        });
        while (begun == 0) std::this_thread::yield();
        observe(*job->value);
        release.set_value();
        while (state(*job->value) != task_state::succeeded) std::this_thread::yield();
        w.stop();
        thread.join();
        return record(*job->value);
    }

    /// Asks the broker from a thread of its own context: the embedded one needs no I/O thread for that.
    taskflux::task_record record(const job<int>& of) {
        asio::io_context own;
        const auto answer = start_on(own.get_executor(), of.record());
        own.run();
        return answer->value.value();
    }
    task_state state(const job<int>& of) { return record(of).state; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_lease_keeper)

BOOST_AUTO_TEST_CASE(it_renews_until_it_is_stopped) {
    const watchdog dog;
    asio::io_context io;
    std::atomic<int> renewals = 0;
    taskflux::detail::lease_keeper keeper(1ms, 0ms, taskflux::real_clock(), io.get_executor(),
                                          [&]() -> asio::awaitable<void> {
                                              ++renewals;
                                              co_return;
                                          });
    keeper.start();
    while (renewals < 5) std::this_thread::yield();
    keeper.stop();
    const int before = renewals;
    keeper.stop();
    keeper.start();
    BOOST_TEST(renewals == before);
}

BOOST_AUTO_TEST_CASE(it_gives_up_on_an_executor_that_does_not_move_until_it_moves_again) {
    const watchdog dog;
    asio::io_context io;
    asked_clock time;
    std::atomic<int> renewals = 0;
    taskflux::detail::lease_keeper keeper(1ms, 10s, time, io.get_executor(), [&]() -> asio::awaitable<void> {
        ++renewals;
        co_return;
    });
    keeper.start();
    while (renewals < 3) std::this_thread::yield();
    time.now_ms = 10'000;
    const auto pass_rounds = [&](int count) {  // each asks for the time
        const int goal = time.asked + count;
        while (time.asked < goal) std::this_thread::yield();
    };
    pass_rounds(2);
    const int given_up = renewals;
    pass_rounds(5);
    BOOST_TEST(renewals == given_up);
    while (renewals == given_up) {
        io.restart();
        io.poll();
    }
    keeper.stop();
}

BOOST_AUTO_TEST_CASE(a_handler_that_blocks_the_thread_keeps_its_lease) {
    const watchdog dog;
    blocked f;
    const auto end = f.watch(worker_options().lease(1s), [&](const job<int>& job) {
        const auto until = std::chrono::steady_clock::now() + 2500ms;  // more than two leases
        while (std::chrono::steady_clock::now() < until) BOOST_REQUIRE(f.state(job) == task_state::running);
    });
    BOOST_TEST(end.crashes == 0U);
    BOOST_TEST(end.deliveries == 1U);
}

BOOST_AUTO_TEST_CASE(without_the_thread_it_loses_it) {
    const watchdog dog;
    blocked f;
    const auto end = f.watch(worker_options().lease(100ms).renewal_thread(false), [&](const job<int>& job) {
        while (f.record(job).crashes == 0) std::this_thread::yield();
    });
    BOOST_TEST(end.crashes == 1U);
    BOOST_TEST(end.deliveries == 2U);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_stuck_for_too_long_loses_it) {
    const watchdog dog;
    blocked f;
    const auto end = f.watch(worker_options().lease(100ms).stuck_after(200ms), [&](const job<int>& job) {
        while (f.record(job).crashes == 0) std::this_thread::yield();
    });
    BOOST_TEST(end.crashes == 1U);
    BOOST_TEST(end.deliveries == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
