#include "fixture.hpp"

#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker.hpp>

#include <memory>
#include <span>
#include <vector>

using namespace test::flow;

// What is destroyed here must neither leak nor be touched again: the sanitizers tell.
BOOST_AUTO_TEST_SUITE(flow_worker_teardown)

namespace {

/// A worker in the middle of everything: handlers of both kinds under way, others queued, delayed, retried and
/// unclaimed, and coroutines that wait for them.
struct busy : fixture {
    gate closed{here};
    int begun = 0;
    std::unique_ptr<worker> w;
    std::vector<std::shared_ptr<coroutine_end<int>>> waits;

    busy() : w(std::make_unique<worker>(broker, options().concurrency(3).prefetch(2))) {
        static constexpr taskflux::task<int(int)> limited{
            "limited", task_options().timeout(1h).deadline(2h).retry(retry_policy::fixed(1h))};
        w->on(twice, [this](int x) -> asio::awaitable<int> {
            ++begun;
            co_await closed.pass();
            co_return x;
        });
        w->on(limited, [this](context& ctx, int x) -> asio::awaitable<int> {
            ++begun;
            if (x == 0) throw std::runtime_error("later");
            ctx.progress(x);
            co_await closed.pass();
            co_return x;
        });
        start(w->run());
        waits.push_back(start(client.run(limited, 0)));
        waits.push_back(start(client.run(limited, 1)));
        for (int i = 0; i < 6; ++i) waits.push_back(start(client.run(twice, i)));
        waits.push_back(start(client.run(answer)));
        waits.push_back(start(client.run(twice, submit_options().delay(1h), 1)));
        BOOST_REQUIRE(begun == 4);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(everything_may_end_with_its_context) {
    busy all;
}

BOOST_AUTO_TEST_CASE(a_worker_may_be_destroyed_while_its_handlers_run) {
    busy all;
    all.w.reset();
    all.settle();
    BOOST_TEST(all.closed.waiting == 0);
    BOOST_TEST(all.counts().running == 0U);
    for (const auto& wait : all.waits) BOOST_TEST(!wait->done);
}

BOOST_AUTO_TEST_CASE(a_worker_may_be_destroyed_while_it_drains) {
    busy all;
    all.w->stop();
    all.settle();
    BOOST_TEST(all.closed.waiting == 3);
    all.w.reset();
    all.settle();
    BOOST_TEST(all.closed.waiting == 0);
    BOOST_TEST(all.counts().running == 0U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_lingers_or_runs_may_end_with_its_worker_or_its_context) {
    for (const bool lingers : {true, false}) {
        for (const bool is_worker_first : {true, false}) {
            fixture f;
            gate closed{f.here};
            auto w = std::make_unique<worker>(f.broker, f.options().concurrency(1).prefetch(1));
            w->on_batch(note, taskflux::batch_options{}.max(3).linger(lingers ? 5s : 0s),
                        [&](std::span<taskflux::batch_item<int>>) { return closed.pass(); });
            const auto life = f.start(w->run());
            const auto jobs = f.now(f.client.submit_all(note, std::vector<int>(5)));  // one batch is full, the other is not
            f.settle();
            BOOST_TEST(closed.waiting == 1);
            BOOST_TEST(f.running() == 5U);
            if (!is_worker_first) continue;
            w.reset();
            f.settle();
            BOOST_TEST(closed.waiting == 0);
            BOOST_TEST(f.counts().waiting == 5U);  // given back
        }
    }
}

BOOST_AUTO_TEST_CASE(a_context_may_end_at_any_point_of_a_pause) {
    struct counted {
        explicit counted(int& c) : count(c) { ++count; }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted() { --count; }
        int& count;
    };
    int most = 0;
    bool has_ended = false;
    for (int steps = 0; !has_ended; ++steps) {
        int locals = 0;
        {
            fixture f;
            worker w{f.broker, f.options().concurrency(2)};
            w.on(answer, [&](context& ctx) -> asio::awaitable<int> {
                const counted here(locals);
                most = (std::max)(most, locals);
                co_await ctx.sleep_for(1h);
                co_return 42;
            });
            const auto life = f.start(w.run());
            for (int i = 0; i != 3; ++i) start_on(f.here, f.client.submit(answer));
            int done = 0;
            f.io.restart();
            while (done < steps && f.io.poll_one() != 0) ++done;
            has_ended = done < steps;
            if (has_ended) BOOST_TEST(f.counts().scheduled == 3U);
        }
        BOOST_TEST(locals == 0);
    }
    BOOST_TEST(most > 0);
}

BOOST_AUTO_TEST_CASE(a_worker_with_threads_may_be_destroyed_in_the_middle) {
    const watchdog dog;
    fixture f;
    std::atomic<int> begun = 0;
    {
        worker w{f.broker, worker_options().cpu_threads(2).concurrency(4)};
        w.on(note, [&](context& ctx, int) {
            ++begun;
            while (!ctx.cancelled()) std::this_thread::yield();
        });
        const auto life = f.start(w.run());
        f.now(f.client.submit_all(note, std::vector<int>(8)));
        while (begun < 2) f.settle();
    }
    f.settle();
    BOOST_TEST(begun < 8);
}

BOOST_AUTO_TEST_CASE(a_coroutine_may_own_the_worker_it_runs) {
    struct local {
        static asio::awaitable<void> serve(taskflux::broker_ptr broker, worker_options how) {
            worker w{broker, how};
            w.on(tick, []() -> asio::awaitable<void> {
                gate never{co_await asio::this_coro::executor};
                co_await never.pass();
            });
            co_await w.run();
        }
    };
    fixture f;
    const auto life = f.start(local::serve(f.broker, f.options().renewal_thread(true)));
    f.now(f.client.submit(tick));
    f.settle();
    BOOST_TEST(f.running() == 1U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_never_ran_leaves_nothing) {
    fixture f;
    worker w{f.broker, f.options()};
    w.on(twice, [](int x) { return x; });
    auto never_awaited = w.run();
}

BOOST_AUTO_TEST_CASE(calls_that_are_never_awaited_leave_nothing) {
    fixture f;
    auto call = f.client.run(twice, 1);
    auto submission = f.client.submit(twice, 1);
    BOOST_TEST(f.counts().waiting == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
