#include "fixture.hpp"

#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker/watchdog.hpp>
#include <taskflux/flow/worker_observer.hpp>

#include <atomic>
#include <future>

using namespace test::flow;

namespace {

/// Ends the wait of a handler that blocks its thread.
struct releaser final : taskflux::worker_observer {
    void on_blocked(const std::vector<taskflux::running_handler>& running, taskflux::duration time) override {
        ++times;
        among = running;
        waited = time;
        told.set_value();
    }

    std::atomic<int> times = 0;
    std::vector<taskflux::running_handler> among;
    taskflux::duration waited{};
    std::promise<void> told;
};

/// Counts how often it is asked.
class asked_clock final : public taskflux::clock {
public:
    taskflux::time_point now() const noexcept override {
        ++asked;
        return time_.now();
    }
    void arm(asio::steady_timer& timer, taskflux::time_point when) override { time_.arm(timer, when); }
    void disarm(asio::steady_timer& timer) noexcept override { time_.disarm(timer); }
    void advance(taskflux::duration by) { time_.advance(by); }

    mutable std::atomic<int> asked = 0;

private:
    taskflux::manual_clock time_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_worker_observer_threads)

BOOST_AUTO_TEST_CASE(a_handler_that_blocks_the_io_thread_is_named) {
    const watchdog dog;
    asio::io_context io;
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    const auto seen = std::make_shared<releaser>();
    std::string text;
    const auto how = worker_options().concurrency(1).prefetch(1).observer(seen).blocked_after(20ms);
    worker w{broker, worker_options(how).log([&text](std::string_view line) { text = line; })};
    w.on(twice, [&seen](int x) -> asio::awaitable<int> {
        if (x == 4) seen->told.get_future().wait();  // blocks, and no timer of the context would end it
        co_return 2 * x;
    });
    taskflux::client client{broker};
    const std::vector<int> numbers{4, 5};  // the second one waits for the first one's slot
    const auto jobs = start_on(io.get_executor(), client.submit_all(twice, numbers));
    while (!jobs->done) io.run_one();
    io.restart();
    const auto life = start_on(io.get_executor(), w.run());
    while (seen->times == 0) io.run_one();
    w.stop();
    io.restart();
    io.run();
    BOOST_TEST(seen->times == 1);
    BOOST_REQUIRE(seen->among.size() == 1U);
    BOOST_TEST(seen->among[0].name == "twice");
    BOOST_TEST((seen->among[0].task == jobs->value.value()[0].id()));
    BOOST_TEST((seen->waited >= 20ms));
    BOOST_TEST(text.find("a handler, or other code on this thread, blocks it") != std::string::npos);
    BOOST_TEST(text.find("Running: twice") != std::string::npos);
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(each_time_that_an_executor_stands_still_is_told_once) {
    const watchdog dog;
    asio::io_context watched;
    asio::thread_pool own(1);
    asked_clock time;
    std::atomic<int> told = 0;
    const auto watching = start_on(own.get_executor(), taskflux::detail::watch_executor(
                                                           watched.get_executor(), 2ms, time,
                                                           [&told](taskflux::duration) { ++told; }));
    for (int times = 1; times <= 3; ++times) {
        while (told < times) {
            time.advance(1ms);
            std::this_thread::yield();
        }
        time.advance(10s);
        for (const int asked = time.asked; time.asked < asked + 3;) std::this_thread::yield();  // it has looked again
        BOOST_TEST(told == times);
        watched.restart();
        while (watched.poll() == 0) watched.restart();  // it moves again
    }
    asio::post(own, [&] { watching->cancel(); });
    own.join();
    BOOST_TEST(told == 3);
}

BOOST_AUTO_TEST_SUITE_END()
