#include "fixture.hpp"

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker/watchdog.hpp>
#include <taskflux/flow/worker_observer.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <string>
#include <vector>

using namespace test::flow;

namespace flow_worker_observer_threads {

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

}  // namespace flow_worker_observer_threads

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

BOOST_AUTO_TEST_CASE(a_plain_function_that_blocks_the_last_slot_or_thread_for_a_task_is_told_of) {
    struct recorder final : taskflux::worker_observer {
        void on_starved(const taskflux::running_handler& who, const taskflux::task_id&, bool is_deadlock) override {
            starved.push_back(who.name + (is_deadlock ? " for ever" : ""));
        }
        std::vector<std::string> starved;
    };
    for (const bool by_slot : {true, false}) {
        for (const bool waits : {true, false}) {
            const watchdog dog;
            asio::io_context io;
            taskflux::manual_clock time;
            const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
            const taskflux::client client{broker};
            const auto seen = std::make_shared<recorder>();
            std::string text;
            const auto how = worker_options().cpu_threads(1).concurrency(by_slot ? 1 : 4).renewal_thread(false).observer(seen);
            worker w{broker, worker_options(how).log([&text](std::string_view line) { text = line; })};
            std::promise<void> called;
            w.on(twice, [](int x) { return 2 * x; }).on(note, [&](int x) {
                auto result = client.async_run(twice, submit_options().wait(60s), x, asio::use_future);
                called.set_value();
                if (waits) result.get();
            });
            const auto drive = [&](const auto& is_over) {
                while (!is_over()) {
                    io.restart();
                    io.run_for(std::chrono::milliseconds(1));
                }
            };
            const auto life = start_on(io.get_executor(), w.run());
            const auto outer = start_on(io.get_executor(), client.run(note, 3));
            auto has_called = called.get_future();
            drive([&] { return has_called.wait_for(0s) == std::future_status::ready; });
            const auto pass = [&] {
                io.restart();
                io.poll();
                time.advance(1s);
                io.restart();
                io.poll();
            };
            worker other{broker, worker_options().renewal_thread(false).cpu(io.get_executor())};
            other.on(twice, [](int x) { return 2 * x; });
            if (waits) {
                drive([&] { return pass(), !seen->starved.empty(); });
                BOOST_TEST(seen->starved == std::vector<std::string>{"note"});
                BOOST_TEST(text.find(by_slot ? "keeps its slot, as do all handlers here (1), so that another worker must run it"
                                             : "keeps its thread, as do all plain functions here (1), so that it can't begin as "
                                               "long as they wait") != std::string::npos);
                start_on(io.get_executor(), other.run());
            }
            drive([&] { return pass(), outer->done; });
            BOOST_TEST((outer->error != nullptr) == (waits && !by_slot));  // what this worker has fetched, no other runs
            for (int i = 0; i != 10; ++i) pass();
            BOOST_TEST(seen->starved.size() == (waits ? 1U : 0U));
            w.stop();
            other.stop();
            drive([&] { return life->done; });
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
