#include <conformance/workflow_site.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// A handler whose provider says "not now" holds its whole queue back for a while.
namespace taskflux::conformance {

namespace conformance_throttling {

inline constexpr task<int(int)> mail{"mail", here().retry(retry_policy::none())};
inline constexpr task<int(int)> bulk{"bulk", here().retry(retry_policy::none())};

struct throttling : fixture {
    explicit throttling(std::unique_ptr<backend> on) : fixture(std::move(on)), control(shared(), q) {
        join(w);
        join(other);
    }

    effect throttle(const delivery& which, duration time, const std::string& consumer = w) {
        return settle(settled(which, kind::throttle, "", time), consumer);
    }
    started<std::vector<delivery>> waiting_fetch(const std::string& consumer = other, std::size_t max = 1) {
        return start(broker().fetch(request(consumer, max, 1h)));
    }
    std::optional<time_point> until() { return run(control.limits()).throttled_until; }
    /// For how long nothing will start.
    duration left() {
        const auto key = add(task("clock"), "clock");  // whose time is the broker's
        const auto now = run(broker().get({"clock", key}))->submitted_at;
        const auto found = until();
        return found ? *found - now : duration::zero();
    }

    inline static const std::string other = "other";
    queue_control control;
};

/// The same with a worker.
struct throttled_site : throttling {
    explicit throttled_site(std::unique_ptr<backend> on)
        : throttling(std::move(on)), client(shared()),
          worker(shared(), worker_options().concurrency(4).queues({q}).renewal_thread(false).lease(30s)) {}

    ~throttled_site() {
        worker.stop();
        running->get();
    }

    void begin() { running.emplace(start(worker.run())); }

