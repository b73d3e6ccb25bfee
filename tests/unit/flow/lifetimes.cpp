#include "fixture.hpp"

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// What outlives what, as docs/architecture.md says under "Lifetimes": the sanitizers tell.
using namespace test::flow;

BOOST_AUTO_TEST_SUITE(flow_lifetimes)

namespace {

constexpr taskflux::method<taskflux::stream<int>()> count{"numbers", "count"};
constexpr taskflux::task<int(int)> parent{"parent"};

template <class T>
boost::system::error_code error_of(asio::awaitable<T> call) {
    asio::io_context io;
    const auto end = start_on(io.get_executor(), std::move(call));
    io.run();
    return end->code();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_worker_may_be_destroyed_at_any_step_of_its_nodes_start) {
    for (int steps = 0; steps < 60; ++steps) {
        asio::io_context io;
        taskflux::manual_clock time;
        const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
        auto w = std::make_unique<worker>(broker, worker_options().renewal_thread(false));
        w->on(twice, [](int x) { return 2 * x; });
        taskflux::node node{broker, *w};
        const auto life = start_on(io.get_executor(), node.run());
        for (int i = 0; i < steps; ++i) io.poll_one();
        w.reset();  // which ends the node
        for (int i = 0; i < 100 && !life->done; ++i) {
            io.restart();
            io.poll();
            if (!life->done && time.next() != taskflux::never) time.advance(time.next() - time.now());
        }
        BOOST_TEST(life->done, "after " << steps << " steps");
        BOOST_TEST(!life->error, life->what());
    }
}

BOOST_AUTO_TEST_CASE(a_clock_may_end_before_the_context_and_what_goes_by_it) {
    struct local {
        static asio::awaitable<void> sleep(taskflux::context& ctx) { co_await ctx.sleep_for(300ms); }
        static asio::awaitable<void> serve(taskflux::emitter<int>& out) {
            for (;;) co_await out.emit(1);
        }
        static asio::awaitable<void> read(taskflux::rpc caller) {
            const auto values = co_await caller.call(count);
            asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
            co_await timer.async_wait(asio::use_awaitable);  // its source waits too, by the clock
        }
    };
    asio::io_context io;
    taskflux::broker_ptr broker;
    std::optional<taskflux::worker> w;
    std::optional<taskflux::service> service;
    std::optional<taskflux::scheduler> scheduler;
    std::optional<taskflux::rpc> caller;
    taskflux::manual_clock time;  // ends first
    broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
    w.emplace(broker, worker_options().renewal_thread(false));
    w->on(tick, local::sleep);
    service.emplace(broker);
    service->on(count, local::serve);
    scheduler.emplace(broker);
    caller.emplace(broker);
    const auto on = io.get_executor();
    start_on(on, w->run());
    start_on(on, service->run());
    start_on(on, scheduler->run());
    io.poll();
    start_on(on, taskflux::client(broker).run(tick));
    start_on(on, taskflux::client(broker).run(twice, 1));
    start_on(on, local::read(*caller));
    io.poll();
    time.advance(100ms);
    io.poll();
    BOOST_TEST((time.next() != taskflux::never));  // things wait for it
}

BOOST_AUTO_TEST_CASE(values_may_outlive_their_context_and_refuse_calls_then) {
    taskflux::manual_clock time;
    taskflux::broker_ptr broker;
    std::optional<taskflux::client> client;
    std::optional<taskflux::rpc> caller;
    std::optional<taskflux::raw_queue> raw;
    std::optional<taskflux::job<int>> job;
    std::optional<taskflux::received_message> held;
    std::optional<taskflux::stream<int>> values;
    std::optional<taskflux::directory> directory;
    {
        asio::io_context io;
        broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
        client.emplace(broker);
        caller.emplace(broker);
        raw.emplace(broker, "raw");
        directory.emplace(broker);
        taskflux::service service{broker};
        service.on(count, [](taskflux::emitter<int>& out) -> asio::awaitable<void> {
            for (;;) co_await out.emit(1);
        });
        start_on(io.get_executor(), service.run());
        io.poll();
        struct local {
            static asio::awaitable<void> fill(decltype(client)& by, decltype(caller)& calls, decltype(raw)& queue,
                                              decltype(job)& made, decltype(held)& message, decltype(values)& read) {
                made = co_await by->submit(twice, 1);
                const std::string text = "text";
                co_await queue->send(text);
                message = co_await queue->receive(1s);
                read = co_await calls->call(count);
            }
        };
        const auto filled = start_on(io.get_executor(), local::fill(client, caller, raw, job, held, values));
        io.restart();
        io.poll();
        BOOST_TEST(filled->done);
    }
    BOOST_TEST(broker->is_closed());
    BOOST_TEST(error_of(client->submit(twice, 1)) == errc::shut_down);
    BOOST_TEST(error_of(job->result()) == errc::shut_down);
    BOOST_TEST(error_of(raw->receive(1s)) == errc::shut_down);
    BOOST_TEST(error_of(held->complete("")) == errc::shut_down);
    BOOST_TEST(error_of(directory->nodes()) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE(what_is_told_of_a_local_job_may_outlive_the_threads_it_ran_on) {
    const watchdog dog;
    std::atomic<bool> has_run = false;
    asio::io_context io;
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    auto scheduler = std::make_unique<taskflux::scheduler>(broker, taskflux::scheduler_options().look_every(1ms));
    const auto here = taskflux::schedule_options().scope(taskflux::local_scope::every_process);
    scheduler->local("job", "@every 1ms", [&] { has_run = true; }, here);
    start_on(io.get_executor(), scheduler->run());
    while (!has_run) io.poll_one();
    scheduler.reset();  // its end has been posted, and is not run any more
    BOOST_TEST(has_run);
}

BOOST_AUTO_TEST_CASE(a_handler_that_awaits_many_subtasks_may_end_with_its_context) {
    int begun = 0;
    fixture f;
    gate closed{f.here};
    worker w{f.broker, f.options().concurrency(9)};
    w.on(twice, [&](int x) -> asio::awaitable<int> {
        ++begun;
        co_await closed.pass();
        co_return x;
    });
    w.on(parent, [](context& ctx, int many) -> asio::awaitable<int> {
        const std::vector<int> payloads(static_cast<std::size_t>(many), 1);
        const auto made = co_await ctx.map(twice, payloads);
        co_return int(made.size());
    });
    const auto life = f.start(w.run());
    const auto result = f.start(f.client.run(parent, 5));
    BOOST_TEST(begun == 5);
    BOOST_TEST(!result->done);
}

BOOST_AUTO_TEST_CASE(what_is_destroyed_while_it_runs_says_so_unless_its_context_was_stopped) {
    for (const bool is_stopped : {false, true}) {
        taskflux::manual_clock time;
        asio::io_context io;
        const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
        std::vector<std::string> lines;
        const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
        {
            taskflux::service serves{broker, taskflux::service_options().id("desk").log(keep)};
            serves.on(count, [](taskflux::emitter<int>& out) -> asio::awaitable<void> { co_await out.emit(1); });
            taskflux::scheduler plans{broker, taskflux::scheduler_options().log(keep)};
            worker works{broker, worker_options().renewal_thread(false).cpu(io.get_executor()).name("one").log(keep)};
            works.on(twice, [](int x) { return 2 * x; });
            taskflux::node shows{broker, works, taskflux::node_options().name("first").log(keep)};
            start_on(io.get_executor(), serves.run());
            start_on(io.get_executor(), plans.run());
            start_on(io.get_executor(), shows.run());
            io.poll();
            BOOST_TEST(lines.empty());
            if (is_stopped) io.stop();
        }
        if (!is_stopped) io.poll();
        std::vector<std::string> heads;
        for (const auto& line : lines) heads.push_back(line.substr(0, line.find(" was destroyed while run() was under way")));
        const std::vector<std::string> expected{"node first: it", "worker one: it", "scheduler: it", "service desk: it"};
        BOOST_TEST(heads == (is_stopped ? std::vector<std::string>() : expected), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(what_is_destroyed_before_its_run_begins_says_so_when_that_begins_unless_it_was_stopped) {
    for (const bool is_stopped : {false, true}) {
        taskflux::manual_clock time;
        asio::io_context io;
        const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
        std::vector<std::string> lines;
        const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
        worker stays{broker, worker_options().renewal_thread(false).cpu(io.get_executor()).name("stays").log(keep)};
        stays.on(twice, [](int x) { return 2 * x; });
        std::vector<std::shared_ptr<coroutine_end<void>>> ends;
        {
            taskflux::service serves{broker, taskflux::service_options().id("desk").log(keep)};
            serves.on(count, [](taskflux::emitter<int>& out) -> asio::awaitable<void> { co_await out.emit(1); });
            ends.push_back(start_on(io.get_executor(), serves.run()));
            taskflux::scheduler plans{broker, taskflux::scheduler_options().log(keep)};
            ends.push_back(start_on(io.get_executor(), plans.run()));
            taskflux::node shows{broker, stays, taskflux::node_options().name("first").log(keep)};
            ends.push_back(start_on(io.get_executor(), shows.run()));
            if (is_stopped) {
                serves.stop();
                plans.stop();
                shows.stop();
            }
        }
        BOOST_TEST(lines.empty());
        io.poll();
        for (const auto& end : ends) BOOST_TEST((end->done && !end->error));
        std::vector<std::string> heads;
        for (const auto& line : lines) heads.push_back(line.substr(0, line.find(" was destroyed before its run() had begun")));
        std::ranges::sort(heads);
        const std::vector<std::string> expected{"node first: it", "scheduler: it", "service desk: it"};
        BOOST_TEST(heads == (is_stopped ? std::vector<std::string>() : expected), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_made_with_a_null_broker) {
    const taskflux::broker_ptr none;
    const auto refuses = [](const auto& make) {
        BOOST_CHECK_EXCEPTION(make(), taskflux::error, [](const taskflux::error& e) {
            return e.code() == errc::invalid_argument && std::string(e.what()).find("its broker is a null pointer") != std::string::npos;
        });
    };
    taskflux::manual_clock time;
    asio::io_context io;
    worker real{taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time)};
    refuses([&] { taskflux::client{none}; });
    refuses([&] { taskflux::client(none, submit_options()); });
    refuses([&] { worker{none}; });
    refuses([&] { taskflux::service{none}; });
    refuses([&] { taskflux::scheduler{none}; });
    refuses([&] { taskflux::rpc{none}; });
    refuses([&] { taskflux::raw_queue(none, "q"); });
    refuses([&] { taskflux::node(none, real); });
    refuses([&] { taskflux::inspector{none}; });
    refuses([&] { taskflux::directory{none}; });
}

BOOST_AUTO_TEST_CASE(a_plain_function_may_destroy_what_runs_it_and_then_wait_for_the_context) {
    const watchdog dog;
    taskflux::manual_clock time;
    asio::io_context io;
    const auto broker = taskflux::make_memory_broker(io.get_executor(), taskflux::memory_options(), time);
    const taskflux::client client{broker};
    const taskflux::rpc caller{broker};
    constexpr taskflux::method<int()> last{"desk", "last"};
    const auto silent = taskflux::log_sink(nullptr);
    std::atomic<int> destroyed = 0;
    const auto goes_on = [&] {
        asio::post(io, asio::use_future).get();  // needs the only thread of the context
        return ++destroyed;
    };

    auto works = std::make_unique<worker>(broker, worker_options().cpu_threads(1).log(silent));
    works->on(tick, [&] {
        works.reset();
        goes_on();
    });
    auto serves = std::make_unique<taskflux::service>(broker, taskflux::service_options().cpu_threads(1).log(silent));
    serves->on(last, [&] {
        serves.reset();
        return goes_on();
    });
    auto plans = std::make_unique<taskflux::scheduler>(broker, taskflux::scheduler_options().log(silent));
    plans->local("last", "* * * * * *", [&] {
        plans.reset();
        goes_on();
    });

    std::vector<std::shared_ptr<coroutine_end<void>>> lives;
    lives.push_back(start_on(io.get_executor(), works->run()));
    lives.push_back(start_on(io.get_executor(), serves->run()));
    lives.push_back(start_on(io.get_executor(), plans->run()));
    io.poll();
    start_on(io.get_executor(), client.submit(tick));
    start_on(io.get_executor(), caller.notify(last));
    time.advance(1s);
    io.run();
    BOOST_TEST(destroyed == 3);
    for (const auto& life : lives) BOOST_TEST((life->done && !life->error));
}

BOOST_AUTO_TEST_SUITE_END()
