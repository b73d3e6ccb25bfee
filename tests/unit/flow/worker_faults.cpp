#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/flow/worker.hpp>

#include <algorithm>
#include <cstddef>
#include <set>

using namespace test::flow;

namespace flow_worker_faults {

/// An embedded broker, some of whose calls fail, or answer late, while the test says so.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<void> join(std::string consumer, std::vector<std::string> queues, taskflux::duration lease) override {
        if (no_join) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        co_await memory_broker::join(std::move(consumer), std::move(queues), lease);
        if (late_join) co_await late_join->pass();
    }

    awaitable<void> set_limit(std::string queue, taskflux::limit_kind kind, std::optional<taskflux::limit> value,
                              std::string reason) override {
        if (refused.contains(queue)) throw taskflux::error(errc::protocol, "a key has the wrong type");
        if (no_limit) throw taskflux::error(errc::unavailable, "no connection");
        co_await memory_broker::set_limit(std::move(queue), kind, std::move(value), std::move(reason));
    }

    awaitable<void> leave(std::string consumer, std::vector<std::string> queues) override {
        leaves.push_back(consumer);
        if (no_leave) throw taskflux::error(errc::protocol, "a key has the wrong type");
        co_await memory_broker::leave(std::move(consumer), std::move(queues));
    }

    awaitable<taskflux::renewal> renew(std::string consumer, std::vector<std::string> queues, taskflux::duration lease) override {
        auto answer = co_await memory_broker::renew(std::move(consumer), std::move(queues), lease);
        if (late_renewal) {
            co_await late_renewal->pass();
            answer.lost = true;
        }
        answer.cancels.insert(answer.cancels.end(), cancels.begin(), cancels.end());
        co_return answer;
    }

    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<taskflux::settlement>& ends) override {
        if (unsettled.contains(queue)) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        if (late_settle) co_await late_settle->pass();
        co_return co_await memory_broker::settle(std::move(queue), std::move(consumer), ends);
    }

    awaitable<std::vector<taskflux::delivery>> fetch(taskflux::fetch_request request) override {
        if (no_fetch) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        auto found = co_await memory_broker::fetch(std::move(request));
        if (late_fetch) co_await late_fetch->pass_stubbornly();
        co_return found;
    }

    std::set<std::string> unsettled, refused;
    std::vector<taskflux::cancel_request> cancels;  // in each renewal's answer
    gate* late_fetch = nullptr;
    gate* late_renewal = nullptr;
    gate* late_join = nullptr;
    gate* late_settle = nullptr;
    std::vector<std::string> leaves;  // names
    bool no_fetch = false, no_join = false, no_leave = false, no_limit = false;
    int failures = 0;
};

struct faulty_fixture : fixture {
    faulty_fixture() {
        broker = faulty;
        client = taskflux::client(broker);
    }

    /// Keeps the worker's log lines.
    taskflux::log_sink keep() {
        return [this](const taskflux::log_line& line, const taskflux::task_id*) { lines.push_back(line.text); };
    }

    std::ptrdiff_t lines_with(const std::string& words) const {
        return std::ranges::count_if(lines, [&](const auto& line) { return line.find(words) != std::string::npos; });
    }

    std::vector<std::string> lines;
    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
};

}  // namespace flow_worker_faults

BOOST_FIXTURE_TEST_SUITE(flow_worker_faults, faulty_fixture)

