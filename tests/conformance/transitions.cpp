#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <tuple>

namespace taskflux::conformance {

namespace conformance_transitions {

/// One way to take a task over one line of the state table.
struct step {
    transition line;
    void (*take)(fixture&, const placed&);
    run_policy policy{};
    duration delay{};  ///< for a held task that is not due yet
};

void end(fixture& on, const placed& task, kind how, duration delay = {}) {
    BOOST_TEST(on.settle(on.settled(task.last, how, "{}", delay)) == effect::done);
}

void cancel_running(fixture& on, const placed& task) {
    BOOST_TEST(on.cancel(task.key) == effect::requested);
    BOOST_TEST(on.state(task.key) == task_state::running);
    end(on, task, kind::cancel);
}

std::vector<step> steps() {
    using enum task_state;
    using event = task_event;
    constexpr auto start = [](fixture& on, const placed& task) { BOOST_TEST(on.start_held(task.key) == effect::done); };
    constexpr auto cancel = [](fixture& on, const placed& task) { BOOST_TEST(on.cancel(task.key) == effect::done); };
    constexpr auto requeue = [](fixture& on, const placed& task) { BOOST_TEST(on.requeue(task.key) == effect::done); };
    constexpr auto lapse = [](fixture& on, const placed&) { on.advance(on.lease); };
    const run_policy expires{.expires_in = 5s}, limited{.deadline = 15s};
    return {
        {{held, event::start, waiting}, start},
        {{held, event::start, scheduled}, start, {}, 10s},
        {{held, event::cancel, cancelled}, cancel},
        {{held, event::expire, expired}, lapse, expires},
        {{scheduled, event::promote, waiting}, [](fixture& on, const placed& task) { on.promote(task.key); }},
        {{scheduled, event::promote, waiting}, [](fixture& on, const placed&) { on.advance(10s); }},
        {{scheduled, event::cancel, cancelled}, cancel},
        {{scheduled, event::expire, expired}, lapse, expires},
        {{waiting, event::fetch, running}, [](fixture& on, const placed&) { on.fetch_one(); }},
        {{waiting, event::cancel, cancelled}, cancel},
        {{waiting, event::expire, expired}, lapse, expires},
        {{waiting, event::expire, expired}, lapse, limited},
        {{running, event::complete, succeeded},
         [](fixture& on, const placed& task) { end(on, task, kind::complete); }},
        {{running, event::fail, failed}, [](fixture& on, const placed& task) { end(on, task, kind::fail); }},
        {{running, event::retry, scheduled},
         [](fixture& on, const placed& task) { end(on, task, kind::retry, 5s); }},
        {{running, event::retry, waiting}, [](fixture& on, const placed& task) { end(on, task, kind::retry); }},
        {{running, event::release, waiting}, [](fixture& on, const placed& task) { end(on, task, kind::release); }},
        {{running, event::release, waiting},
         [](fixture& on, const placed&) { on.run(on.broker().leave(w, {q})); }},
        {{running, event::recover, waiting}, lapse},
        {{running, event::crash, failed}, lapse, run_policy{.crash_limit = 1}},
        {{running, event::cancel, cancelled}, cancel_running},
        {{running, event::time_out, failed},
         [](fixture& on, const placed& task) { end(on, task, kind::retry, 15s); }, limited},
        {{failed, event::requeue, waiting}, requeue},
        {{cancelled, event::requeue, waiting}, requeue},
        {{expired, event::requeue, waiting}, requeue},
    };
}

using line = std::tuple<task_state, task_event, task_state>;

}  // namespace conformance_transitions

BOOST_AUTO_TEST_SUITE(conformance_transitions)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_line_of_the_state_table_can_be_taken, Backend, backends) {
    std::set<line> taken;
    for (const auto& [what, take, policy, delay] : steps()) {
        BOOST_TEST_CONTEXT(boost::describe::enum_to_string(what.from, "")
                           << " -" << boost::describe::enum_to_string(what.event, "") << "-> "
                           << boost::describe::enum_to_string(what.to, "")) {
            fixture on(std::make_unique<Backend>());
            placed task;
            if (delay > 0s) {
                auto held = on.task(policy);
                held.hold = true;
                held.delay = delay;
                task.key = on.add(held);
            } else {
                task = place(on, what.from, policy);
            }
            const auto before = on.state(task.key);
            take(on, task);
            const auto after = on.state(task.key);
            BOOST_TEST(before == what.from);
            BOOST_TEST(after == what.to);
            taken.emplace(before, what.event, after);
        }
    }
    // Tried once, and its deadline passes before the next try.
    for (const auto from : {task_state::scheduled, task_state::waiting}) {
        fixture on(std::make_unique<Backend>());
        const auto task = place(on, task_state::running, run_policy{.deadline = 15s});
        end(on, task, kind::retry, from == task_state::scheduled ? 10s : 0s);
        const auto before = on.state(task.key);
        on.advance(20s);
        taken.emplace(before, task_event::time_out, on.state(task.key));
    }
    // Replaced by a later submission with its unique key; what waits for the end of another that has it is held.
    for (const auto from : {task_state::held, task_state::scheduled, task_state::waiting}) {
        for (const auto delay : {0s, 5s}) {
            fixture on(std::make_unique<Backend>());
            auto task = on.task();
            task.unique_key = "k";
            task.hold = from == task_state::held;
            task.delay = from == task_state::scheduled ? 10s : 0s;
            const auto key = on.add(task);
            const auto before = on.state(key);
            task.hold = false;
            task.delay = delay;
            task.on_duplicate = duplicate::replace;
            on.submit(task);
            taken.emplace(before, task_event::replace, on.state(key));
            if (from != task_state::waiting || delay > 0s) continue;
            on.join();
            on.fetch_one();
            const auto successor = on.submit(task).key;
            const auto held = on.state(successor);
            on.submit(task);
            taken.emplace(held, task_event::replace, on.state(successor));
        }
    }
    std::set<line> table;
    for (const auto& [from, event, to] : transitions) {
        const bool has_children = from == task_state::waiting_children || to == task_state::waiting_children;
        if (!has_children) table.emplace(from, event, to);
    }
    BOOST_TEST((taken == table));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(counts_follow_every_step, Backend, backends) {
    const auto count = [](const queue_counts& counts, task_state state) {
        switch (state) {
            case task_state::held: return counts.held;
            case task_state::scheduled: return counts.scheduled;
            case task_state::waiting: return counts.waiting;
            case task_state::running: return counts.running;
            case task_state::waiting_children: return counts.waiting_children;
            case task_state::succeeded: return counts.succeeded;
            case task_state::failed: return counts.failed;
            case task_state::cancelled: return counts.cancelled;
            case task_state::expired: return counts.expired;
        }
        return std::size_t(0);
    };
    for (const auto state : reachable) {
        fixture on(std::make_unique<Backend>());
        place(on, state);
        for (const auto other : reachable) BOOST_TEST(count(on.counts(), other) == (other == state ? 1U : 0U));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_requeued_task_starts_afresh, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running, run_policy{.deadline = 20s, .expires_in = 10s});
    on.advance(5s);
    on.settle(on.settled(task.last, kind::fail, "{}"));
    on.advance(20s);
    on.renew();
    BOOST_TEST(on.requeue(task.key) == effect::done);
    auto record = on.record(task.key);
    BOOST_TEST(record.attempts == 0U);
    BOOST_TEST((record.started_at == time_point{} && record.ended_at == time_point{}));
    on.advance(9s);
    const auto got = on.fetch_one();
    BOOST_TEST(got.attempt == 1U);
    BOOST_TEST((got.first_started_at == got.started_at));
    BOOST_TEST(((got.deadline_at - got.started_at) == 11s));
    on.settle(on.settled(got, kind::complete, "yes"));
    const auto end = on.outcome(task.key);
    BOOST_REQUIRE(end.has_value());
    BOOST_TEST(end->state == task_state::succeeded);
    BOOST_TEST(end->result == "yes");
    BOOST_TEST(end->error.empty());
    BOOST_TEST(end->attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_requeued_task_that_is_not_started_expires_again, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::expired);
    on.requeue(task.key);
    on.advance(999ms);
    BOOST_TEST(on.state(task.key) == task_state::waiting);
    on.advance(1ms);
    BOOST_TEST(on.state(task.key) == task_state::expired);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
