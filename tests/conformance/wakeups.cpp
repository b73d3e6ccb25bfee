#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

namespace taskflux::conformance {

namespace conformance_wakeups {

/// Calls that wait, with the tasks that they were given.
struct crowd {
    fixture& on;
    std::vector<started<std::vector<delivery>>> calls;

    void wait(const fetch_request& request) { calls.push_back(on.start(on.broker().fetch(request))); }

    std::vector<task_key> all() {
        std::vector<task_key> keys;
        for (auto& call : calls) {
            for (const auto& one : call.get()) keys.push_back(one.key);
        }
        std::ranges::sort(keys);
        return keys;
    }
};

fetch_request known(fetch_request request, name_set names) {
    request.names = std::make_shared<const name_set>(std::move(names));
    return request;
}

}  // namespace conformance_wakeups

BOOST_AUTO_TEST_SUITE(conformance_wakeups)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_waiting_fetch_is_served_by_one_batch, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    crowd waiting{on, {}};
    for (int i = 0; i < 20; ++i) {
        const auto who = "w" + std::to_string(i);
        on.join(who);
        waiting.wait(on.request(who, 1, 1h));
    }
    const auto keys = on.add_many(20);
    BOOST_TEST((waiting.all() == keys));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_fetches_are_served_however_tasks_arrive, Backend, backends) {
    std::mt19937 random(5);
    const auto roll = [&](unsigned sides) { return random() % sides; };
    for (int round = 0; round < 50; ++round) {
        fixture on(std::make_unique<Backend>());
        crowd waiting{on, {}};
        std::vector<task_key> keys;
        const std::size_t total = 12;
        while (waiting.calls.size() < total || keys.size() < total) {
            if (waiting.calls.size() < total && roll(2) == 0) {
                const auto who = "w" + std::to_string(waiting.calls.size());
                on.join(who);
                waiting.wait(on.request(who, 1, 1h));
            } else if (keys.size() < total) {
                auto task = on.task("work", int(roll(3)));
                task.delay = duration(roll(3) * 100);
                if (roll(4) == 0) task.hold = true;
                keys.push_back(on.add(task));
                if (task.hold) on.start_held(keys.back());
                if (roll(3) == 0) on.advance(100ms);
            }
        }
        on.advance(200ms);
        BOOST_TEST((waiting.all() == keys));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_waiting_fetch_gets_the_tasks_that_it_knows, Backend, backends) {
    // Every order in which three workers wait, and three tasks arrive in one batch.
    std::vector<std::string> workers{"a", "b", "c"}, tasks{"a", "b", "c"};
    do {
        do {
            fixture on(std::make_unique<Backend>());
            std::vector<started<std::vector<delivery>>> calls;
            for (const auto& who : workers) {
                on.join(who);
                calls.push_back(on.start(on.broker().fetch(known(on.request(who, 1, 1h), {who}))));
            }
            std::vector<new_task> batch;
            for (const auto& name : tasks) batch.push_back(on.task(name));
            on.run(on.broker().submit(q, batch));
            for (std::size_t i = 0; i < calls.size(); ++i) BOOST_TEST(calls[i].get().at(0).spec->name == workers[i]);
        } while (std::ranges::next_permutation(tasks).found);
    } while (std::ranges::next_permutation(workers).found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_passes_a_task_over_wakes_who_can_run_what_is_behind, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join("a");
    on.join("b");
    auto a = on.start(on.broker().fetch(known(on.request("a", 1, 1h), {"a"})));
    auto b = on.start(on.broker().fetch(known(on.request("b", 1, 1h), {"b"})));
    on.run(on.broker().submit(q, {on.task("nobody's"), on.task("b")}));
    BOOST_TEST(b.get().at(0).spec->name == "b");
    BOOST_TEST(on.still_waiting(a));
    on.add(on.task("a"));
    BOOST_TEST(a.get().at(0).spec->name == "a");
    BOOST_TEST(on.counts().unclaimed == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_on_several_queues_wakes_for_each, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a", "b"});
    on.join("v", {"b"});
    auto request = on.request(w, 1, 1h);
    request.queues = {"a", "b"};
    auto both = on.start(on.broker().fetch(request));
    request = on.request("v", 1, 1h);
    request.queues = {"b"};
    auto one = on.start(on.broker().fetch(request));
    const auto in_b = on.run(on.broker().submit("b", {on.task()}));
    const auto in_a = on.run(on.broker().submit("a", {on.task()}));
    if (!on.still_waiting(one)) {
        BOOST_TEST(one.get().at(0).key == in_b[0].key);
        BOOST_TEST(both.get().at(0).key == in_a[0].key);
    } else {  // the first took what came first; the other is still to be woken by the next
        BOOST_TEST(both.get().size() == 1U);
        on.add(on.task(), "b");
        BOOST_TEST(one.get().size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_on_many_queues_wakes_for_each_and_for_what_falls_due_there, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> queues;
    for (int i = 0; i < 300; ++i) queues.push_back("q" + std::to_string(i));
    on.join(w, queues);
    auto request = on.request(w, 1, 1h);
    request.queues = queues;
    for (const std::size_t place : {0U, 299U, 7U, 7U, 150U}) {
        auto fetch = on.start(on.broker().fetch(request));
        BOOST_TEST(on.still_waiting(fetch));
        on.add(on.task(), queues[place]);
        BOOST_TEST(fetch.get().at(0).queue == place);
        fetch = on.start(on.broker().fetch(request));
        auto later_on = on.task();
        later_on.delay = 1s;
        on.add(later_on, queues[place]);
        on.let_work();
        BOOST_TEST(on.still_waiting(fetch));
        on.advance(1s);
        BOOST_TEST(fetch.get().at(0).queue == place);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_that_has_slept_leaves_what_comes_after_it_to_others, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join("a");
    on.join("b");
    auto first = on.start(on.broker().fetch(on.request("a", 1, 1s)));
    auto second = on.start(on.broker().fetch(on.request("b", 1, 1h)));
    auto task = on.task();
    task.delay = 2s;
    const auto due = on.add(task);
    on.let_work();
    on.advance(1s);
    BOOST_TEST(first.get().empty());
    on.advance(1s);
    BOOST_TEST(second.get().at(0).key == due);
    auto third = on.start(on.broker().fetch(on.request("b", 1, 1h)));
    const auto key = on.add();
    BOOST_TEST(third.get().at(0).key == key);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_fetch_leaves_its_place_to_the_next, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join("a");
    on.join("b");
    auto first = on.start(on.broker().fetch(on.request("a", 1, 1h)));
    auto second = on.start(on.broker().fetch(on.request("b", 1, 1h)));
    first.cancel();
    BOOST_TEST(on.error_of(first) == aborted);
    const auto key = on.add();
    BOOST_TEST(second.get().at(0).key == key);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_cancelled_while_it_is_woken_does_not_lose_the_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join("a");
    on.join("b");
    auto first = on.start(on.broker().fetch(on.request("a", 1, 1h)));
    auto second = on.start(on.broker().fetch(on.request("b", 1, 1h)));
    const auto key = on.add();  // on return the wake-up is under way
    first.cancel();
    if (const auto failed = on.error_of(first)) {
        BOOST_TEST(failed == aborted);
        on.run(on.broker().leave("a", {q}));  // where it had been handed out, it comes back
        BOOST_TEST(second.get().at(0).key == key);
    } else {
        BOOST_TEST(on.record(key).consumer == "a");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_fetch_whose_consumer_lost_its_lease_takes_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join("lost");
    auto waiting = on.start(on.broker().fetch(on.request("lost", 1, 1h)));
    on.advance(on.lease);
    on.join("b");
    const auto key = on.add();
    auto other = on.start(on.broker().fetch(on.request("b", 1, 1h)));
    BOOST_TEST(other.get().at(0).key == key);
    on.advance(1h);
    BOOST_TEST(on.error_of(waiting) == errc::lease_lost);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
