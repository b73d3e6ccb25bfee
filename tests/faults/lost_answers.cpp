#include "cuts.hpp"

#include <string>
#include <utility>
#include <vector>

// Fault 3: the connection is cut after any byte of any request or answer. Nothing is lost, and nothing is done
// twice. Here: what most programs do.
namespace faults_lost_answers {

using namespace test::faults;
using namespace taskflux;
using kind = settlement::kind;

}  // namespace faults_lost_answers

BOOST_FIXTURE_TEST_SUITE(faults_lost_answers, with_proxy)

BOOST_AUTO_TEST_CASE(a_submission_is_stored_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        danger();
        const auto answer = on.submit();
        on.out_of_danger();
        BOOST_TEST(!answer.duplicate);
        BOOST_TEST((on.record(answer.key).state == task_state::waiting));
        BOOST_TEST(on.counts().waiting == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_submission_is_not_its_own_duplicate) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        std::vector<new_task> tasks(5, patient::task());
        tasks[0].own_id = "mine";
        tasks[1].unique_key = "only";
        tasks[2].unique_key = "only";
        tasks[3].delay = 1h;
        tasks[4].hold = true;
        danger();
        const auto answers = on.run(on.broker->submit(on.queue, std::move(tasks)));
        on.out_of_danger();
        for (std::size_t i = 0; i < answers.size(); ++i) BOOST_TEST(answers[i].duplicate == (i == 2));
        BOOST_TEST((answers[2].key == answers[1].key));
        const auto counts = on.counts();
        BOOST_TEST(counts.waiting == 2U);
        BOOST_TEST(counts.scheduled == 1U);
        BOOST_TEST(counts.held == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_schedule_changes_once_and_its_tasks_are_stored_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        std::vector<new_task> tasks(2, patient::task());
        danger();
        const bool is_ours = on.run(on.broker->set_schedule(on.queue, "it", "", "1", std::move(tasks)));
        on.out_of_danger();
        BOOST_TEST(is_ours);
        const auto rows = on.run(on.broker->schedules(on.queue)).rows;
        BOOST_REQUIRE(rows.size() == 1U);
        BOOST_TEST(rows[0].text == "1");
        BOOST_TEST(on.counts().waiting == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_fetched_task_comes_back_without_waiting_for_the_lease) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto key = on.add();
        danger();
        const auto found = on.fetch();
        on.out_of_danger();
        BOOST_TEST((found.key == key));
        BOOST_TEST(found.attempt == 1U);
        BOOST_TEST(on.record(key).crashes == 0U);
        BOOST_TEST(on.counts().running == 1U);
        BOOST_TEST((on.settle(found) == effect::done));
    });
}

BOOST_AUTO_TEST_CASE(a_fetch_that_waits_hears_of_a_task) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        auto& other = on.doctor;
        asio::co_spawn(on.io, [](observer& from, std::string queue) -> asio::awaitable<void> {
            co_await pause(10ms);
            std::vector<new_task> tasks(1, patient::task());
            from.run(from.broker->submit(std::move(queue), std::move(tasks)));
        }(other, on.queue), [](std::exception_ptr error) { BOOST_TEST(!error); });
        danger();
        const auto found = on.fetch(test::hang_limit);
        on.out_of_danger();
        BOOST_TEST(found.attempt == 1U);
        BOOST_TEST((on.settle(found) == effect::done));
        BOOST_TEST(on.counts().succeeded == 1U);
    });
}

BOOST_AUTO_TEST_CASE(an_end_takes_effect_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        const auto answer = on.settle(found);
        on.out_of_danger();
        BOOST_TEST((answer == effect::done || answer == effect::lease_lost));  // the second time, if the first was heard
        BOOST_TEST(on.record(found.key).result == "7");
        BOOST_TEST(on.counts().succeeded == 1U);
        BOOST_TEST(on.counts().running == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_failed_attempt_counts_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        const auto answer = on.settle(found, kind::retry);
        on.out_of_danger();
        BOOST_TEST((answer == effect::done || answer == effect::lease_lost));
        const auto record = on.record(found.key);
        BOOST_TEST((record.state == task_state::waiting));
        BOOST_TEST(record.attempts == 1U);
        BOOST_TEST(on.fetch().attempt == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_task_is_given_back_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        on.settle(found, kind::release);
        on.out_of_danger();
        BOOST_TEST(on.counts().waiting == 1U);
        BOOST_TEST(on.fetch().attempt == 1U);
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
}

BOOST_AUTO_TEST_CASE(a_failure_is_kept_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        on.settle(found, kind::fail);
        on.out_of_danger();
        BOOST_TEST(on.record(found.key).error == "7");
        BOOST_TEST(on.record(found.key).attempts == 1U);
        BOOST_TEST(on.counts().failed == 1U);
    });
}

BOOST_AUTO_TEST_CASE(an_awaited_end_is_heard) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        settlement end;
        end.key = found.key;
        end.token = found.token;
        end.data = "7";
        asio::co_spawn(on.io, [](observer& from, std::string queue, std::vector<settlement> ends) -> asio::awaitable<void> {
            co_await pause(10ms);
            from.run(from.broker->settle(std::move(queue), "w", ends));
        }(on.doctor, on.queue, {end}), [](std::exception_ptr error) { BOOST_TEST(!error); });
        danger();
        const auto outcome = on.run(on.broker->wait({on.queue, found.key}, test::hang_limit));
        on.out_of_danger();
        BOOST_REQUIRE(outcome.has_value());
        BOOST_TEST(outcome->result == "7");
    });
}

BOOST_AUTO_TEST_SUITE_END()
