#include "fixture.hpp"

#include <taskflux/core/control.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker/unclaimed_watch.hpp>
#include <taskflux/flow/worker_observer.hpp>

#include <algorithm>
#include <span>

using namespace test::flow;

namespace flow_worker_observer {

struct recorder final : taskflux::worker_observer {
    void on_retry(const taskflux::attempt_failure& of, taskflux::duration delay) override {
        retries.push_back(of);
        delays.push_back(delay.count());
        if (throws) throw std::runtime_error("the observer's own trouble");
    }
    void on_failed(const taskflux::attempt_failure& of) override {
        failures.push_back(of);
        if (throws) throw 1;
    }

    void on_throttled(const std::string& queue, taskflux::duration time) override {
        throttles.push_back(queue + ' ' + std::to_string(time.count()));
        if (throws) throw std::runtime_error("the observer's own trouble");
    }

    void on_queue(const std::string& queue) override {
        queues.push_back(queue);
        if (throws) throw 1;
    }
    void on_unclaimed(const std::string& queue, const std::string& name) override { unclaimed.push_back(queue + ' ' + name); }
    void on_starved(const taskflux::running_handler& who, const taskflux::task_id&, bool is_deadlock) override {
        starved.push_back(who.name + (is_deadlock ? " for ever" : ""));
    }
    void on_abandoned() override { ++abandoned; }

    std::vector<taskflux::attempt_failure> retries, failures;
    std::vector<std::string> unclaimed, starved, throttles, queues;
    int abandoned = 0;
    std::vector<long> delays;
    bool throws = false;
};

struct observed : fixture {
    struct line {
        taskflux::log_level level;
        std::string text;
        std::string task;
    };

    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::vector<line> lines;
    worker w{broker, options().observer(seen).log([this](const taskflux::log_line& one, const taskflux::task_id* task) {
                 lines.push_back({one.level, one.text, task ? to_string(*task) : std::string()});
             })};
};

inline constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1s).attempts(2))};

}  // namespace flow_worker_observer

BOOST_FIXTURE_TEST_SUITE(flow_worker_observer, observed)

BOOST_AUTO_TEST_CASE(the_queues_of_a_worker_are_seen_as_it_starts) {
    worker of_two{broker, options().queues({"mail", "letters"}).observer(seen)};
    of_two.on(flaky, [](int n) { return n; });
    seen->throws = true;
    BOOST_TEST(seen->queues.empty());
    start(of_two.run());
    BOOST_TEST((std::ranges::find(seen->queues, "mail") != seen->queues.end()));
    BOOST_TEST((std::ranges::count(seen->queues, "letters") == 1));
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(a_failed_attempt_is_seen_with_what_follows) {
    w.on(flaky, [](int) -> int { throw std::runtime_error("no paper"); });
    start(w.run());
    const auto job = now(client.submit(flaky, 1));
    pass(3s, 500ms);

    BOOST_REQUIRE(seen->retries.size() == 1U);
    BOOST_TEST((seen->retries[0].task == job.id()));
    BOOST_TEST(seen->retries[0].name == "flaky");
    BOOST_TEST(seen->retries[0].attempt == 1U);
    BOOST_TEST(seen->retries[0].why.message == "no paper");
    BOOST_TEST(seen->delays == std::vector<long>{1000});
    BOOST_REQUIRE(seen->failures.size() == 1U);
    BOOST_TEST(seen->failures[0].attempt == 2U);

    BOOST_REQUIRE(lines.size() == 2U);
    BOOST_TEST((lines[0].level == taskflux::log_level::warning));
    BOOST_TEST(lines[0].text == "worker node: task flaky: attempt 1 failed: no paper; the next is in 1000 ms");
    BOOST_TEST(lines[0].task == to_string(job.id()));
    BOOST_TEST((lines[1].level == taskflux::log_level::error));
    BOOST_TEST(lines[1].text ==
               "worker node: task flaky: attempt 2 failed: no paper; no other follows");
}

BOOST_AUTO_TEST_CASE(a_payload_that_does_not_decode_is_a_failure_with_its_place) {
    w.on(flaky, [](int x) { return x; });
    start(w.run());
    const taskflux::task<int(std::string)> mistaken{"flaky"};
    now(client.submit(mistaken, "one"));
    settle();
    BOOST_REQUIRE(seen->failures.size() == 1U);
    BOOST_TEST(seen->failures[0].why.code == "bad_payload");
    BOOST_TEST(seen->retries.empty());
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].text.find("task flaky: attempt 1 failed: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_attempt_after_which_the_deadline_leaves_no_time_is_told_of_as_the_last) {
    w.on(flaky, [](int) -> int { throw std::runtime_error("not now"); });
    const auto life = start(w.run());
    const auto result = start(client.run(flaky, submit_options().deadline(500ms), 1));
    BOOST_TEST(result->failed().failure().message == "not now");
    BOOST_TEST(seen->retries.empty());
    BOOST_REQUIRE(seen->failures.size() == 1U);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].text == "worker node: task flaky: attempt 1 failed: not now; no other follows");
}

