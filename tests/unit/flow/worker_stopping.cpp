#include "fixture.hpp"

#include <taskflux/flow/worker.hpp>

using namespace test::flow;

namespace flow_worker_stopping {

/// A worker of two slots and two prefetched tasks, with handlers that wait at a gate.
struct stopping_fixture : fixture {
    gate closed{here};
    int begun = 0;
    std::vector<std::string> lines;
    worker w{broker, options().concurrency(2).prefetch(2).drain_for(10s).unwind_for(5s).log(
                         [this](const taskflux::log_line& line, const taskflux::task_id*) { lines.push_back(line.text); })};
    std::shared_ptr<coroutine_end<void>> life;
    std::vector<job<void>> jobs;

    void begin(bool is_stubborn = false) {
        w.on(note, [this, is_stubborn](int) {
            ++begun;
            return is_stubborn ? closed.pass_stubbornly() : closed.pass();
        });
        life = start(w.run());
        jobs = now(client.submit_all(note, std::vector<int>(6)));
        settle();
        BOOST_REQUIRE(begun == 2);
        BOOST_REQUIRE(counts().running == 4U);
    }
};

}  // namespace flow_worker_stopping

BOOST_FIXTURE_TEST_SUITE(flow_worker_stopping, stopping_fixture)

BOOST_AUTO_TEST_CASE(what_has_not_started_is_given_back_untouched) {
    begin();
    w.stop();
    settle();
    BOOST_TEST(!life->done);
    BOOST_TEST(begun == 2);
    BOOST_TEST(counts().running == 2U);
    BOOST_TEST(counts().waiting == 4U);
    BOOST_TEST(now(jobs[2].record()).attempts == 0U);
    worker other{broker, options().name("other")};
    other.on(note, [](int) {});
    const auto second = start(other.run());
    BOOST_TEST(counts().succeeded == 4U);
    const auto record = now(jobs[2].record());
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.crashes == 0U);
}

BOOST_AUTO_TEST_CASE(handlers_finish_within_the_drain_time) {
    begin();
    w.stop();
    advance(9s);
    BOOST_TEST(!life->done);
    closed.open();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(counts().succeeded == 2U);
    BOOST_TEST(counts().running == 0U);
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(cancelling_run_stops_it_as_well) {
    begin();
    life->cancel();
    settle();
    BOOST_TEST(!life->done);
    closed.open();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(counts().succeeded == 2U);
    BOOST_TEST(counts().waiting == 4U);
}

BOOST_AUTO_TEST_CASE(handlers_that_take_too_long_are_cancelled_and_their_tasks_given_back) {
    begin();
    w.stop();
    settle();
    advance(9999ms);
    BOOST_TEST(closed.cancelled == 0);
    advance(1ms);
    BOOST_TEST(closed.cancelled == 2);
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(counts().waiting == 6U);
    const auto record = now(jobs[0].record());
    BOOST_TEST(record.attempts == 0U);
    BOOST_TEST(record.crashes == 0U);
}

BOOST_AUTO_TEST_CASE(handlers_that_ignore_that_are_left_behind) {
    begin(true);
    w.stop();
    settle();
    advance(10s);
    BOOST_TEST(!life->done);
    advance(4999ms);
    BOOST_TEST(!life->done);
    advance(1ms);
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(counts().running == 0U);
    BOOST_TEST(counts().waiting == 6U);
    BOOST_TEST(lines.size() == 2U);
    worker other{broker, options().name("other")};
    other.on(note, [](int) {});
    const auto second = start(other.run());
    BOOST_TEST(counts().succeeded == 6U);
    closed.open();
    settle();
    BOOST_TEST(counts().succeeded == 6U);
}

BOOST_AUTO_TEST_CASE(stop_now_cancels_at_once_and_waits_for_no_drain_time) {
    for (const bool is_stubborn : {false, true}) {
        stopping_fixture on;
        on.begin(is_stubborn);
        on.w.stop_now();
        on.settle();
        BOOST_TEST(on.closed.cancelled == (is_stubborn ? 0 : 2));
        BOOST_TEST(on.life->done == !is_stubborn);
        BOOST_TEST(on.lines.empty());  // nobody has waited for them
        on.advance(5s);  // unwind_for
        BOOST_TEST(on.lines.empty() == !is_stubborn);
        BOOST_TEST(on.life->done);
        BOOST_TEST(!on.life->error);
        BOOST_TEST(on.counts().waiting == 6U);
        on.closed.open();
        on.settle();
    }
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_stopped_ends_well_though_its_broker_is_closed_meanwhile) {
    begin();
    w.stop();
    settle();
    BOOST_TEST(!life->done);
    broker->close();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(closed.cancelled == 2);
}

BOOST_AUTO_TEST_CASE(a_stopped_worker_whose_handlers_have_paused_keeps_no_context_running) {
    w.on(tick, [](context& ctx) { return ctx.sleep_for(1h); });
    life = start(w.run());
    now(client.submit(tick));
    settle();
    BOOST_TEST(counts().scheduled == 1U);
    w.stop();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(io.stopped());  // nothing is left to wait for
}

BOOST_AUTO_TEST_CASE(an_idle_worker_stops_at_once) {
    w.on(note, [](int) {});
    life = start(w.run());
    w.stop();
    w.stop();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    w.stop();
    settle();
}

BOOST_AUTO_TEST_CASE(a_worker_that_was_stopped_before_it_ran_runs_nothing) {
    w.on(note, [this](int) { ++begun; });
    now(client.submit(note, 1));
    w.stop();
    life = start(w.run());
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(begun == 0);
    BOOST_TEST(counts().waiting == 1U);
}

BOOST_AUTO_TEST_CASE(stop_now_before_it_runs_is_a_stop_too) {
    w.on(note, [this](int) { ++begun; });
    now(client.submit(note, 1));
    w.stop_now();
    life = start(w.run());
    BOOST_TEST(life->done);
    BOOST_TEST(!life->error);
    BOOST_TEST(begun == 0);
}

BOOST_AUTO_TEST_CASE(its_results_are_told_before_it_ends) {
    begin();
    const auto result = start(jobs[0].result());
    w.stop();
    closed.open();
    settle();
    BOOST_TEST(result->done);
    BOOST_TEST(!result->error);
}

BOOST_AUTO_TEST_CASE(a_worker_that_goes_away_gives_everything_back_at_once) {
    auto brief = std::make_unique<worker>(broker, options().name("brief").concurrency(2).prefetch(2));
    brief->on(note, [this](int) { return closed.pass(); });
    const auto end = start(brief->run());
    now(client.submit_all(note, std::vector<int>(6)));
    settle();
    BOOST_TEST(counts().running == 4U);
    brief.reset();
    settle();
    BOOST_TEST(closed.cancelled == 2);
    BOOST_TEST(counts().waiting == 6U);
    BOOST_TEST(counts().failed == 0U);
    BOOST_TEST(end->done);
    now(client.submit(note, 7));
    settle();
    BOOST_TEST(counts().waiting == 7U);
}

BOOST_AUTO_TEST_SUITE_END()
