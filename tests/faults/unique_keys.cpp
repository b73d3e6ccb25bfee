#include "fixture.hpp"
#include "ledger.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Fault 15: many submit tasks of one unique key, from several processes, while some of these and the workers are
// killed: never more than one of the tasks lives, and the key is free when it has ended.
namespace faults_unique_keys {

using namespace test::faults;
using namespace taskflux;
using kind = settlement::kind;

const std::vector<std::string> queues{"q"};

new_task only_one(duration window = {}, duration expires_in = {}) {
    run_policy policy;
    policy.crash_limit = 2;
    policy.expires_in = expires_in;
    new_task made;
    made.spec = std::make_shared<const task_spec>(task_spec{"work", 0, policy, {}});
    made.payload = "{}";
    made.unique_key = "the one";
    made.unique_window = window;
    return made;
}

/// How many submissions were sent, answered as new, and as duplicates.
struct notes {
    ledger counters{3};

    ledger::counter& sent() { return counters[0]; }
    ledger::counter& stored() { return counters[1]; }
    ledger::counter& duplicates() { return counters[2]; }
};

asio::awaitable<void> submit_for_ever(broker_ptr on, notes& into) {
    for (;;) {
        std::vector<new_task> tasks(1, only_one());
        ++into.sent();
        const auto answers = co_await on->submit("q", std::move(tasks));
        ++(answers[0].duplicate ? into.duplicates() : into.stored());
        co_await pause(5ms);
    }
}

/// A process that submits 25 tasks at a time, until it is killed.
void submit_from_here(const std::string& url, notes& into) {
    asio::io_context io;
    for (int i = 0; i < 5; ++i) {
        const auto on = make_redis_broker(io.get_executor(), url, test::patient());  // sends together what comes at the same time
        for (int k = 0; k < 5; ++k) {
            asio::co_spawn(io, submit_for_ever(on, into), [](std::exception_ptr error) {
                if (error) std::rethrow_exception(error);
            });
        }
    }
    io.run();
}

asio::awaitable<void> work_for_ever(broker_ptr on, std::string consumer, ledger::counter& running, ledger::counter& ended) {
    co_await on->join(consumer, queues, 10s);
    fetch_request request;
    request.consumer = consumer;
    request.queues = queues;
    request.max = 10;
    request.wait = 1h;
    for (;;) {
        const auto found = co_await on->fetch(request);
        running += unsigned(found.size());
        std::vector<settlement> ends(found.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            ends[i].key = found[i].key;
            ends[i].token = found[i].token;
        }
        co_await pause(1ms);
        co_await on->settle("q", consumer, ends);
        ended += unsigned(found.size());
    }
}

void work_here(const std::string& url, const std::string& consumer, ledger::counter& running, ledger::counter& ended) {
    asio::io_context io;
    const auto on = make_redis_broker(io.get_executor(), url, test::patient());
    asio::co_spawn(io, work_for_ever(on, consumer, running, ended), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    io.run();
}

struct fixture {
    test::redis_server server{test::redis_server_options().frozen_clock()};
    std::string url = server.url();

    static std::size_t living(const queue_counts& of) { return of.held + of.scheduled + of.waiting + of.running; }
    std::size_t locks() { return std::size_t(server.command({"HLEN", "tf:{q}:y"}).integer()); }
};

submitted submit(observer& on, new_task one) {
    std::vector<new_task> tasks;
    tasks.push_back(std::move(one));
    return on.run(on.broker->submit("q", std::move(tasks))).at(0);
}

}  // namespace faults_unique_keys

BOOST_FIXTURE_TEST_SUITE(faults_unique_keys, fixture)

BOOST_AUTO_TEST_CASE(of_many_that_submit_at_once_and_are_killed_one_gets_the_key) {
    constexpr int processes = 4;
    notes seen;
    ledger work(2);  // tasks started, tasks ended
    unsigned abandoned = 0;  // that a killed worker had in hand
    const auto start_submitter = [&] {
        return std::make_unique<test::child>([&] { submit_from_here(url, seen); });
    };
    int workers = 0;
    const auto start_worker = [&] {
        const auto name = std::to_string(++workers);
        return std::make_unique<test::child>([&, name] { work_here(url, name, work[0], work[1]); });
    };
    {
        std::vector<std::unique_ptr<test::child>> submitters(processes);
        for (auto& one : submitters) one = start_submitter();
        auto worker = start_worker();
        observer on(url);
        for (std::size_t round = 0; round < 8 || (round < 100 && abandoned == 0); ++round) {
            const auto ended_before = work[1].load();
            const auto is_moving = [&] {
                const auto counts = on.run(on.broker->counts("q"));
                BOOST_TEST(living(counts) <= 1U);
                return work[1] > ended_before + 3;
            };
            BOOST_TEST(test::eventually(is_moving));
            submitters[round % processes] = start_submitter();  // the one that was there is killed
            if (round % 3 == 0) {
                worker.reset();
                abandoned = work[0] - work[1];
                server.advance(10s + 1ms);  // what the killed one held is recovered, or fails
                worker = start_worker();
            }
        }
    }
    observer on(url);
    const auto counts = on.run(on.broker->counts("q"));
    BOOST_TEST_MESSAGE(seen.sent() << " submissions, " << seen.stored() << " stored, " << seen.duplicates() << " duplicates, "
                                   << abandoned << " abandoned");
    BOOST_TEST(abandoned > 0U);
    BOOST_TEST(living(counts) == locks());
    const auto all = counts.succeeded + counts.failed + living(counts);
    const auto unanswered = seen.sent() - seen.stored() - seen.duplicates();
    BOOST_TEST(all >= seen.stored().load());
    BOOST_TEST(all <= seen.stored() + unanswered);
    BOOST_TEST(seen.duplicates() > seen.stored());
}

BOOST_AUTO_TEST_CASE(the_key_is_free_when_its_task_has_ended_however_that_was) {
    observer on(url);
    const auto& broker = on.broker;
    const auto hold = [&](new_task one = only_one()) {
        const auto answer = submit(on, std::move(one));
        BOOST_TEST(!answer.duplicate);
        BOOST_TEST(submit(on, only_one()).duplicate);
        BOOST_TEST(locks() == 1U);
        return answer.key;
    };
    const auto fetch = [&] {
        on.run(broker->join("w", queues, 10s));
        fetch_request request;
        request.consumer = "w";
        request.queues = queues;
        return on.run(broker->fetch(request)).at(0);
    };
    const auto settle = [&](kind how) {
        const auto found = fetch();
        settlement end;
        end.key = found.key;
        end.token = found.token;
        end.how = how;
        on.run(broker->settle("q", "w", {end}));
    };

    hold();
    settle(kind::complete);
    hold();
    settle(kind::fail);
    hold();
    settle(kind::retry);
    BOOST_TEST(submit(on, only_one()).duplicate);  // it lives on
    settle(kind::complete);

    auto key = hold();
    on.run(broker->cancel("q", {key}));
    key = hold();
    on.run(broker->remove("q", {key}));
    hold();
    on.run(broker->clear("q", {}, 100));

    hold(only_one({}, 5s));
    server.advance(5s + 1ms);  // expires

    hold();
    fetch();
    server.advance(10s + 1ms);  // its worker dies once
    BOOST_TEST(submit(on, only_one()).duplicate);
    fetch();
    server.advance(10s + 1ms);  // and again, which is its limit

    key = hold();
    settle(kind::fail);
    on.run(broker->requeue("q", {key}));
    BOOST_TEST(submit(on, only_one()).duplicate);
    settle(kind::complete);

    hold();
    settle(kind::complete);
    BOOST_TEST(locks() == 0U);
}

BOOST_AUTO_TEST_CASE(a_window_that_has_passed_frees_the_key_and_its_old_holder_takes_nothing_with_it) {
    observer on(url);
    const auto first = submit(on, only_one(10s)).key;
    server.advance(9s);
    BOOST_TEST(submit(on, only_one()).duplicate);
    server.advance(1s + 1ms);
    const auto second = submit(on, only_one());
    BOOST_TEST(!second.duplicate);
    on.run(on.broker->cancel("q", {first}));
    const auto third = submit(on, only_one());
    BOOST_TEST(third.duplicate);  // the end of the first does not free what is the second's
    BOOST_TEST((third.key == second.key));
    on.run(on.broker->cancel("q", {second.key}));
    BOOST_TEST(locks() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
