#include "fixture.hpp"

#include <taskflux/core/control.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/flow/worker_observer.hpp>

using namespace test::flow;

namespace {

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

    std::vector<taskflux::attempt_failure> retries, failures;
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

}  // namespace

BOOST_FIXTURE_TEST_SUITE(flow_worker_observer, observed)

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

BOOST_AUTO_TEST_SUITE_END()
