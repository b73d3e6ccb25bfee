#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/admin/directory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

// A server that is emptied while programs are connected to it: what was stored is lost; what comes after is not.
namespace redis_emptied {

using namespace taskflux;
using namespace taskflux::conformance;

inline constexpr task<int(int)> twice{"twice", task_options().queue("q")};
inline constexpr task<stream<int>(int)> count_up{"count_up", task_options().queue("q")};
inline constexpr task<void()> tick{"tick", task_options().queue("ticks")};
inline constexpr method<int(int)> half{"numbers", "half"};
const std::string each_ten = "*/10 * * * * *";

struct emptied : test::frozen_fixture {
    emptied() {
        worker.on(twice, [](int value) -> asio::awaitable<int> { co_return 2 * value; });
        worker.on(count_up, [](emitter<int>& out, int end) -> asio::awaitable<void> {
            for (int i = 0; i < end; ++i) co_await out.emit(i);
        });
        service.on(half, [](int value) -> asio::awaitable<int> { co_return value / 2; });
    }
    ~emptied() {
        worker.stop();
        service.stop();
        scheduler.stop();
        for (auto& one : running) one.get();
    }

    void empty() { server.command({"FLUSHALL"}); }
    void work() {
        running.push_back(start(worker.run()));
        let_work();
    }

    /// Whether the call ends within some seconds of the broker's time.
    template <class T>
    bool ends(const started<T>& call, int seconds = 10) {
        for (; !call.done() && seconds > 0; --seconds) pass(1s);
        return call.done();
    }

    std::vector<std::string> queues() { return run(broker().queues()); }
    std::vector<std::string> schedules() {
        std::vector<std::string> ids;
        for (const auto& one : run(scheduler.list())) ids.push_back(one.definition.id);
        return ids;
    }

    std::string said;
    taskflux::client client{shared()};
    taskflux::worker worker{shared(), worker_options().queues({"q"}).renewal_thread(false).lease(30s)};
    taskflux::service service{shared()};
    taskflux::scheduler scheduler{shared(), scheduler_options().host("here").log([this](std::string_view line) { said += line; })};
    std::vector<started<void>> running;
};

const std::vector<std::string> only_q{"q"};
const std::vector<std::string> only_ticks{"ticks"};
const std::vector<std::string> only_tick{"tick"};

}  // namespace redis_emptied

BOOST_FIXTURE_TEST_SUITE(redis_emptied, emptied)

