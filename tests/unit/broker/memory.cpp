#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/memory.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace broker_memory {

using namespace taskflux;
using namespace std::chrono_literals;

new_task some_task() {
    new_task task;
    task.spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
    return task;
}

fetch_request request(const std::string& who, duration wait) {
    fetch_request made;
    made.consumer = who;
    made.queues = {"q"};
    made.wait = wait;
    return made;
}

/// What a wait has come to.
struct listener {
    bool is_over = false;
    bool has_outcome = false;
};

asio::awaitable<void> listen(std::shared_ptr<broker> tasks, task_id id, duration wait, listener& news) {
    auto call = tasks->wait(std::move(id), wait);
    tasks.reset();
    const auto end = co_await std::move(call);
    news.has_outcome = end.has_value();
    news.is_over = true;
}

/// Posts on a context, but has no memory to do so the next time that `fails` is set.
struct scarce_executor {
    asio::io_context::executor_type inner;
    bool* fails;

    asio::execution_context& query(asio::execution::context_t) const { return inner.context(); }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) { return asio::execution::blocking.never; }
    scarce_executor require(asio::execution::blocking_t::never_t) const { return *this; }

    template <class Function>
    void execute(Function&& function) const {
        if (std::exchange(*fails, false)) throw std::bad_alloc();
        asio::post(inner, std::forward<Function>(function));
    }

    friend bool operator==(const scarce_executor&, const scarce_executor&) = default;
};

struct fixture {
    manual_clock clock;
    std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
    std::shared_ptr<broker> tasks = make_memory_broker(context->get_executor(), memory_options{}, clock);

    template <class T>
    T run(asio::awaitable<T> call) {
        std::optional<T> answer;
        asio::co_spawn(*context, std::move(call), [&](std::exception_ptr e, T value) {
            if (e) std::rethrow_exception(e);
            answer = std::move(value);
        });
        poll();
        BOOST_REQUIRE(answer.has_value());
        return std::move(*answer);
    }

    task_key submit() { return run(tasks->submit("q", std::vector<new_task>(1, some_task())))[0].key; }

    void join(const std::string& who) {
        asio::co_spawn(*context, tasks->join(who, {"q"}, 1h), asio::detached);
        poll();
    }

    std::size_t poll() {
        context->restart();
        return context->poll();
    }
};

}  // namespace broker_memory

BOOST_AUTO_TEST_SUITE(broker_memory)

BOOST_AUTO_TEST_CASE(a_queue_is_bounded_by_its_options) {
    asio::io_context context;
    manual_clock clock;
    const auto tasks = make_memory_broker(context.get_executor(), memory_options{}.max_pending(1).max_ended(1), clock);
    std::optional<boost::system::error_code> failed;
    const auto submit = [&](std::size_t count) {
        failed.emplace();
        asio::co_spawn(context, tasks->submit("q", std::vector<new_task>(count, some_task())),
                       [&](std::exception_ptr e, const std::vector<submitted>&) {
                           try {
                               if (e) std::rethrow_exception(e);
                           } catch (const boost::system::system_error& caught) {
                               failed = caught.code();
                           }
                       });
        context.restart();
        context.run();
        return *failed;
    };
    BOOST_TEST((submit(2) == errc::queue_full));
    BOOST_TEST((submit(1) == boost::system::error_code()));
    BOOST_TEST((submit(1) == errc::queue_full));
}

BOOST_AUTO_TEST_CASE(a_mailbox_that_is_closed_does_not_hear_what_was_on_its_way) {
    fixture in;
    int heard = 0;
    auto box = in.tasks->open([&](std::string_view) { ++heard; });
    in.tasks->post(box->address(), "a");
    in.poll();
    BOOST_TEST(heard == 1);
    for (std::size_t handlers = 0; handlers < 4; ++handlers) {  // however far it has come
        box = in.tasks->open([&](std::string_view) { ++heard; });
        in.tasks->post(box->address(), "b");
        in.context->restart();
        for (std::size_t i = 0; i < handlers && heard == 1; ++i) in.context->poll_one();
        const auto before = heard;
        box.reset();
        in.poll();
        BOOST_TEST(heard == before);
        heard = 1;
    }
}

