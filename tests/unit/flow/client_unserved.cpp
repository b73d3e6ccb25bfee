#include "fixture.hpp"

#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/flow/client.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Callers that wait for results of a queue which no worker serves.
using namespace test::flow;

namespace flow_client_without_a_worker {

struct unserved_recorder final : taskflux::broker_observer {
    void on_unserved(const std::string& queue, taskflux::duration waited) override {
        queues.push_back(queue);
        times.push_back(waited.count());
    }
    std::vector<std::string> queues;
    std::vector<long> times;
};

struct unserved : fixture {
    std::shared_ptr<unserved_recorder> seen = std::make_shared<unserved_recorder>();
    std::vector<std::string> lines;
    taskflux::broker_ptr watched = make_broker(
        taskflux::memory_options().observer(seen).log([this](std::string_view text) { lines.emplace_back(text); }));
    taskflux::client by{watched};
    std::optional<worker> serves;

    std::shared_ptr<coroutine_end<void>> serve() {
        serves.emplace(watched, options());
        serves->on(twice, [](int x) { return 2 * x; });
        return start(serves->run());
    }
    void stop() {
        serves->stop();
        settle();
    }
};

}  // namespace flow_client_without_a_worker

BOOST_FIXTURE_TEST_SUITE(flow_client_without_a_worker, unserved)

BOOST_AUTO_TEST_CASE(a_queue_that_nobody_serves_is_told_of_while_callers_wait) {
    const auto waits = start(by.run(twice, 1));
    const auto too = start(by.run(twice, 2));
    pass(9s, 1s);
    BOOST_TEST(lines.empty());
    pass(60s, 1s);
    BOOST_TEST(seen->queues == std::vector<std::string>{"default"});
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("no worker serves queue default, and a caller has waited 10 s"));
    BOOST_TEST(!waits->done);  // one may start later
    const auto life = serve();
    BOOST_TEST(waits->value.value() == 2);
    BOOST_TEST(too->value.value() == 4);
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_served_is_not_told_of) {
    gate closed{here};
    serves.emplace(watched, options());
    serves->on(note, [&closed](int) { return closed.pass(); });
    start(serves->run());
    const auto waits = start(by.run(note, 1));
    pass(60s, 1s);
    BOOST_TEST(!waits->done);
    BOOST_TEST(seen->queues.empty());
    closed.open();
}

BOOST_AUTO_TEST_CASE(a_queue_is_not_told_of_that_is_served_soon_and_once_more_that_is_deserted_again) {
    const auto waits = start(by.run(twice, 1));
    pass(5s, 1s);
    now(watched->join("w", {"default"}, 1h));
    pass(20s, 1s);
    BOOST_TEST(seen->queues.empty());
    now(watched->leave("w", {"default"}));
    advance(3s);
    BOOST_TEST(waits->code() == errc::no_worker);
    BOOST_TEST(seen->queues.size() == 1U);
    const auto again = start(by.run(twice, 1));
    now(watched->join("w", {"default"}, 1h));
    now(watched->leave("w", {"default"}));
    advance(3s);
    BOOST_TEST(again->code() == errc::no_worker);
    BOOST_TEST(seen->queues.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_can_produce_any_more_ends_in_an_error) {
    const auto life = serve();
    serves->pause();
    const auto waits = start(by.run(twice, 1));
    const auto expires = start(by.run(twice, submit_options().deadline(20s), 2));
    stop();
    BOOST_TEST(life->done);
    advance(2s);
    BOOST_TEST(!waits->done);
    advance(1s);
    BOOST_REQUIRE(waits->done);
    BOOST_TEST(waits->code() == errc::no_worker);
    BOOST_TEST(waits->what().find("the last worker of queue default has stopped") != std::string::npos);
    BOOST_TEST(now(watched->counts("default")).cancelled == 1U);  // as when `run` gives up otherwise
    BOOST_TEST(!expires->done);
    advance(20s);
    BOOST_TEST(expires->code() == errc::expired);
}

BOOST_AUTO_TEST_CASE(what_is_told_of_an_unserved_queue_is_how_long_the_caller_has_waited) {
    const auto life = serve();
    serves->pause();
    const auto waits = start(by.run(twice, 1));
    advance(2s);
    stop();
    advance(3s);
    BOOST_TEST(waits->code() == errc::no_worker);
    BOOST_TEST(seen->times == std::vector<long>{5000});
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("no worker serves queue default, and a caller has waited 5 s"));
}

