#include "cuts.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// Fault 3, the rest of it: every other call, with the connection cut after any byte of its request or answer.
namespace faults_lost_steps {

using namespace test::faults;
using namespace taskflux;
using kind = settlement::kind;

/// Steps that have been repeated find their task in the state that they led to.
bool is_one_of(effect got, effect first, effect again) { return got == first || got == again; }

new_task held() {
    auto made = patient::task();
    made.hold = true;
    return made;
}

new_task delayed() {
    auto made = patient::task();
    made.delay = 1h;
    return made;
}

}  // namespace faults_lost_steps

BOOST_FIXTURE_TEST_SUITE(faults_lost_steps, with_proxy)

BOOST_AUTO_TEST_CASE(cancel_before_the_start) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto key = on.add();
        danger();
        const auto answer = on.run(on.broker->cancel(on.queue, {key})).at(0);
        on.out_of_danger();
        BOOST_TEST(is_one_of(answer, effect::done, effect::wrong_state));
        BOOST_TEST((on.record(key).state == task_state::cancelled));
        BOOST_TEST(on.counts().cancelled == 1U);
    });
}

BOOST_AUTO_TEST_CASE(cancel_while_it_runs) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        const auto answer = on.run(on.broker->cancel(on.queue, {found.key})).at(0);
        on.out_of_danger();
        BOOST_TEST((answer == effect::requested));
        BOOST_TEST(on.run(on.broker->renew("w", {on.queue}, 1h)).cancels.size() == 1U);
        BOOST_TEST((on.settle(found, kind::cancel) == effect::done));
        BOOST_TEST(on.counts().cancelled == 1U);
    });
}

BOOST_AUTO_TEST_CASE(start) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto key = on.add(held());
        danger();
        const auto answer = on.run(on.broker->start(on.queue, {key})).at(0);
        on.out_of_danger();
        BOOST_TEST(is_one_of(answer, effect::done, effect::wrong_state));
        BOOST_TEST((on.fetch().key == key));
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
}

BOOST_AUTO_TEST_CASE(promote) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto key = on.add(delayed());
        danger();
        const auto answer = on.run(on.broker->promote(on.queue, {key})).at(0);
        on.out_of_danger();
        BOOST_TEST(is_one_of(answer, effect::done, effect::wrong_state));
        BOOST_TEST((on.fetch().key == key));
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
}

BOOST_AUTO_TEST_CASE(requeue) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto failed = on.add_and_fetch();
        on.settle(failed, kind::fail);
        danger();
        const auto answer = on.run(on.broker->requeue(on.queue, {failed.key})).at(0);
        on.out_of_danger();
        BOOST_TEST(is_one_of(answer, effect::done, effect::wrong_state));
        BOOST_TEST(on.counts().failed == 0U);
        BOOST_TEST(on.fetch().attempt == 1U);
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
}

BOOST_AUTO_TEST_CASE(update) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto key = on.add();
        danger();
        const auto answer = on.run(on.broker->update({on.queue, key}, "[1]"));
        on.out_of_danger();
        BOOST_TEST((answer == effect::done));
        BOOST_TEST(on.fetch().payload == "[1]");
    });
}

BOOST_AUTO_TEST_CASE(remove) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const std::vector<task_key> keys{on.add(), on.add()};
        danger();
        const auto answer = on.run(on.broker->remove(on.queue, {keys[0]})).at(0);
        on.out_of_danger();
        BOOST_TEST(is_one_of(answer, effect::done, effect::not_found));
        BOOST_TEST(!on.run(on.broker->get({on.queue, keys[0]})).has_value());
        BOOST_TEST(on.counts().waiting == 1U);
    });
}

BOOST_AUTO_TEST_CASE(join_and_renew) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        danger();
        on.run(on.broker->join("other", {on.queue}, 1h));
        const auto answer = on.run(on.broker->renew("other", {on.queue}, 1h));
        on.out_of_danger();
        BOOST_TEST(!answer.lost);
        on.add();
        auto wanted = on.request();
        wanted.consumer = "other";
        BOOST_TEST(on.run(on.broker->fetch(wanted)).size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(leave_gives_back_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        danger();
        on.run(on.broker->leave("w", {on.queue}));
        on.out_of_danger();
        BOOST_TEST(on.counts().waiting == 1U);
        on.join();
        const auto again = on.fetch();
        BOOST_TEST((again.key == found.key));
        BOOST_TEST(again.attempt == 1U);
        BOOST_TEST(on.record(found.key).crashes == 0U);
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
}

BOOST_AUTO_TEST_CASE(pause_and_resume) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        on.add();
        danger();
        on.run(on.broker->pause(on.queue));
        on.out_of_danger();
        BOOST_TEST(on.counts().paused);
        BOOST_TEST(on.run(on.broker->fetch(on.request())).empty());
    });
    at_many_bytes(*this, [](patient& on, auto danger) {
        on.add();
        on.run(on.broker->pause(on.queue));
        danger();
        on.run(on.broker->resume(on.queue));
        on.out_of_danger();
        BOOST_TEST(!on.counts().paused);
        on.fetch();
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_attempt_is_told_of_it_at_the_next_renewal_at_the_latest) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        on.doctor.run(on.doctor.broker->cancel(on.queue, {found.key}));
        danger();
        on.run(on.broker->watch("w", 50ms));
        const auto answer = on.run(on.broker->renew("w", {on.queue}, 1h));
        on.out_of_danger();
        BOOST_REQUIRE(answer.cancels.size() == 1U);
        BOOST_TEST((answer.cancels[0].key == found.key));
    });
}

BOOST_AUTO_TEST_CASE(questions_are_answered) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        auto named = patient::task();
        named.own_id = "mine";
        const auto key = on.add(named);
        danger();
        const auto found = on.run(on.broker->find(on.queue, "mine"));
        const auto record = on.run(on.broker->get({on.queue, key}));
        list_query all;
        all.queue = on.queue;
        const auto page = on.run(on.broker->list(all));
        const auto counts = on.counts();
        const auto names = on.run(on.broker->queues());
        on.out_of_danger();
        BOOST_TEST((found == key));
        BOOST_TEST(record->own_id == "mine");
        BOOST_TEST(page.tasks.size() == 1U);
        BOOST_TEST(counts.waiting == 1U);
        BOOST_TEST(std::ranges::count(names, on.queue) == 1);
    });
}

BOOST_AUTO_TEST_CASE(clear_removes_no_more_than_it_was_asked_to) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        for (int i = 0; i < 5; ++i) on.add();
        danger();
        on.run(on.broker->clear(on.queue, task_state::waiting, 2));
        on.out_of_danger();
        BOOST_TEST(on.counts().waiting == 3U);
    });
}

BOOST_AUTO_TEST_CASE(what_an_attempt_reports_is_stored_once) {
    at_many_bytes(*this, [](patient& on, auto danger) {
        const auto found = on.add_and_fetch();
        attempt_report news;
        news.key = found.key;
        news.token = found.token;
        news.progress = "50";
        news.log.resize(1);
        news.log[0].text = "half of it";
        danger();
        const auto answer = on.run(on.broker->report(on.queue, "w", {news})).at(0);
        on.out_of_danger();
        BOOST_TEST((answer == effect::done));
        const auto record = on.record(found.key);
        BOOST_TEST(record.progress == "50");
        BOOST_TEST(record.log.size() == 1U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