BOOST_AUTO_TEST_CASE(a_task_that_is_submitted_afterwards_is_listed_with_its_queue) {
    add();
    BOOST_TEST(queues() == only_q);
    for (const std::size_t count : {1U, 3U, 0U}) {  // alone, together, and one with an own id
        BOOST_TEST_CONTEXT(count) {
            empty();
            BOOST_TEST(queues().empty());
            auto with_id = task();
            with_id.own_id = "mine";
            if (count == 0) add(std::move(with_id));
            else add_many(count);
            BOOST_TEST(queues() == only_q);
            BOOST_TEST(list().size() == (std::max)(count, std::size_t(1)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_queue_is_listed_whoever_is_the_first_to_submit_to_it_afterwards) {
    const auto other = another();
    add();
    run(other->submit(q, {task()}));
    empty();
    run(other->submit(q, {task()}));
    add();
    BOOST_TEST(queues() == only_q);
    BOOST_TEST(counts().waiting == 2U);
    other->close();
}

BOOST_AUTO_TEST_CASE(a_worker_that_was_serving_runs_what_is_submitted_afterwards) {
    work();
    auto first = start(client.run(twice, 1));
    BOOST_TEST(ends(first));
    empty();
    auto second = start(client.run(twice, 2));
    BOOST_REQUIRE(ends(second));
    BOOST_TEST(second.get() == 4);
    empty();
    server.command({"SCRIPT", "FLUSH"});
    auto third = start(client.run(twice, 3));
    BOOST_REQUIRE(ends(third));
    BOOST_TEST(third.get() == 6);
    BOOST_TEST(queues() == only_q);
}

BOOST_AUTO_TEST_CASE(the_limits_that_a_worker_has_declared_hold_again_from_its_first_fetch) {
    const auto declared = [&] { return run(broker().limits(q)).in_force(); };
    worker.limit(q, limit().running(0));
    worker.limit("elsewhere", limit().rate(1, 1s));
    work();
    BOOST_TEST((declared() == limit().running(0)));
    empty();
    auto held_back = start(client.run(twice, 1));
    BOOST_TEST(!ends(held_back));
    BOOST_TEST((declared() == limit().running(0)));
    BOOST_TEST((run(broker().limits("elsewhere")).in_force() == limit().rate(1, 1s)));
    run(broker().set_limit(q, limit_kind::live, limit().running(1), "now"));
    BOOST_TEST(ends(held_back));
}

BOOST_AUTO_TEST_CASE(a_caller_that_awaits_a_lost_task_hears_that_there_is_none) {
    auto waiting = start(client.run(twice, 1));
    let_work();
    BOOST_TEST(counts().waiting == 1U);
    empty();
    BOOST_REQUIRE(ends(waiting, 12));
    BOOST_TEST(error_of(std::move(waiting)) == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_unique_key_that_is_lost_is_free) {
    auto one = task();
    one.unique_key = "only";
    const auto before = submit(one);
    BOOST_TEST(submit(one).duplicate);
    empty();
    const auto after = submit(one);
    BOOST_TEST(!after.duplicate);
    BOOST_TEST(submit(one).duplicate);
    BOOST_TEST((before.key != after.key));
    BOOST_TEST(!exists(before.key));
}

BOOST_AUTO_TEST_CASE(a_schedule_is_stored_again_by_the_running_scheduler_that_has_declared_it) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    empty();
    BOOST_TEST(schedules().empty());
    pass(2s);
    BOOST_TEST(schedules() == only_tick);
    BOOST_TEST(queues() == only_ticks);
    pass(10s);
    BOOST_TEST(counts("ticks").waiting == 1U);
    BOOST_TEST(said.find("queue ticks was emptied on its server: 1 schedule of this program is stored again") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(a_schedule_is_stored_again_though_it_was_lost_before_the_scheduler_ran) {
    run(scheduler.every(each_ten, "UTC", tick));
    empty();
    BOOST_TEST(queues().empty());
    running.push_back(start(scheduler.run()));
    pass(2s);
    BOOST_TEST(schedules() == only_tick);
    BOOST_TEST(queues() == only_ticks);
}

BOOST_AUTO_TEST_CASE(a_schedule_is_stored_again_though_the_queue_is_in_use_again) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    empty();
    add(task(), "ticks");
    pass(2s);
    BOOST_TEST(schedules() == only_tick);
}

BOOST_AUTO_TEST_CASE(a_schedule_that_was_removed_stays_away) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    const taskflux::scheduler other(shared());
    run(other.remove("tick"));
    pass(2s);
    empty();
    pass(2s);
    BOOST_TEST(schedules().empty());
    run(scheduler.every(each_ten, "UTC", tick));
    BOOST_TEST(schedules() == only_tick);
}

BOOST_AUTO_TEST_CASE(a_schedule_that_its_own_program_has_removed_before_it_was_seen_stays_away) {
    run(scheduler.every(each_ten, "UTC", tick));
    run(scheduler.remove("tick"));
    running.push_back(start(scheduler.run()));
    pass(2s);
    empty();
    pass(2s);
    BOOST_TEST(schedules().empty());
}

BOOST_AUTO_TEST_CASE(a_schedule_that_its_own_program_removes_while_it_is_lost_stays_away) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    empty();
    BOOST_TEST(error_of(scheduler.remove("tick")) == errc::not_found);
    pass(2s);
    BOOST_TEST(schedules().empty());
}

BOOST_AUTO_TEST_CASE(a_schedule_that_is_lost_before_the_scheduler_has_seen_it_is_stored_again) {
    run(scheduler.every(each_ten, "UTC", tick));
    empty();
    running.push_back(start(scheduler.run()));
    pass(2s);
    BOOST_TEST(schedules() == only_tick);
    BOOST_TEST(queues() == only_ticks);
    const taskflux::scheduler other(shared());
    run(other.remove("tick"));
    pass(2s);
    empty();
    pass(2s);
    BOOST_TEST(schedules().empty());
}

BOOST_AUTO_TEST_CASE(a_schedule_that_another_program_had_replaced_is_left_to_it) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    const taskflux::scheduler other(shared());
    run(other.every("0 * * * *", "UTC", tick));
    pass(2s);
    empty();
    pass(2s);
    BOOST_TEST(schedules().empty());
    BOOST_TEST(said == "");
}

BOOST_AUTO_TEST_CASE(a_schedule_that_another_program_has_stored_meanwhile_is_not_replaced) {
    run(scheduler.every(each_ten, "UTC", tick));
    running.push_back(start(scheduler.run()));
    pass(2s);
    empty();
    const taskflux::scheduler other(shared());
    run(other.every("0 * * * *", "UTC", tick));
    pass(2s);
    const auto all = run(other.list());
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].definition.cron == "0 * * * *");
}