BOOST_AUTO_TEST_CASE(a_worker_that_has_lost_its_lease_is_waited_for_when_another_leaves) {
    now(watched->join("stuck", {"default"}, 10s));
    now(watched->join("leaves", {"default"}, 1h));
    const auto job = now(by.submit(twice, 1));
    const auto waits = start(job.result());
    advance(10s);  // the first has not renewed its lease, and will join again
    now(watched->leave("leaves", {"default"}));
    pass(20s, 1s);
    BOOST_TEST(!waits->done);
    const auto again = serve();
    BOOST_TEST(waits->value.value() == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_that_has_lost_its_lease_and_is_not_heard_of_again_ends_the_wait) {
    now(watched->join("stuck", {"default"}, 10s));
    const auto waits = start(by.run(twice, 1));
    pass(10s, 1s);
    const auto later = start(by.run(twice, 2));
    pass(9s, 1s);
    BOOST_TEST(lines.empty());
    advance(1s);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("no worker serves queue default, and a caller has waited 20 s"));
    pass(19s, 1s);
    BOOST_TEST((!waits->done && !later->done));
    advance(1s);
    for (const auto& one : {waits, later}) {
        BOOST_REQUIRE(one->done);
        BOOST_TEST(one->code() == errc::no_worker);
        BOOST_TEST(one->what().find("a worker of queue default has lost its lease") != std::string::npos);
    }
    BOOST_TEST(now(watched->counts("default")).cancelled == 2U);
}

BOOST_AUTO_TEST_CASE(the_context_s_run_returns_when_the_last_worker_is_not_heard_of_again) {
    now(watched->join("stuck", {"default"}, 10s));
    const auto waits = start(by.run(twice, 1));
    for (int i = 0; i != 4; ++i) {
        time.advance(10s);
        io.restart();
        io.poll();
    }
    io.restart();
    io.run();  // it would hang
    BOOST_TEST(waits->code() == errc::no_worker);
}

BOOST_AUTO_TEST_CASE(a_wait_that_begins_after_the_last_worker_ends_too) {
    const auto life = serve();
    stop();
    const auto job = now(by.submit(twice, 1));
    const auto waits = start(job.result());
    const auto limited = start(job.outcome(1s));
    advance(1s);
    BOOST_TEST((limited->done && !limited->error));
    advance(2s);
    BOOST_TEST(waits->code() == errc::no_worker);
    BOOST_TEST((now(job.status()) == task_state::waiting));  // it is kept: a worker may come and run it
    const auto again = serve();
    BOOST_TEST(now(job.result()) == 2);
}

BOOST_AUTO_TEST_CASE(the_context_s_run_returns_when_the_last_worker_has_gone) {
    const auto life = serve();
    serves->pause();
    const auto waits = start(by.run(twice, 1));
    stop();
    time.advance(3s);
    io.restart();
    io.run();  // it would hang
    BOOST_TEST(waits->code() == errc::no_worker);
}

BOOST_AUTO_TEST_CASE(another_worker_that_starts_soon_is_waited_for) {
    const auto life = serve();
    serves->pause();
    const auto waits = start(by.run(twice, 1));
    stop();
    advance(2s);
    const auto next = serve();
    BOOST_TEST(waits->value.value() == 2);
    BOOST_TEST(seen->queues.empty());
}

BOOST_AUTO_TEST_CASE(a_parent_goes_on_waiting_for_a_subtask_whose_worker_starts_again) {
    static constexpr taskflux::task<int(int)> parent{"parent", task_options().queue("parents")};
    worker parents{watched, options().name("parents")};
    parents.on(parent, [](context& ctx, int x) -> asio::awaitable<int> { co_return co_await ctx.call(twice, x); });
    start(parents.run());
    const auto life = serve();
    serves->pause();
    const auto waits = start(by.run(parent, 3));
    stop();
    pass(30s, 1s);
    BOOST_TEST(!waits->done);
    const auto again = serve();
    pass(1s, 100ms);
    BOOST_TEST(waits->value.value() == 6);
}

BOOST_AUTO_TEST_SUITE_END()