BOOST_AUTO_TEST_CASE(a_throttle_is_told_of_with_its_queue_and_time_and_is_no_failure) {
    w.on(twice, [](context& ctx, int x) {
        if (ctx.lease_token() == 1) throw taskflux::throttled(9s);
        if (ctx.lease_token() == 2) throw taskflux::throttled(20s);
        return 2 * x;
    });
    seen->throws = true;
    start(w.run());
    const auto job = now(client.submit(twice, 2));
    pass(30s, 1s);
    BOOST_TEST(now(job.result()) == 4);
    BOOST_TEST(seen->throttles == (std::vector<std::string>{"default 9000", "default 20000"}), boost::test_tools::per_element());
    BOOST_TEST(seen->retries.empty());
    BOOST_TEST(seen->failures.empty());
    BOOST_REQUIRE(lines.size() == 2U);
    BOOST_TEST((lines[0].level == taskflux::log_level::info));
    BOOST_TEST(lines[0].text == "worker node: task twice: its handler was told to wait; queue default starts nothing for 9000 ms");
    BOOST_TEST(lines[0].task == to_string(job.id()));
    BOOST_TEST(lines[1].text == "worker node: task twice: its handler was told to wait; queue default starts nothing for 20 s");
}

BOOST_AUTO_TEST_CASE(an_attempt_that_its_handler_puts_off_is_no_failure) {
    w.on(twice, [](context& ctx, int x) {
        if (ctx.lease_token() == 1) throw taskflux::retry_after(5s);
        return 2 * x;
    });
    start(w.run());
    const auto result = start(client.run(twice, 2));
    pass(6s, 1s);
    BOOST_TEST(result->value.value() == 4);
    BOOST_TEST(seen->retries.empty());
    BOOST_TEST(seen->failures.empty());
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST((lines[0].level == taskflux::log_level::info));
}

