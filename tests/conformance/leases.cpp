#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_leases)

BOOST_AUTO_TEST_CASE_TEMPLATE(who_has_not_joined_gets_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto key = on.add();
    BOOST_TEST(on.error_of(on.broker().fetch(on.request())) == errc::lease_lost);
    BOOST_TEST(on.error_of(on.broker().fetch(on.request(w, 0))) == errc::lease_lost);
    BOOST_TEST(on.renew().lost);
    on.join(w, {"other"});
    BOOST_TEST(on.error_of(on.broker().fetch(on.request())) == errc::lease_lost);
    BOOST_TEST(on.state(key) == task_state::waiting);
    on.run(on.broker().leave(w, {q}));  // of no consequence
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lease_lasts_for_as_long_as_it_is_renewed, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add();
    const auto got = on.fetch_one();
    for (int i = 0; i < 5; ++i) {
        on.advance(on.lease - 1ms);
        BOOST_TEST(!on.renew().lost);
    }
    BOOST_TEST(on.settle(got, kind::complete) == effect::done);
    BOOST_TEST(on.state(key) == task_state::succeeded);
    on.advance(on.lease);
    BOOST_TEST(on.renew().lost);
    BOOST_TEST(on.error_of(on.broker().fetch(on.request())) == errc::lease_lost);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(joining_again_while_the_lease_lasts_keeps_what_is_held, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add();
    const auto got = on.fetch_one();
    on.advance(20s);
    on.join();
    on.advance(20s);
    BOOST_TEST(on.settle(got, kind::complete) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lost_lease_gives_back_what_was_held_to_the_head_of_its_lane, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("b");
    const auto keys = on.add_many(4);
    on.fetch(w, 3);
    on.advance(20s);
    on.renew("b");
    BOOST_TEST(on.counts().running == 3U);
    on.advance(10s);
    BOOST_TEST(on.counts().running == 0U);
    BOOST_TEST(on.record(keys[0]).crashes == 1U);
    BOOST_TEST(on.record(keys[0]).consumer.empty());
    BOOST_TEST((keys_of(on.fetch("b", 10)) == keys));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lost_lease_is_not_acknowledged, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("b");
    const auto key = on.add();
    const auto stale = on.fetch_one();
    on.advance(20s);
    on.renew("b");
    on.advance(10s);
    const auto current = on.fetch_one("b");
    BOOST_TEST(current.token > stale.token);
    BOOST_TEST(current.attempt == 1U);

    for (const auto how : {kind::complete, kind::fail, kind::retry, kind::release, kind::cancel}) {
        BOOST_TEST(on.settle(stale, how) == effect::lease_lost);       // its lease is gone
        BOOST_TEST(on.settle(stale, how, "b") == effect::lease_lost);  // the token is old
        BOOST_TEST(on.settle(current, how) == effect::lease_lost);     // the task is another's
    }
    on.join();  // as the same name, but in another life
    BOOST_TEST(on.settle(stale, kind::complete) == effect::lease_lost);
    BOOST_TEST(on.settle(current, kind::complete) == effect::lease_lost);
    BOOST_TEST(on.state(key) == task_state::running);
    BOOST_TEST(on.settle(current, kind::complete, "b") == effect::done);
    BOOST_TEST(on.settle(current, kind::complete, "b") == effect::lease_lost);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_old_token_of_the_same_consumer_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add();
    const auto old = on.fetch_one();
    on.settle(old, kind::retry);
    BOOST_TEST(on.settle(old, kind::complete) == effect::lease_lost);
    const auto current = on.fetch_one();
    BOOST_TEST(on.settle(old, kind::complete) == effect::lease_lost);
    BOOST_TEST(on.settle(current, kind::fail) == effect::done);
    on.requeue(key);
    const auto fresh = on.fetch_one();
    BOOST_TEST(fresh.token > current.token);
    BOOST_TEST(on.settle(current, kind::complete) == effect::lease_lost);
    BOOST_TEST(on.settle(fresh, kind::complete) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(crashes_and_attempts_are_counted_apart, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto key = on.add(on.task(run_policy{.crash_limit = 3}));
    const auto crash = [&] {
        on.fetch_one();
        on.advance(on.lease);
        on.join();
    };
    on.join();
    crash();
    const auto got = on.fetch_one();
    BOOST_TEST(got.attempt == 1U);
    on.settle(on.settled(got, kind::retry, R"({"message":"mine"})"));
    BOOST_TEST(on.record(key).attempts == 1U);
    crash();
    BOOST_TEST(on.record(key).attempts == 1U);
    BOOST_TEST(on.record(key).crashes == 2U);
    BOOST_TEST(on.record(key).deliveries == 3U);
    BOOST_TEST(on.state(key) == task_state::waiting);
    crash();
    const auto record = on.record(key);
    BOOST_TEST(record.state == task_state::failed);
    BOOST_TEST(record.crashes == 3U);
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.error.find("crashed") != std::string::npos);
    BOOST_TEST(on.outcome(key)->error == record.error);
    on.requeue(key);
    BOOST_TEST(on.record(key).crashes == 0U);
    BOOST_TEST(on.record(key).attempts == 0U);
    BOOST_TEST(on.record(key).error.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crash_limit_of_one_fails_at_once_and_of_zero_never, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto once = on.add(on.task(run_policy{.crash_limit = 1}));
    const auto never_fails = on.add(on.task(run_policy{.crash_limit = 0}));
    for (int i = 0; i < 20; ++i) {
        on.join();
        on.fetch(w, 2);
        on.advance(on.lease);
    }
    BOOST_TEST(on.state(once) == task_state::failed);
    BOOST_TEST(on.record(once).crashes == 1U);
    BOOST_TEST(on.state(never_fails) == task_state::waiting);
    BOOST_TEST(on.record(never_fails).crashes == 20U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_leaves_gives_back_without_a_crash, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto keys = on.add_many(3);
    const auto got = on.fetch(w, 2);
    on.run(on.broker().leave(w, {q}));
    BOOST_TEST(on.counts().waiting == 3U);
    BOOST_TEST(on.record(keys[0]).crashes == 0U);
    BOOST_TEST(on.record(keys[0]).attempts == 0U);
    BOOST_TEST(on.settle(got[0], kind::complete) == effect::lease_lost);
    BOOST_TEST(on.renew().lost);
    on.join("b");
    const auto next = on.fetch("b", 5);
    BOOST_TEST((keys_of(next) == keys));
    BOOST_TEST(next[0].token > got[0].token);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(leases_are_held_on_each_queue_apart, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a", "b"});
    on.add_many(1, "a");
    on.add_many(1, "b");
    auto request = on.request(w, 2);
    request.queues = {"a", "b"};
    BOOST_TEST(on.run(on.broker().fetch(request)).size() == 2U);
    on.run(on.broker().leave(w, {"a"}));
    BOOST_TEST(on.counts("a").waiting == 1U);
    BOOST_TEST(on.counts("b").running == 1U);
    BOOST_TEST(on.run(on.broker().renew(w, {"a", "b"}, on.lease)).lost);
    BOOST_TEST(!on.run(on.broker().renew(w, {"b"}, on.lease)).lost);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_consumer_has_a_lease_of_its_own_length, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.run(on.broker().join("short", {q}, 1s));
    on.run(on.broker().join("long", {q}, 1h));
    on.add_many(2);
    on.fetch_one("short");
    on.fetch_one("long");
    on.advance(1s);
    BOOST_TEST(on.counts().waiting == 1U);
    BOOST_TEST(on.renew("short").lost);
    on.advance(59min);
    BOOST_TEST(!on.renew("long").lost);
    BOOST_TEST(on.counts().running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(consumers_are_counted_while_they_have_a_lease, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    BOOST_TEST(on.counts().consumers == 0U);
    on.join();
    on.join("b", {q, "other"});
    BOOST_TEST(on.counts().consumers == 2U);
    BOOST_TEST(on.counts("other").consumers == 1U);
    on.run(on.broker().leave("b", {q, "other"}));
    BOOST_TEST(on.counts().consumers == 1U);
    BOOST_TEST(on.counts("other").consumers == 0U);
    on.advance(on.lease);
    BOOST_TEST(on.counts().consumers == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_renewal_names_what_no_worker_that_looked_had_a_handler_for, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("b");
    on.join(w, {"empty"});
    const auto first = on.add(on.task("strange"));
    on.add(on.task("strange"));
    const auto odd = on.add(on.task("odd"));
    BOOST_TEST(on.renew("b").unclaimed.empty());  // nobody has looked
    auto request = on.request();
    request.names = std::make_shared<const name_set>(name_set{"known"});
    on.run(on.broker().fetch(request));

    const auto told = on.run(on.broker().renew(w, {"empty", q}, on.lease)).unclaimed;
    BOOST_REQUIRE(told.size() == 2U);
    BOOST_TEST(told[0].name == "odd");
    BOOST_TEST(told[0].queue == 1U);
    BOOST_TEST(told[0].sequence == odd.sequence);
    BOOST_TEST(told[1].name == "strange");
    BOOST_TEST(told[1].sequence == first.sequence);
    BOOST_TEST(on.renew("b").unclaimed.size() == 2U);

    request.names = std::make_shared<const name_set>(name_set{"odd"});
    on.run(on.broker().fetch(request));
    BOOST_TEST(on.renew("b").unclaimed.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_renewal_of_several_queues_tells_of_each, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const std::vector<std::string> queues{q, "second", "quiet", "third"};
    on.join(w, queues);
    for (const auto& queue : queues) {
        if (queue == "quiet") continue;
        on.add(on.task("known"), queue);
        on.add(on.task("strange"), queue);
        auto request = on.request(w, 2);
        request.queues = {queue};
        request.names = std::make_shared<const name_set>(name_set{"known"});
        const auto found = on.run(on.broker().fetch(request));
        BOOST_REQUIRE_EQUAL(found.size(), 1U);
        on.run(on.broker().cancel(queue, {found.front().key}));
    }
    const auto told = on.run(on.broker().renew(w, queues, on.lease));
    BOOST_TEST(!told.lost);
    BOOST_REQUIRE_EQUAL(told.cancels.size(), 3U);
    BOOST_REQUIRE_EQUAL(told.unclaimed.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        const std::size_t queue = i < 2 ? i : 3;
        BOOST_TEST(told.cancels[i].queue == queue);
        BOOST_TEST(told.unclaimed[i].queue == queue);
        BOOST_TEST(told.unclaimed[i].name == "strange");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_renewal_names_no_more_than_twenty, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    for (int i = 0; i < 25; ++i) on.add(on.task("strange" + std::to_string(i)));
    auto request = on.request();
    request.names = std::make_shared<const name_set>(name_set{"known"});
    on.run(on.broker().fetch(request));
    BOOST_TEST(on.renew().unclaimed.size() == 20U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