BOOST_AUTO_TEST_CASE(a_fetch_cancelled_while_it_is_woken_leaves_the_task_to_the_next) {
    fixture in;
    in.join("a");
    in.join("b");
    asio::cancellation_signal signal;
    std::exception_ptr failed;
    asio::co_spawn(*in.context, in.tasks->fetch(request("a", 1h)),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::vector<delivery>) { failed = e; }));
    std::vector<delivery> found;
    asio::co_spawn(*in.context, in.tasks->fetch(request("b", 1h)),
                   [&](std::exception_ptr, std::vector<delivery> got) { found = std::move(got); });
    in.poll();
    asio::co_spawn(*in.context, in.tasks->submit("q", std::vector<new_task>(1, some_task())), asio::detached);
    in.context->restart();
    in.context->run_one();  // the task is in, the first is woken, its coroutine has not gone on yet
    signal.emit(asio::cancellation_type::terminal);
    in.poll();
    BOOST_TEST(bool(failed));
    BOOST_TEST(found.size() == 1U);
}

/// A task of queue q that has returned and waits for its subtask in queue other, which expires in 10 s: the keys of the two.
std::pair<task_key, task_key> spawn_into_another_queue(fixture& in) {
    const auto key = in.submit();
    const auto parent = in.run(in.tasks->fetch(request("w", 0s))).at(0);
    journal_write what;
    what.items.push_back({child_key("a"), child_place{"other", "work", "mine"}.text(), journal_write::mode::add, true});
    in.run(in.tasks->write_journal({"q", key}, what));
    auto child = some_task();
    child.spec = std::make_shared<const task_spec>(task_spec{"work", 0, run_policy{.expires_in = 10s}, {}});
    child.own_id = "mine";
    child.parent = parent_link{{"q", key}, child_key("a")};
    const auto childs = in.run(in.tasks->submit("other", std::vector<new_task>(1, child))).at(0).key;
    settlement end;
    end.key = key;
    end.token = parent.token;
    end.data = "1";
    in.run(in.tasks->settle("q", "w", std::vector<settlement>(1, end)));
    return {key, childs};
}

BOOST_AUTO_TEST_CASE(what_a_wait_ends_is_passed_on_to_the_parent_in_another_queue) {
    fixture in;
    in.join("w");
    const auto [key, childs] = spawn_into_another_queue(in);
    const auto state = [&] { return in.run(in.tasks->get({"q", key}))->state; };
    BOOST_TEST((state() == task_state::waiting_children));
    in.clock.advance(10s);
    BOOST_TEST((in.run(in.tasks->wait({"other", childs}, 0s))->state == task_state::expired));
    BOOST_TEST((state() != task_state::waiting_children));
}

BOOST_AUTO_TEST_CASE(nothing_keeps_the_context_running_when_nobody_waits) {
    fixture in;
    in.join("w");
    const auto key = in.submit();
    asio::cancellation_signal signal;
    asio::co_spawn(*in.context, in.tasks->fetch(request("w", 1h)), asio::detached);
    listener news;
    asio::co_spawn(*in.context, listen(in.tasks, {"q", key}, 1h, news),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    in.poll();
    BOOST_TEST(!in.context->stopped());  // the wait goes on
    signal.emit(asio::cancellation_type::terminal);
    in.poll();
    BOOST_TEST(in.context->stopped());
    BOOST_TEST(in.run(in.tasks->counts("q")).running == 1U);  // with its lease still to run out
    BOOST_TEST(in.context->stopped());
}

BOOST_AUTO_TEST_CASE(time_is_made_up_for_by_the_next_call) {
    fixture in;
    in.join("w");
    const auto key = in.submit();
    BOOST_TEST(in.run(in.tasks->fetch(request("w", 0ms))).size() == 1U);
    in.clock.advance(1h);
    BOOST_TEST(in.poll() == 0U);
    BOOST_TEST((in.run(in.tasks->get({"q", key}))->state == task_state::waiting));
}

BOOST_AUTO_TEST_CASE(a_context_destroyed_while_calls_wait_takes_them_with_it) {
    fixture in;
    in.join("a");
    in.join("b");
    const auto key = in.submit();
    in.run(in.tasks->fetch(request("a", 0ms)));
    listener news;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(*in.context, in.tasks->fetch(request("a", 1h)), asio::detached);
        asio::co_spawn(*in.context, in.tasks->fetch(request("b", 1h)), asio::detached);
        asio::co_spawn(*in.context, listen(in.tasks, {"q", key}, 1h, news), asio::detached);
        asio::co_spawn(*in.context, in.tasks->watch("a", 1h), asio::detached);
    }
    in.poll();
    BOOST_TEST(!in.context->stopped());
    const std::weak_ptr<broker> alive = in.tasks;
    in.tasks.reset();
    BOOST_TEST(alive.expired());  // what waits holds on to the tasks alone
    in.context.reset();
    BOOST_TEST((in.clock.next() == never));
}