BOOST_AUTO_TEST_CASE(a_queue_that_refuses_its_limit_does_not_keep_the_worker_from_others) {
    faulty->refused = {"bad"};
    worker w{broker, options().queues({"bad", "good"}).log(keep())};
    w.limit("bad", taskflux::limit().running(3)).limit("good", taskflux::limit().running(4));
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    const auto good = now(client.submit(twice, submit_options().queue("good"), 2));
    settle();
    BOOST_TEST(now(good.result()) == 4);
    BOOST_TEST(now(broker->limits("good")).in_force().running().value() == 4U);
    BOOST_TEST(lines_with("queue bad refuses the limit") == 1);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_limit_that_the_server_did_not_hear_of_is_declared_before_the_worker_fetches) {
    faulty->no_limit = true;
    worker w{broker, options().log(keep())};
    w.limit("default", taskflux::limit().running(3));
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    settle();
    BOOST_TEST(lines_with("it can't start yet") >= 1);
    faulty->no_limit = false;
    advance(10s);
    BOOST_TEST(now(broker->limits("default")).in_force().running().value() == 3U);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_queue_that_cannot_be_settled_does_not_hold_up_another) {
    worker w{broker, options().queues({"bad", "good"})};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    faulty->unsettled = {"bad"};
    const auto bad = now(client.submit(twice, submit_options().queue("bad"), 1));
    settle();
    const auto good = now(client.submit(twice, submit_options().queue("good"), 2));
    settle();
    BOOST_TEST(faulty->failures > 0);
    BOOST_TEST(now(good.result()) == 4);
    BOOST_TEST(counts("bad").running == 1U);
    faulty->unsettled.clear();
    advance(10s);
    BOOST_TEST(now(bad.result()) == 2);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(ends_that_could_not_be_told_are_told_later_all_of_them) {
    worker w{broker, options().concurrency(4)};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    faulty->unsettled = {"default"};
    const std::vector<int> numbers{1, 2, 3, 4, 5, 6};
    const auto jobs = now(client.submit_all(twice, numbers));
    for (int i = 0; i < 20; ++i) advance(1s);
    BOOST_TEST(faulty->failures > 2);
    faulty->unsettled.clear();
    advance(10s);
    for (std::size_t i = 0; i < jobs.size(); ++i) BOOST_TEST(now(jobs[i].result()) == 2 * numbers[i]);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(news_of_a_task_whose_end_is_told_again_are_told_once) {
    worker w{broker, options().log(nullptr)};
    w.on(note, [](context& ctx, int) { ctx.log(taskflux::log_level::info, "begun"); });
    const auto life = start(w.run());
    faulty->unsettled = {"default"};
    const auto one = now(client.submit(note, 1));
    for (int i = 0; i < 10; ++i) advance(1s);
    BOOST_TEST(faulty->failures > 1);
    faulty->unsettled.clear();
    advance(10s);
    now(one.result());
    BOOST_TEST(now(one.record()).log.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_join_goes_on_trying_until_its_start_timeout) {
    faulty->no_join = true;
    worker patient{broker, options().name("patient").log(nullptr)};
    patient.on(twice, [](int x) { return 2 * x; });
    worker brief{broker, options().name("brief").log(nullptr).start_timeout(20s)};
    brief.on(answer, [] { return 42; });
    const auto life = start(patient.run());
    const auto end = start(brief.run());
    pass(19s, 1s);
    BOOST_TEST(faulty->failures > 4);
    BOOST_TEST(!life->done);
    BOOST_TEST(!end->done);
    pass(10s, 1s);  // a try every 5 s at least
    BOOST_TEST(!life->done);
    BOOST_TEST(end->code() == errc::unavailable);
    faulty->no_join = false;
    pass(10s, 1s);
    BOOST_TEST(now(client.run(twice, 1)) == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_whose_broker_is_closed_before_it_could_join_says_so) {
    faulty->no_join = true;
    worker w{broker, options().log(nullptr)};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    BOOST_TEST(faulty->failures == 1);
    BOOST_TEST(!life->done);
    broker->close();
    settle();
    BOOST_TEST(life->code() == errc::shut_down);
}

BOOST_AUTO_TEST_CASE(a_lost_lease_is_told_once_though_the_worker_cannot_join_again) {
    worker w{broker, options().lease(30s).log(keep())};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    faulty->no_join = true;
    advance(31s);
    for (int i = 0; i < 20; ++i) advance(1s);
    BOOST_TEST(faulty->failures > 2);
    BOOST_TEST(lines_with("was lost") == 1);
    faulty->no_join = false;
    for (int i = 0; i < 6; ++i) advance(1s);
    BOOST_TEST(now(client.run(twice, 1)) == 2);
    advance(31s);
    BOOST_TEST(lines_with("was lost") == 2);
    BOOST_TEST(lines_with("asking for cancelled tasks failed") == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_stopped_while_it_joins_leaves_under_that_name_too) {
    for (const bool is_first : {true, false}) {
        gate late{here};
        worker w{broker, options().lease(30s).log(keep())};
        w.on(twice, [](int x) { return 2 * x; });
        if (is_first) faulty->late_join = &late;
        const auto life = start(w.run());
        if (!is_first) {
            faulty->late_join = &late;
            advance(31s);
        }
        BOOST_TEST(late.waiting == 1);
        BOOST_TEST(counts().consumers == 1U);
        faulty->late_join = nullptr;
        w.stop();
        settle();
        BOOST_TEST((life->done && !life->error));
        BOOST_TEST(counts().consumers == 0U);
    }
    BOOST_TEST(lines_with("leaving the queues") == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_stops_leaves_under_its_current_name_first_and_under_each_other_whatever_fails) {
    gate closed{here};
    worker w{broker, options().lease(30s).drain_for(1s).unwind_for(1s).log(keep())};
    w.on(note, [&](int) { return closed.pass_stubbornly(); });
    const auto life = start(w.run());
    now(client.submit(note, 1));
    settle();
    advance(31s);
    faulty->no_leave = true;
    w.stop();
    pass(3s, 1s);
    BOOST_TEST((life->done && !life->error));
    BOOST_REQUIRE(faulty->leaves.size() == 2U);
    BOOST_TEST(faulty->leaves.front().ends_with(".2"));
    BOOST_TEST(faulty->leaves.back().ends_with(".1"));
    BOOST_TEST(lines_with("a key has the wrong type; its lease ends by itself") == 1);
    closed.open();
    settle();
}

BOOST_AUTO_TEST_CASE(a_former_name_that_cannot_leave_tries_again_after_pauses_until_it_has_left) {
    worker w{broker, options().lease(30s).log(nullptr)};
    w.on(note, [](int) {});
    const auto life = start(w.run());
    faulty->no_leave = true;
    advance(31s);  // as if the machine had slept
    pass(60s, 1s);
    const auto tried = faulty->leaves.size();
    BOOST_TEST((tried > 1U && tried < 60U));
    BOOST_TEST(faulty->leaves.back().ends_with(".1"));
    faulty->no_leave = false;
    pass(2min, 1s);
    BOOST_TEST(faulty->leaves.size() == tried + 1);
}

BOOST_AUTO_TEST_CASE(what_an_earlier_life_of_a_worker_has_lost_cancels_nothing_of_a_later_one) {
    gate late{here}, closed{here};
    worker w{broker, options().lease(30s).log(keep())};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    faulty->late_renewal = &late;
    for (int lives = 0; lives < 3; ++lives) advance(31s);
    BOOST_TEST(late.waiting == 1);
    BOOST_TEST(lines_with("was lost") == 3);
    now(client.submit(note, 1));
    settle();
    BOOST_TEST(closed.waiting == 1);
    faulty->late_renewal = nullptr;
    late.open();
    settle();
    BOOST_TEST(closed.waiting == 1);
    BOOST_TEST(lines_with("was lost") == 3);
}

BOOST_AUTO_TEST_CASE(a_cancellation_hits_the_delivery_and_the_queue_that_it_names_alone) {
    gate closed{here};
    worker w{broker, options().queues({"default", "other"})};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    const auto one = now(client.submit(note, 1));
    settle();
    taskflux::cancel_request wanted;
    wanted.key = one.id().key;
    wanted.token = now(one.record()).deliveries;
    const auto hear = [&](const taskflux::cancel_request& what) {
        faulty->cancels = {what};
        pass(20s, 1s);
        return closed.cancelled;
    };
    auto elsewhere = wanted, earlier = wanted;
    elsewhere.queue = 1;
    --earlier.token;
    BOOST_TEST(hear(elsewhere) == 0);
    BOOST_TEST(hear(earlier) == 0);
    BOOST_TEST(hear(wanted) == 1);
}

BOOST_AUTO_TEST_CASE(what_is_fetched_while_the_worker_is_being_stopped_is_given_back) {
    gate late{here};
    int begun = 0;
    worker w{broker, options()};
    w.on(note, [&](int) { ++begun; });
    const auto life = start(w.run());
    faulty->late_fetch = &late;
    const auto one = now(client.submit(note, 1));
    settle();
    BOOST_TEST(late.waiting == 1);
    w.stop();
    settle();
    late.open();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(begun == 0);
    BOOST_TEST(counts().waiting == 1U);
    BOOST_TEST(now(one.record()).attempts == 0U);
}

BOOST_AUTO_TEST_CASE(a_task_that_arrives_at_its_very_deadline_has_no_time_left) {
    gate late{here}, closed{here};
    worker w{broker, options()};
    w.on(note, [&](int) { return closed.pass(); });
    const auto life = start(w.run());
    faulty->late_fetch = &late;
    const auto one = now(client.submit(note, submit_options().deadline(5s), 1));
    settle();
    BOOST_TEST(late.waiting == 1);
    advance(5s);
    late.open();
    settle();
    advance(1ms);
    BOOST_TEST(closed.waiting == 0);
    BOOST_TEST(start(one.result())->failed().code() == errc::timed_out);
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_fetch_goes_on_trying) {
    worker w{broker, options()};
    w.on(twice, [](int x) { return 2 * x; });
    faulty->no_fetch = true;
    const auto life = start(w.run());
    const auto one = now(client.submit(twice, 1));
    for (int i = 0; i < 20; ++i) advance(1s);
    BOOST_TEST(faulty->failures > 2);
    BOOST_TEST(counts().waiting == 1U);
    faulty->no_fetch = false;
    for (int i = 0; i < 6; ++i) advance(1s);
    BOOST_TEST(now(one.result()) == 2);
    w.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_told_to_stop_gives_up_on_a_broker_that_does_not_answer) {
    for (const bool refuses : {true, false}) {
        gate late{here};
        worker w{broker, options().drain_for(1s).log(keep())};
        w.on(twice, [](int x) { return 2 * x; });
        const auto life = start(w.run());
        if (refuses) faulty->unsettled = {"default"};
        else faulty->late_settle = &late;
        now(client.submit(twice, 1));
        settle();
        w.stop();
        for (int i = 0; i < 30 && !life->done; ++i) advance(1s);
        BOOST_TEST(life->done);
        BOOST_TEST(late.cancelled == (refuses ? 0 : 1));
        BOOST_TEST(lines_with("could not be told of all ends") == 1);
        BOOST_TEST(lines_with("reporting to the broker failed") == (refuses ? 1 : 0));
        faulty->unsettled.clear();
        lines.clear();
    }
}

BOOST_AUTO_TEST_CASE(a_fetch_that_works_ends_what_was_wrong) {
    worker w{broker, options().log(keep())};
    w.on(twice, [](int x) { return 2 * x; });
    faulty->no_fetch = true;
    const auto life = start(w.run());
    pass(60s, 1s);
    BOOST_TEST(lines.size() == 1U);
    faulty->no_fetch = false;
    pass(6s, 1s);
    for (std::size_t i = 1; i <= 5; ++i) {
        faulty->no_fetch = true;
        now(client.submit(twice, 1));  // ends the fetch that waits; the next one fails
        settle();
        BOOST_TEST(lines.size() == 1 + i);
        faulty->no_fetch = false;
        advance(100ms);  // as after a first failure
        BOOST_TEST(now(client.run(twice, 2)) == 4);
    }
}

BOOST_AUTO_TEST_CASE(handlers_that_end_after_all_of_the_drain_time_are_reported_at_a_second_try) {
    gate closed{here};
    worker w{broker, options().drain_for(5s).unwind_for(5s).log(nullptr)};
    w.on(note, [&closed](int) { return closed.pass_stubbornly(); });
    const auto life = start(w.run());
    const auto one = now(client.submit(note, 1));
    settle();
    w.stop();
    settle();
    advance(7s);
    faulty->unsettled = {"default"};
    closed.open();
    settle();
    BOOST_TEST(faulty->failures > 0);
    BOOST_TEST(!life->done);
    faulty->unsettled.clear();
    advance(100ms);
    BOOST_TEST(life->done);
    BOOST_TEST(now(one.status()) == task_state::succeeded);
}

BOOST_AUTO_TEST_SUITE_END()