    taskflux::client client;
    taskflux::worker worker;
    std::optional<started<void>> running;
    std::vector<int> seen;
};

}  // namespace conformance_throttling

BOOST_AUTO_TEST_SUITE(conformance_throttling)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_throttled_queue_starts_nothing_before_its_time_and_wakes_who_sleeps_then, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    const auto keys = on.add_many(3);
    const auto first = on.fetch_one();
    BOOST_TEST(on.throttle(first, 30s) == effect::done);
    auto sleeper = on.waiting_fetch(), second = on.waiting_fetch(w);
    on.add();
    on.pass(20s);
    on.renew(w);
    on.renew(on.other);
    on.pass(9'999ms);
    BOOST_TEST(!sleeper.done());
    BOOST_TEST(!second.done());
    BOOST_TEST(on.counts().running == 0U);
    on.pass(1ms);
    BOOST_TEST(sleeper.done());
    BOOST_TEST(second.done());
    BOOST_TEST(on.counts().running == 2U);
    BOOST_TEST(!on.until().has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_slept_before_a_throttle_is_woken_when_it_ends, Backend, backends) {
    for (const std::size_t many : {1U, 4U}) {
        throttling on(std::make_unique<Backend>());
        on.add();
        const auto first = on.fetch_one();
        auto sleeper = on.waiting_fetch();
        on.throttle(first, 10s);
        BOOST_TEST(on.still_waiting(sleeper));
        on.add_many(many);
        on.pass(9s);
        BOOST_TEST(!sleeper.done());
        on.pass(1s);
        BOOST_REQUIRE(sleeper.done());
        BOOST_TEST((sleeper.get().at(0).key == first.key));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_throttled_attempt_is_none_and_its_task_is_first_again, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    auto once = on.task();
    run_policy policy;
    policy.retry = retry_policy::none();
    once = on.task(policy);
    const auto key = on.add(once);
    on.add_many(5);
    for (int i = 0; i < 4; ++i) {
        const auto found = on.fetch_one();
        BOOST_TEST((found.key == key));
        BOOST_TEST(found.attempt == 1U);
        on.throttle(found, 1s);
        const auto now = on.record(key);
        BOOST_TEST(now.state == task_state::waiting);
        BOOST_TEST(now.attempts == 0U);
        BOOST_TEST(now.error.empty());
        on.advance(1s);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(throttled_together_tasks_keep_their_order, Backend, backends) {
    for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) {
        throttling on(std::make_unique<Backend>());
        const auto keys = on.add_many(6);
        const auto found = on.fetch(w, 4);
        std::vector<settlement> ends;
        for (const auto at : order) ends.push_back(on.settled(found[at], at == 1 ? kind::release : kind::throttle, "", 1s));
        ends.push_back(on.settled(found[3], kind::complete));
        ends.push_back(on.settled(found[3], kind::throttle, "", 1s));  // it has ended
        auto effects = on.run(on.broker().settle(q, w, ends));
        BOOST_CHECK((effects == std::vector<effect>{effect::done, effect::done, effect::done, effect::done, effect::lease_lost}));
        on.advance(1s);
        auto expected = keys;
        expected.erase(expected.begin() + 3);
        BOOST_CHECK((keys_of(on.fetch(w, 10)) == expected));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_runs_goes_on_and_ends_while_its_queue_is_throttled, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(3);
    const auto found = on.fetch(w, 2);
    on.throttle(found[0], 10s);
    BOOST_TEST(on.settle(found[1], kind::complete) == effect::done);
    BOOST_TEST(on.state(found[1].key) == task_state::succeeded);
    BOOST_TEST(on.fetch(on.other, 10).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_later_throttle_extends_and_never_shortens, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(4);
    const auto found = on.fetch(w, 3);
    on.throttle(found[0], 20s);
    on.throttle(found[1], 5s);
    BOOST_TEST(on.left().count() == 20'000);
    auto sleeper = on.waiting_fetch();
    on.pass(10s);
    BOOST_TEST(on.left().count() == 10'000);
    on.throttle(found[2], 15s);
    BOOST_TEST(on.left().count() == 15'000);
    on.renew(on.other);
    on.pass(10s);
    BOOST_TEST(!sleeper.done());
    on.pass(5s);
    BOOST_TEST(sleeper.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operator_ends_a_throttle_at_once, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(2);
    on.throttle(on.fetch_one(), 1h);
    auto sleeper = on.waiting_fetch();
    BOOST_TEST(on.left().count() == 3'600'000);
    on.run(on.control.end_throttle());
    BOOST_TEST(sleeper.get().size() == 1U);
    BOOST_TEST(!on.until().has_value());
    on.run(on.control.end_throttle());  // there is none
    BOOST_TEST(on.fetch().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pause_and_limits_stay_beside_a_throttle, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.run(on.control.declare_limit(limit().running(2)));
    on.add_many(5);
    on.throttle(on.fetch_one(), 10s);
    BOOST_TEST(!on.counts().paused);
    on.run(on.control.set_limit(limit().running(1), "why"));
    BOOST_TEST(on.left().count() == 10'000);
    BOOST_TEST(on.fetch().empty());
    on.run(on.control.pause());
    BOOST_TEST(on.counts().paused);
    on.run(on.control.end_throttle());
    BOOST_TEST(on.counts().paused);
    BOOST_TEST(on.fetch().empty());
    on.run(on.control.resume());
    const auto one = on.fetch(w, 10);
    BOOST_TEST(one.size() == 1U);
    on.throttle(one[0], 10s);
    on.run(on.control.pause());
    on.run(on.control.resume());
    BOOST_TEST(on.left().count() == 10'000);
    BOOST_TEST(on.fetch().empty());
    on.advance(10s);
    BOOST_TEST(on.fetch(w, 10).size() == 1U);
    BOOST_TEST(on.fetch(w, 10).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_throttle_within_a_pause_counts_when_that_ends, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(2);
    const auto one = on.fetch_one();
    on.run(on.control.pause());
    on.throttle(one, 10s);
    BOOST_TEST(on.counts().paused);
    on.run(on.control.resume());
    BOOST_TEST(on.fetch().empty());
    on.advance(10s);
    BOOST_TEST(on.fetch().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_throttle_of_an_attempt_that_is_not_the_current_one_changes_nothing, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(2);
    const auto one = on.fetch_one();
    on.settle(one, kind::release);
    BOOST_TEST(on.throttle(one, 10s) == effect::lease_lost);
    BOOST_TEST(!on.until().has_value());
    BOOST_TEST(on.fetch(w, 2).size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_task_that_throttles_ends_as_cancelled_and_its_queue_waits, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(2);
    const auto one = on.fetch_one();
    on.cancel(one.key);
    on.throttle(one, 10s);
    BOOST_TEST(on.state(one.key) == task_state::cancelled);
    BOOST_TEST(on.fetch().empty());
    on.advance(10s);
    BOOST_TEST(on.fetch().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_throttle_out_of_its_bounds_is_taken_into_them, Backend, backends) {
    throttling on(std::make_unique<Backend>());
    on.add_many(2);
    on.throttle(on.fetch_one(), -1s);
    BOOST_TEST(on.fetch().empty());
    on.advance(1ms);
    on.throttle(on.fetch_one(), 1000h);
    BOOST_TEST(on.left().count() == 24 * 3'600'000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_throws_throttled_runs_again_and_nothing_else_of_its_queue_before, Backend, backends) {
    throttled_site on(std::make_unique<Backend>());
    int refusals = 2;
    on.worker.on(mail, [&](context& ctx, int number) -> asio::awaitable<int> {
        on.seen.push_back(number);
        BOOST_TEST(ctx.attempt() == 1U);
        if (number == 1 && refusals-- > 0) throw taskflux::throttled(5s);
        co_return number;
    });
    on.begin();
    const auto first = on.run(on.client.submit(mail, 1));
    on.let_work();
    const auto second = on.run(on.client.submit(mail, 2));
    on.let_work();
    BOOST_TEST(on.seen == std::vector<int>({1}), boost::test_tools::per_element());
    on.pass(5s);
    on.let_work();
    BOOST_TEST(on.seen.size() >= 2U);
    on.pass(5s);
    BOOST_TEST(on.run(first.result()) == 1);
    BOOST_TEST(on.run(second.result()) == 2);
    BOOST_TEST(on.run(on.broker().get(first.id()))->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_plain_function_may_throw_it, Backend, backends) {
    throttled_site on(std::make_unique<Backend>());
    std::atomic<int> runs = 0;
    on.worker.on(mail, [&](int number) -> int {
        if (++runs == 1) throw taskflux::throttled(5s);
        return number;
    });
    on.begin();
    const auto job = on.run(on.client.submit(mail, 7));
    for (int i = 0; i != 1000 && !on.until(); ++i) on.let_work();
    BOOST_TEST(on.left().count() == 5000);
    BOOST_TEST(runs == 1);
    on.pass(5s);
    BOOST_TEST(on.run(job.result()) == 7);
    BOOST_TEST(runs == 2);
    BOOST_TEST(on.run(on.broker().get(job.id()))->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_workflow_step_may_throw_it, Backend, backends) {
    throttled_site on(std::make_unique<Backend>());
    int refusals = 2, charges = 0;
    on.worker.on(mail, [&](context& ctx, int number) -> asio::awaitable<int> {
        const auto before = co_await ctx.step("once", [&] { return ++charges; });
        const auto call = [&] {
            if (refusals-- > 0) throw taskflux::throttled(5s);
            return number;
        };
        const auto sent = co_await ctx.step("send", call);
        co_return before * 100 + sent;
    });
    on.begin();
    const auto job = on.run(on.client.submit(mail, 7));
    on.let_work();
    for (int i = 0; i < 2; ++i) on.pass(5s);
    BOOST_TEST(on.run(job.result()) == 107);  // the journal is kept: its first step ran once
    BOOST_TEST(on.run(on.broker().get(job.id()))->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_is_throttled_as_a_whole_or_by_one_item, Backend, backends) {
    for (const bool by_item : {false, true}) {
        throttled_site on(std::make_unique<Backend>());
        int refusals = 1;
        std::vector<std::vector<int>> batches;
        const auto handler = [&](std::span<batch_item<int>> items) -> asio::awaitable<std::vector<int>> {
            auto& all = batches.emplace_back();
            for (const auto& one : items) all.push_back(one.payload());
            std::vector<int> results = all;
            if (refusals-- > 0) {
                if (!by_item) throw taskflux::throttled(5s);
                items[1].fail(taskflux::throttled(5s));
            }
            co_return results;
        };
        on.worker.on_batch(bulk, batch_options{}.max(4).linger(1s), handler);
        on.begin();
        std::vector<job<int>> jobs;
        for (int i = 0; i < 3; ++i) jobs.push_back(on.run(on.client.submit(bulk, i)));
        on.let_work();
        on.pass(1s);
        BOOST_REQUIRE_EQUAL(batches.size(), 1U);
        BOOST_TEST(on.left().count() == 5000);
        on.pass(5s);
        on.pass(1s);
        BOOST_REQUIRE_EQUAL(batches.size(), 2U);
        const auto expected = by_item ? std::vector<int>{1} : std::vector<int>{0, 1, 2};
        BOOST_TEST(batches[1] == expected, boost::test_tools::per_element());
        for (int i = 0; i < 3; ++i) BOOST_TEST(on.run(jobs[std::size_t(i)].result()) == i);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