BOOST_AUTO_TEST_CASE(a_context_destroyed_while_wake_ups_are_under_way_takes_them_with_it) {
    fixture in;
    for (const auto* who : {"a", "b", "c"}) {
        in.join(who);
        asio::co_spawn(*in.context, in.tasks->fetch(request(who, 1h)), asio::detached);
    }
    in.poll();
    asio::co_spawn(*in.context, in.tasks->submit("q", std::vector<new_task>(3, some_task())), asio::detached);
    in.context->restart();
    BOOST_TEST(in.context->run_one() == 1U);
    in.tasks.reset();
    in.context.reset();
    BOOST_TEST((in.clock.next() == never));
}

BOOST_AUTO_TEST_CASE(calls_that_wait_outlive_their_broker) {
    fixture in;
    const auto key = in.submit();
    listener news;
    asio::co_spawn(*in.context, listen(in.tasks, {"q", key}, 10s, news), asio::detached);
    in.poll();
    in.tasks.reset();
    in.clock.advance(10s);
    in.poll();
    BOOST_TEST(news.is_over);
    BOOST_TEST(!news.has_outcome);
    BOOST_TEST(in.context->stopped());
}

BOOST_AUTO_TEST_CASE(a_task_for_a_time_of_the_wall_clock_follows_it_when_it_is_set) {
    for (const bool is_ahead : {true, false}) {
        fixture in;
        asio::co_spawn(*in.context, in.tasks->join("a", {"q"}, 100h), asio::detached);
        in.poll();
        std::vector<delivery> found;
        asio::co_spawn(*in.context, in.tasks->fetch(request("a", 10h)),
                       [&](std::exception_ptr, std::vector<delivery> got) { found = std::move(got); });
        in.poll();
        auto at = some_task();
        at.at = in.clock.wall() + 2h;
        auto delayed = some_task();
        delayed.delay = 5h;
        std::vector<new_task> both{at, delayed};
        const auto keys = in.run(in.tasks->submit("q", std::move(both)));
        const auto when = [&] { return *in.run(in.tasks->get({"q", keys[0].key})); };
        BOOST_TEST((when().due_at == at.at));
        in.clock.set_wall(is_ahead ? 1h : -1h);
        in.poll();
        BOOST_TEST((when().due_at == at.at));
        in.clock.advance(is_ahead ? 1h - 1ms : 3h - 1ms);
        in.poll();
        BOOST_TEST(found.empty());
        in.clock.advance(1ms);
        in.poll();
        BOOST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found[0].key.sequence == keys[0].key.sequence);
        BOOST_TEST((when().started_at == in.clock.wall()));
        BOOST_TEST((found[0].submitted_at == when().submitted_at));
        // A delay and a lease are spans of time, which nobody sets.
        BOOST_TEST((in.run(in.tasks->get({"q", keys[1].key}))->due_at == in.clock.now() + in.clock.ahead() + (is_ahead ? 4h : 2h)));
    }
}

