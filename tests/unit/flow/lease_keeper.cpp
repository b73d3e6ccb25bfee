#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/flow/worker/lease_keeper.hpp>
#include <taskflux/flow/worker/watchdog.hpp>

#include <atomic>
#include <future>

using namespace test::flow;

namespace flow_lease_keeper {

/// Moves only when it is told to, from any thread, and counts how often it is asked.
class asked_clock final : public taskflux::clock {
public:
    taskflux::time_point now() const noexcept override {
        ++asked;
        return taskflux::time_point(taskflux::duration(now_ms_));
    }
    void arm(asio::steady_timer& timer, taskflux::time_point when) override {
        if (when == taskflux::never) timer.expires_at((asio::steady_timer::time_point::max)());
        else timer.expires_after(1ms);  // who waits looks again
    }
    void disarm(asio::steady_timer&) noexcept override {}
    void advance(taskflux::duration by) { now_ms_ += by.count(); }

    mutable std::atomic<int> asked = 0;

private:
    std::atomic<taskflux::duration::rep> now_ms_ = 0;
};

/// Counts the renewals that have been carried out.
class counting_broker final : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<taskflux::renewal> renew(std::string consumer, std::vector<std::string> queues, taskflux::duration lease) override {
        const auto begun = clock().now();
        auto answer = co_await memory_broker::renew(std::move(consumer), std::move(queues), lease);
        ++renewals;
        renewed_at = begun;
        co_return answer;
    }

    std::atomic<int> renewals = 0;
    std::atomic<taskflux::time_point> renewed_at = taskflux::time_point();  // when the last of them began
};

/// A worker whose handler blocks its I/O thread until it is let go, and a clock that stands still by itself: no lease runs
/// out because the machine is slow.
struct blocked {
    static constexpr auto lease = 100ms;

    asked_clock time;
    asio::io_context io;
    std::shared_ptr<counting_broker> broker =
        std::make_shared<counting_broker>(io.get_executor(), taskflux::memory_options(), time);
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

    /// Moves time on, and waits until the lease has been renewed since.
    void pass(taskflux::duration by) {
        time.advance(by);
        const auto now = time.now();
        while (broker->renewed_at.load() < now) std::this_thread::yield();
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

/// Returns when the clock has been asked so often.
void await_asked(const asked_clock& time, int count) {
    const int goal = time.asked + count;
    while (time.asked < goal) std::this_thread::yield();
}

}  // namespace flow_lease_keeper

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

BOOST_AUTO_TEST_CASE(a_renewal_that_waits_for_its_server_may_outlive_it) {
    const watchdog dog;
    asio::io_context io;
    struct server {
        static asio::awaitable<void> ask(server& self) {
            ++self.begun;
            co_await self.answers.wait();
            ++self.ended;
        }
        taskflux::detail::event answers;
        std::atomic<int> begun = 0, ended = 0;
    } slow;
    asked_clock time;
    {
        taskflux::detail::lease_keeper keeper(1ms, 1h, time, io.get_executor(), [&] { return server::ask(slow); });
        keeper.start();
        while (slow.begun == 0) std::this_thread::yield();
        await_asked(time, 5);  // in each round once: none begins another
    }
    BOOST_TEST(slow.begun == 1);
    slow.answers.set();
    io.run();
    BOOST_TEST(slow.ended == 1);
}

BOOST_AUTO_TEST_CASE(limits_that_are_as_long_as_can_be_keep_no_thread_busy) {
    const watchdog dog;
    asio::io_context idle;  // runs nothing, so that both loops ask the clock each time they look
    asked_clock time;
    constexpr auto most = (taskflux::duration::max)();
    taskflux::detail::lease_keeper keeper(most / 3, most, time, idle.get_executor(), []() -> asio::awaitable<void> { co_return; });
    keeper.run_beside(taskflux::detail::watch_executor(idle.get_executor(), most, time, [](taskflux::duration) {}));
    std::atomic<int> renewals = 0;
    asked_clock other;
    taskflux::detail::lease_keeper beside(1ms, 0ms, other, idle.get_executor(), [&]() -> asio::awaitable<void> {
        ++renewals;
        co_return;
    });
    keeper.start();
    beside.start();
    while (renewals < 50) std::this_thread::yield();
    beside.stop();
    keeper.stop();
    BOOST_TEST(time.asked < 100);
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
    time.advance(10s);
    await_asked(time, 2);  // in each round once
    const int given_up = renewals;
    await_asked(time, 5);
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
    const auto end = f.watch(worker_options().lease(f.lease).blocked_after(0ms), [&](const job<int>& job) {
        for (int halves = 0; halves < 5; ++halves) {
            f.pass(f.lease / 2);
            BOOST_TEST((f.state(job) == task_state::running));
        }
    });
    BOOST_TEST(end.crashes == 0U);
    BOOST_TEST(end.deliveries == 1U);
}

BOOST_AUTO_TEST_CASE(without_the_thread_it_loses_it) {
    const watchdog dog;
    blocked f;
    const auto end = f.watch(worker_options().lease(f.lease).blocked_after(0ms).renewal_thread(false), [&](const job<int>& job) {
        f.time.advance(f.lease);
        BOOST_TEST(f.record(job).crashes == 1U);
    });
    BOOST_TEST(end.crashes == 1U);
    BOOST_TEST(end.deliveries == 2U);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_stuck_for_too_long_loses_it) {
    const watchdog dog;
    blocked f;
    const auto end = f.watch(worker_options().lease(f.lease).blocked_after(0ms).stuck_after(2 * f.lease), [&](const job<int>& job) {
        await_asked(f.time, 10);  // the keeper has asked the thread, which does not move any more
        for (int halves = 0; halves < 3; ++halves) f.pass(f.lease / 2);
        f.time.advance(f.lease / 2);
        await_asked(f.time, 10);  // a renewal that was under way is over
        const int given_up = f.broker->renewals;
        await_asked(f.time, 10);
        BOOST_TEST(f.broker->renewals == given_up);
        f.time.advance(f.lease);
        BOOST_TEST(f.record(job).crashes == 1U);
    });
    BOOST_TEST(end.crashes == 1U);
    BOOST_TEST(end.deliveries == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