BOOST_AUTO_TEST_CASE(a_local_job_that_runs_once_per_cluster_runs_again) {
    int runs = 0;
    scheduler.local("job", each_ten, [&runs]() -> asio::awaitable<void> { ++runs; co_return; },
                    schedule_options().zone("UTC").scope(local_scope::once_per_cluster));
    running.push_back(start(scheduler.run()));
    let_work();
    pass(11s);
    BOOST_TEST(runs == 1);
    empty();
    pass(2s);
    pass(10s);
    BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE(a_local_job_that_was_removed_stays_away) {
    scheduler.local("job", each_ten, []() -> asio::awaitable<void> { co_return; },
                    schedule_options().zone("UTC").scope(local_scope::once_per_cluster));
    running.push_back(start(scheduler.run()));
    pass(2s);
    const taskflux::scheduler other(shared());
    run(other.remove("job"));
    pass(2s);
    empty();
    pass(2s);
    BOOST_TEST(run(broker().schedules(detail::local_queue)).rows.empty());
}

BOOST_AUTO_TEST_CASE(a_service_is_found_again) {
    running.push_back(start(service.run()));
    let_work();
    const taskflux::rpc caller(shared());
    BOOST_TEST(run(caller.call(half, 8)) == 4);
    empty();
    pass(3s);
    BOOST_TEST(run(caller.call(half, 6)) == 3);
    const taskflux::directory all(shared());
    BOOST_TEST(run(all.services()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_begun_afterwards_gives_its_values) {
    work();
    empty();
    auto opening = start(client.run(count_up, 3));
    BOOST_REQUIRE(ends(opening));
    auto values = opening.get();
    for (int i = 0; i < 3; ++i) {
        auto next = start(values.next());
        BOOST_REQUIRE(ends(next));
        BOOST_TEST(next.get().value() == i);
    }
}

BOOST_AUTO_TEST_CASE(a_receiver_of_a_raw_queue_gets_what_is_sent_afterwards) {
    const raw_queue messages(shared(), "raw");
    run(messages.send("before"));
    auto got = start(messages.receive(1h));
    BOOST_REQUIRE(ends(got));
    auto before = got.get().value();
    BOOST_TEST(before.body() == "before");
    run(before.complete());
    auto next = start(messages.receive(1h));
    empty();
    run(messages.send("after"));
    BOOST_REQUIRE(ends(next));
    BOOST_TEST(next.get().value().body() == "after");
}

BOOST_AUTO_TEST_CASE(a_process_that_only_works_tells_of_damage_again) {
    std::string told;
    const auto other = another(redis_options().log([&](std::string_view line) { told += line; }));
    for (int i = 0; i < 2; ++i) {
        empty();
        add();
        server.command({"HSET", "tf:{q}:r", "1", "no record"});
        told.clear();
        run(other->join(w, only_q, lease));
        run(other->fetch(request()));
        BOOST_TEST(told.find("queue q: 1 is set aside") != std::string::npos, told);
    }
    other->close();
}

BOOST_AUTO_TEST_CASE(damage_is_told_of_once_however_often_the_connection_is_lost) {
    std::string told;
    const auto other = another(redis_options().log([&](std::string_view line) { told += line; }));
    run(other->submit(q, {task()}));
    for (int i = 0; i < 2; ++i) {
        server.command({"LPUSH", "tf:{q}:l:0", "foreign"});
        told.clear();
        run(other->join(w, only_q, lease));
        run(other->fetch(request()));
        const auto count = told.find("l:0 foreign is set aside") == std::string::npos ? 0 : 1;
        BOOST_TEST(count == (i == 0 ? 1 : 0), told);
        server.command({"CLIENT", "KILL", "TYPE", "normal"});
        run(other->queues());
        let_work();
        run(other->submit(q, {task()}));
    }
    other->close();
}

BOOST_AUTO_TEST_CASE(damage_is_told_of_again) {
    std::string told;
    const auto other = another(redis_options().log([&](std::string_view line) { told += line; }));
    for (int i = 0; i < 2; ++i) {
        empty();
        run(other->submit(q, {task()}));
        server.command({"HSET", "tf:{q}:r", "1", "no record"});
        told.clear();
        run(other->join(w, only_q, lease));
        run(other->fetch(request()));
        BOOST_TEST(told.find("queue q: 1 is set aside") != std::string::npos, told);
    }
    other->close();
}

BOOST_AUTO_TEST_SUITE_END()
