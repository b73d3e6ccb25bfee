#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/flow/worker.hpp>

#include <set>

using namespace test::flow;

namespace {

/// An embedded broker, some of whose calls fail while the test says so.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<taskflux::settlement>& ends) override {
        if (unsettled.contains(queue)) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        co_return co_await memory_broker::settle(std::move(queue), std::move(consumer), ends);
    }

    awaitable<std::vector<taskflux::delivery>> fetch(taskflux::fetch_request request) override {
        if (no_fetch) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        co_return co_await memory_broker::fetch(std::move(request));
    }

    std::set<std::string> unsettled;
    bool no_fetch = false;
    int failures = 0;
};

struct faulty_fixture : fixture {
    faulty_fixture() {
        broker = faulty;
        client = taskflux::client(broker);
    }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(flow_worker_faults, faulty_fixture)

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
    worker w{broker, options().drain_for(1s)};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    faulty->unsettled = {"default"};
    now(client.submit(twice, 1));
    w.stop();
    for (int i = 0; i < 30 && !life->done; ++i) advance(1s);
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_works_ends_what_was_wrong) {
    std::vector<std::string> lines;
    worker w{broker, options().log([&](std::string_view line) { lines.emplace_back(line); })};
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