BOOST_AUTO_TEST_CASE(success_and_cancellation_are_silent) {
    gate closed{here};
    w.on(twice, [](int x) { return 2 * x; }).on(note, [&closed](int) { return closed.pass(); });
    start(w.run());
    const auto held = now(client.submit(note, 1));
    settle();
    now(held.cancel());
    BOOST_TEST(now(client.run(twice, 1)) == 2);
    pass(20s, 5s);  // heartbeats carry the request to the worker
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(seen->failures.empty());
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(what_an_observer_throws_changes_nothing) {
    seen->throws = true;
    w.on(flaky, [](int) -> int { throw std::runtime_error("no paper"); });
    start(w.run());
    const auto result = start(client.run(flaky, 1));
    pass(3s, 500ms);
    BOOST_TEST(result->failed().attempts() == 2U);
}

BOOST_AUTO_TEST_CASE(a_task_that_nobody_takes_is_told_of_once_for_its_name) {
    w.on(twice, [](int x) { return 2 * x; });
    start(w.run());
    now(client.submit(answer));
    now(client.submit(answer));
    pass(15s, 1s);  // seen at one heartbeat: another worker may be about to take it
    BOOST_TEST(lines.empty());
    pass(60s, 1s);
    BOOST_TEST(seen->unclaimed == std::vector<std::string>{"default answer"});
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST((lines[0].level == taskflux::log_level::warning));
    BOOST_TEST(lines[0].text.starts_with("worker node: task answer has waited in queue default for 10 s or longer: this worker has "
                                         "no handler for it, "));

    now(client.submit(tick));  // another name
    pass(60s, 1s);
    BOOST_TEST(seen->unclaimed == (std::vector<std::string>{"default answer", "default tick"}));
}

BOOST_AUTO_TEST_CASE(a_task_that_another_worker_takes_is_not_told_of) {
    w.on(twice, [](int x) { return 2 * x; });
    start(w.run());
    worker knows{broker, options().name("other").seed(2)};
    knows.on(answer, [] { return 42; });
    const auto other = start(knows.run());
    for (int i = 0; i < 60; ++i) {
        now(client.submit(answer));
        advance(1s);
    }
    BOOST_TEST(counts().succeeded == 60U);
    BOOST_TEST(seen->unclaimed.empty());
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(a_name_is_told_of_when_the_same_task_has_waited) {
    taskflux::detail::unclaimed_watch watch(10s);
    const auto seen_at = [&watch, begun = time.now()](taskflux::duration after, std::uint64_t sequence) {
        taskflux::unclaimed_task one;
        one.name = "answer";
        one.sequence = sequence;
        return watch.see({one}, {"default"}, {}, begun + after);
    };
    BOOST_TEST(seen_at(0s, 1).empty());
    BOOST_TEST(seen_at(10s, 2).empty());
    BOOST_TEST(seen_at(20s, 3).empty());
    BOOST_TEST(seen_at(30s - 1ms, 3).empty());
    const auto found = seen_at(30s, 3);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].name == "answer");
    BOOST_TEST(found[0].queue == "default");
    BOOST_TEST((found[0].waited == 10s));
    BOOST_TEST(seen_at(40s, 3).empty());
}

BOOST_AUTO_TEST_CASE(a_task_that_busy_workers_leave_there_is_told_of_as_one_that_has_waited) {
    gate closed{here};
    w.on(twice, [](int x) { return 2 * x; });
    start(w.run());
    worker busy{broker, options().name("busy").concurrency(1).log(nullptr).seed(2)};
    busy.on(note, [&closed](int) { return closed.pass(); });
    start(busy.run());
    for (int i = 0; i < 2; ++i) now(client.submit(note, i));
    pass(60s, 1s);
    BOOST_TEST(closed.waiting == 1);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].text.find("the workers that have one are busy, or there is none") != std::string::npos);
    closed.open();
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_destroyed_while_it_runs_is_told_of) {
    std::optional<worker> gone(std::in_place, broker,
                               options().observer(seen).log([this](std::string_view text) { lines.push_back({{}, std::string(text), {}}); }));
    gone->on(twice, [](int x) { return 2 * x; });
    start(gone->run());
    gone.reset();
    settle();
    BOOST_TEST(seen->abandoned == 1);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].text.starts_with("worker node: it was destroyed while run() was under way: its handlers are cancelled"));
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_destroyed_before_its_run_begins_is_told_of_when_that_begins) {
    std::optional<worker> gone(std::in_place, broker,
                               options().observer(seen).log([this](std::string_view text) { lines.push_back({{}, std::string(text), {}}); }));
    gone->on(twice, [](int x) { return 2 * x; });
    const auto life = start_on(here, gone->run());
    gone.reset();
    BOOST_TEST(lines.empty());  // the context may never run
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(seen->abandoned == 1);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].text.starts_with("worker node: it was destroyed before its run() had begun"));
}