BOOST_AUTO_TEST_CASE(a_lease_does_not_run_out_when_the_wall_clock_is_set) {
    fixture in;
    in.join("a");
    in.submit();
    const auto got = in.run(in.tasks->fetch(request("a", 0s)));
    BOOST_REQUIRE(got.size() == 1U);
    in.clock.set_wall(24h);
    in.poll();
    BOOST_TEST((in.run(in.tasks->get({"q", got[0].key}))->state == task_state::running));
    in.clock.set_wall(-48h);
    in.clock.advance(1h);
    BOOST_TEST((in.run(in.tasks->get({"q", got[0].key}))->state == task_state::waiting));
}

BOOST_AUTO_TEST_CASE(when_a_task_ended_does_not_depend_on_the_time_that_it_was_held_for) {
    fixture in;
    auto held = some_task();
    held.hold = true;
    held.at = in.clock.wall() + 2h;
    const auto key = in.run(in.tasks->submit("q", std::vector<new_task>(1, held)))[0].key;
    BOOST_TEST((in.run(in.tasks->cancel("q", {key}))[0] == effect::done));
    in.clock.set_wall(1h);
    BOOST_TEST((in.run(in.tasks->get({"q", key}))->ended_at == in.clock.wall()));
}

BOOST_AUTO_TEST_CASE(tasks_are_listed_by_the_times_that_their_records_show) {
    fixture in;
    const auto key = in.submit();
    in.clock.set_wall(3h);
    const auto record = *in.run(in.tasks->get({"q", key}));
    BOOST_TEST((record.submitted_at == in.clock.wall()));
    list_query query;
    query.since = record.submitted_at;
    BOOST_TEST(in.run(in.tasks->list(query)).tasks.size() == 1U);
    query.since += 1ms;
    BOOST_TEST(in.run(in.tasks->list(query)).tasks.empty());
}

BOOST_AUTO_TEST_CASE(a_held_task_that_is_started_after_the_wall_clock_was_set_comes_at_its_time) {
    fixture in;
    auto held = some_task();
    held.hold = true;
    held.at = in.clock.wall() + 2h;
    const auto key = in.run(in.tasks->submit("q", std::vector<new_task>(1, held)))[0].key;
    in.clock.set_wall(3h);
    BOOST_TEST((in.run(in.tasks->get({"q", key}))->due_at == held.at));
    BOOST_TEST((in.run(in.tasks->start("q", {key}))[0] == effect::done));
    BOOST_TEST((in.run(in.tasks->get({"q", key}))->state == task_state::waiting));
}

BOOST_FIXTURE_TEST_CASE(a_task_that_fails_while_no_worker_runs_it_is_told_of, fixture) {
    struct recorder final : broker_observer {
        void on_dead_letter(const task_id& task, const std::string& name, const failure& why) override {
            seen.push_back(to_string(task) + ' ' + name + ' ' + why.code);
            throw 1;
        }
        std::vector<std::string> seen;
    };
    const auto seen = std::make_shared<recorder>();
    std::vector<std::string> lines;
    tasks = make_memory_broker(context->get_executor(),
                               memory_options().observer(seen).log([&](std::string_view text) { lines.emplace_back(text); }), clock);
    asio::co_spawn(*context, tasks->join("a", {"q"}, 10s), asio::detached);
    poll();
    std::vector<new_task> some(3, some_task());
    const auto with = [&](std::size_t which, const run_policy& policy) {
        some[which].spec = std::make_shared<const task_spec>(task_spec{"work" + std::to_string(which), 0, policy, {}});
    };
    with(0, run_policy{.crash_limit = 1});
    with(1, run_policy{.deadline = 5s});
    with(2, run_policy{.crash_limit = 2});
    const auto stored = run(tasks->submit("q", some));
    auto all = request("a", {});
    all.max = 3;
    const auto got = run(tasks->fetch(all));
    BOOST_REQUIRE(got.size() == 3U);
    settlement later;
    later.key = got[1].key;
    later.token = got[1].token;
    later.how = settlement::kind::retry;
    later.data = R"({"code":"task_failed","type":"","message":"not now","pointer":"","expected":""})";
    later.delay = 4s;
    const std::vector<settlement> ends(1, later);
    run(tasks->settle("q", "a", ends));
    clock.advance(20s);
    run(tasks->counts("q"));
    poll();
    const auto id = [&](std::size_t which) { return to_string(task_id{"q", stored[which].key}); };
    const std::vector<std::string> expected{id(1) + " work1 task_failed", id(0) + " work0 crashed"};
    BOOST_TEST(seen->seen == expected, boost::test_tools::per_element());
    BOOST_REQUIRE(lines.size() == 2U);
    BOOST_TEST(lines[0] == "task work1 (" + id(1) + ") has failed for good: not now");
    BOOST_TEST(lines[1].starts_with("task work0 (" + id(0) + ") has failed for good: the lease was lost 1 times; each time its worker died"));
}