BOOST_AUTO_TEST_CASE(a_worker_that_was_stopped_before_is_destroyed_in_silence) {
    std::optional<worker> gone(std::in_place, broker, options().observer(seen));
    gone->on(twice, [](int x) { return 2 * x; });
    const auto life = start_on(here, gone->run());
    gone->stop();
    gone.reset();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(seen->abandoned == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_has_ended_or_never_ran_is_destroyed_in_silence) {
    for (const bool has_run : {false, true}) {
        worker gone{broker, options().observer(seen)};
        gone.on(twice, [](int x) { return 2 * x; });
        if (!has_run) continue;
        const auto life = start(gone.run());
        gone.stop();
        settle();
        BOOST_TEST(life->done);
    }
    BOOST_TEST(seen->abandoned == 0);
}

BOOST_AUTO_TEST_SUITE_END()

namespace flow_worker_without_a_free_slot {

using namespace flow_worker_observer;

struct one_slot : observed {
    one_slot() {
        alone.on(twice, [](int x) { return 2 * x; });
    }

    asio::awaitable<void> run_inside(int x) { result = co_await client.run(twice, x); }
    asio::awaitable<void> run_with(submit_options how, int x) { result = co_await client.run(twice, how, x); }
    asio::awaitable<void> submit_inside(int x) {
        const auto made = co_await client.submit(twice, x);
        result = co_await made.result();
    }
    asio::awaitable<void> wait_inside(int x, taskflux::duration limit) {
        const auto made = co_await client.submit(twice, x);
        const auto ended = co_await made.outcome(limit);
        result = ended ? *ended->value : -1;
    }

    int result = 0;
    worker alone{broker, options().concurrency(1).observer(seen).log([this](const taskflux::log_line& one, const taskflux::task_id* task) {
                     lines.push_back({one.level, one.text, task ? to_string(*task) : std::string()});
                 })};
};

}  // namespace flow_worker_without_a_free_slot

BOOST_FIXTURE_TEST_SUITE(flow_worker_without_a_free_slot, one_slot)

BOOST_AUTO_TEST_CASE(a_handler_that_waits_for_a_task_which_no_slot_is_left_for_gets_an_error) {
    alone.on(note, [this](int x) { return run_inside(x); });
    start(alone.run());
    const auto outer = start(client.run(note, 1));
    BOOST_TEST(!outer->done);
    pass(3s, 1s);
    BOOST_REQUIRE(outer->done);
    BOOST_TEST(outer->code() == errc::no_worker);
    BOOST_TEST(outer->what().find("await it by context::call") != std::string::npos);
    BOOST_TEST(seen->starved == std::vector<std::string>{"note for ever"});
    BOOST_TEST(lines.at(0).text.starts_with("worker node: task note: its handler waits for task "));
    BOOST_TEST((lines.at(0).level == taskflux::log_level::error));
    BOOST_TEST(counts().cancelled == 1U);  // what it waited for
    BOOST_TEST(now(client.run(twice, 4)) == 8);  // the slot is free
}

BOOST_AUTO_TEST_CASE(the_same_goes_for_the_result_of_a_job_and_for_tasks_that_were_prefetched) {
    worker ahead{broker, options().concurrency(1).prefetch(4).name("ahead").log(nullptr).observer(seen)};
    ahead.on(twice, [](int x) { return 2 * x; }).on(note, [this](int x) { return submit_inside(x); });
    start(ahead.run());
    const auto outer = start(client.run(note, 1));
    pass(3s, 1s);
    BOOST_REQUIRE(outer->done);
    BOOST_TEST(outer->code() == errc::no_worker);
}

BOOST_AUTO_TEST_CASE(a_batch_handler_that_waits_so_gets_an_error_too) {
    int calls = 0;
    alone.on_batch(note, taskflux::batch_options{}, [&](std::span<taskflux::batch_item<int>> items) {
        ++calls;
        return run_inside(items[0].payload());
    });
    const auto jobs = now(client.submit_all(note, std::vector<int>{1, 2}));
    start(alone.run());
    BOOST_TEST(calls == 1);
    const auto first = start(jobs[0].result()), second = start(jobs[1].result());
    pass(3s, 1s);
    BOOST_REQUIRE((first->done && second->done));
    BOOST_TEST(first->code() == errc::no_worker);
    BOOST_TEST(second->code() == errc::no_worker);
    BOOST_TEST(seen->starved == std::vector<std::string>{"note for ever"});
    BOOST_TEST(now(client.run(twice, 4)) == 8);  // the slot is free
}

BOOST_AUTO_TEST_CASE(as_long_as_one_handler_can_go_on_nobody_gets_an_error) {
    gate closed{here};
    alone.set_concurrency(2);
    alone.on(note, [this](int x) { return run_inside(x); }).on(tick, [&closed] { return closed.pass(); });
    start(alone.run());
    now(client.submit(tick));
    const auto outer = start(client.run(note, 3));
    pass(60s, 1s);
    BOOST_TEST(!outer->done);
    BOOST_TEST(seen->starved.empty());
    closed.open();
    settle();
    BOOST_TEST(outer->done);
    BOOST_TEST(!outer->error);
    BOOST_TEST(result == 6);
}

BOOST_AUTO_TEST_CASE(of_handlers_that_wait_for_each_others_slots_one_gets_an_error_and_the_others_go_on) {
    alone.set_concurrency(2);
    alone.on(note, [this](int x) { return run_inside(x); });
    alone.pause();
    start(alone.run());
    const auto first = start(client.run(note, 1));
    const auto second = start(client.run(note, 2));
    alone.resume();
    settle();
    BOOST_TEST((!first->done && !second->done));
    pass(20s, 1s);
    BOOST_REQUIRE((first->done && second->done));
    BOOST_TEST((first->code() == errc::no_worker) != (second->code() == errc::no_worker));
    BOOST_TEST((first->error == nullptr) != (second->error == nullptr));
}

BOOST_AUTO_TEST_CASE(a_handler_whose_task_another_worker_has_just_begun_is_about_to_free_its_slot) {
    gate begins{here}, closed{here};
    worker both{broker, options().queues({"default", "slow"}).concurrency(2).name("both").log(nullptr).observer(seen)};
    both.on(twice, [](int x) { return 2 * x; }).on(note, [&](int x) -> asio::awaitable<void> {
        if (x == 2) co_await begins.pass();
        co_await run_with(submit_options().queue(x == 1 ? "slow" : "default"), x);
    });
    both.pause();
    start(both.run());
    const auto first = start(client.run(note, 1));
    const auto second = start(client.run(note, 2));
    both.resume();
    settle();
    pass(6500ms, 500ms);
    begins.open();
    settle();
    advance(500ms);  // the first has looked: all slots are held, and nobody else serves its task's queue
    worker other{broker, options().queues({"slow"}).name("other").seed(2)};
    other.on(twice, [&closed](int x) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return 2 * x;
    });
    start(other.run());
    BOOST_TEST(closed.waiting == 1);
    pass(20s, 500ms);  // the second looks, and looks again
    BOOST_TEST((!first->done && !second->done));
    closed.open();
    settle();
    BOOST_TEST((first->done && !first->error));
    BOOST_TEST((second->done && !second->error));
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_task_with_a_limit_of_its_own_ends_with_that) {
    for (const auto& limit : {submit_options().deadline(10s), submit_options().expires_in(10s)}) {
        worker waits{broker, options().queues({"slow"}).concurrency(1).name("waits").log(nullptr).observer(seen)};
        waits.on(note, [&](int x) { return run_with(submit_options(limit).queue("slow"), x); });
        const auto life = start(waits.run());
        const auto outer = start(client.run(note, submit_options().queue("slow"), 1));
        pass(9s, 1s);
        BOOST_TEST(!outer->done);
        pass(2s, 1s);
        BOOST_REQUIRE(outer->done);
        BOOST_TEST(outer->what().find("has expired: no worker started it") != std::string::npos);
        waits.stop();
        settle();
    }
}

BOOST_AUTO_TEST_CASE(a_handler_with_a_limit_of_its_own_is_ended_by_that) {
    for (const bool has_timeout : {true, false}) {
        const auto how = options().queues({"slow"}).concurrency(1).timeout(has_timeout ? 10s : 0s).name("waits").log(nullptr);
        worker waits{broker, how};
        waits.on(note, [this](int x) { return run_with(submit_options().queue("slow"), x); });
        const auto life = start(waits.run());
        const auto deadline = submit_options().queue("slow").deadline(has_timeout ? 1h : 10s);
        const auto outer = start(client.run(note, deadline, 1));
        pass(9s, 1s);
        BOOST_TEST(!outer->done);
        pass(2s, 1s);
        BOOST_REQUIRE(outer->done);
        BOOST_TEST(outer->code() == errc::timed_out);
        waits.stop();
        settle();
    }
}

BOOST_AUTO_TEST_CASE(where_another_worker_serves_the_queue_it_is_only_said) {
    gate closed{here};
    alone.on(note, [this](int x) { return run_inside(x); });
    start(alone.run());
    const auto outer = start(client.run(note, 3));
    worker other{broker, options().concurrency(1).name("other").seed(2)};
    other.on(twice, [](int x) { return 2 * x; });
    other.pause();
    start(other.run());
    pass(60s, 1s);
    BOOST_TEST(!outer->done);
    BOOST_TEST(seen->starved == std::vector<std::string>{"note"});
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST((lines[0].level == taskflux::log_level::warning));
    other.resume();
    settle();
    BOOST_TEST(outer->done);
    BOOST_TEST(result == 6);
}