BOOST_AUTO_TEST_CASE(a_fetch_may_be_cancelled_where_there_is_no_memory_to_wake_others) {
    asio::io_context io;
    bool fails = false;
    const asio::any_io_executor scarce = scarce_executor{io.get_executor(), &fails};
    const auto broker = make_memory_broker(scarce, memory_options());
    asio::co_spawn(io, broker->join("w", {"q"}, 1h), asio::detached);
    io.poll();
    asio::cancellation_signal stop;
    bool is_over = false;
    asio::co_spawn(io, broker->fetch(request("w", 1h)), asio::bind_cancellation_slot(stop.slot(), [&](auto&&...) { is_over = true; }));
    io.restart();
    io.poll();
    fails = true;
    stop.emit(asio::cancellation_type::terminal);
    io.poll();
    BOOST_TEST(!fails);  // the post
    BOOST_TEST(is_over);
    broker->close();
}

BOOST_AUTO_TEST_CASE(a_task_that_comes_while_a_fetch_is_being_cancelled_goes_to_the_next) {
    fixture in;
    in.join("a");
    in.join("b");
    asio::cancellation_signal signal;
    std::exception_ptr failed;
    asio::co_spawn(*in.context, in.tasks->fetch(request("a", 1h)),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::vector<delivery>) { failed = e; }));
    std::vector<delivery> found;
    asio::co_spawn(*in.context, in.tasks->fetch(request("b", 1h)),
                   [&](std::exception_ptr, std::vector<delivery> got) { found = std::move(got); });
    in.poll();
    const auto cancel_and_submit = [](asio::cancellation_signal& stop, broker& to) -> asio::awaitable<void> {
        stop.emit(asio::cancellation_type::terminal);
        std::vector<new_task> one(1, some_task());
        co_await to.submit("q", std::move(one));  // wakes the first, which has not heard yet that it is cancelled
    };
    asio::co_spawn(*in.context, cancel_and_submit(signal, *in.tasks), asio::detached);
    in.poll();
    BOOST_TEST(bool(failed));
    BOOST_TEST(found.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_list_shows_what_the_ends_that_time_brings_mean_in_other_queues) {
    fixture in;
    in.join("w");
    spawn_into_another_queue(in);
    in.clock.advance(10s);
    const auto page = in.run(in.tasks->list({}));  // the first call after that
    BOOST_REQUIRE(page.tasks.size() == 2U);
    for (const auto& task : page.tasks) BOOST_TEST((task.state == (task.id.queue == "q" ? task_state::failed : task_state::expired)));
}

BOOST_AUTO_TEST_CASE(a_listener_hears_of_the_close_once_and_not_when_it_was_taken_off) {
    fixture in;
    int first = 0, second = 0, late = 0;
    auto stays = in.tasks->on_close([&] { ++first; });
    auto goes = in.tasks->on_close([&] { ++second; });
    goes.reset();
    BOOST_TEST(!in.tasks->is_closed());
    in.tasks->close();
    in.tasks->close();
    BOOST_TEST(in.tasks->is_closed());
    BOOST_TEST(first == 1);
    BOOST_TEST(second == 0);
    const auto at_once = in.tasks->on_close([&] { ++late; });
    BOOST_TEST(late == 1);
}

BOOST_AUTO_TEST_SUITE_END()