BOOST_AUTO_TEST_CASE(a_wait_with_a_limit_ends_by_itself) {
    alone.on(note, [this](int x) { return wait_inside(x, 30s); });
    start(alone.run());
    const auto outer = start(client.run(note, 3));
    pass(29s, 1s);
    BOOST_TEST(!outer->done);
    BOOST_TEST(seen->starved == std::vector<std::string>{"note"});
    pass(2s, 1s);
    BOOST_TEST(outer->done);
    BOOST_TEST(!outer->error);
    BOOST_TEST(result == -1);
}

BOOST_AUTO_TEST_CASE(a_task_that_other_queues_workers_run_is_awaited) {
    alone.on(note, [](context&, int) -> asio::awaitable<void> { co_return; });
    worker outside{broker, options().queues({"slow"}).concurrency(1).name("outside").observer(seen)};
    outside.on(note, [this](int x) { return run_inside(x); });
    start(outside.run());
    const auto outer = start(client.run(note, submit_options().queue("slow"), 5));
    pass(60s, 1s);
    BOOST_TEST(!outer->done);  // the worker of that queue has not begun
    BOOST_TEST(seen->starved.empty());
    start(alone.run());
    BOOST_TEST(outer->done);
    BOOST_TEST(result == 10);
}

BOOST_AUTO_TEST_CASE(subtasks_lend_the_slot) {
    alone.on(note, [this](context& ctx, int x) -> asio::awaitable<void> {
        result = co_await ctx.call(twice, x);
        const auto more = co_await ctx.map(twice, std::vector<int>(4, x));
        for (const int one : more) result += one;
    });
    start(alone.run());
    const auto outer = start(client.run(note, 3));
    BOOST_TEST(outer->done);
    BOOST_TEST(result == 30);
    BOOST_TEST(seen->starved.empty());
}

BOOST_AUTO_TEST_SUITE_END()
