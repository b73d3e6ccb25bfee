#include <conformance/fixture.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Waiting tasks that are looked at, taken by name and replied to.
namespace taskflux::conformance {

namespace conformance_claims {

using claim = acquire_outcome;

struct claiming : fixture {
    explicit claiming(std::unique_ptr<backend> on) : fixture(std::move(on)) {}

    new_task named(const std::string& own_id, std::string payload = {}, run_policy policy = {}) {
        auto made = task(policy);
        made.own_id = own_id;
        made.payload = std::move(payload);
        return made;
    }
    void put(const std::string& own_id, std::string payload = {}) { add(named(own_id, std::move(payload))); }

    peek_query behind(std::string cursor, std::size_t limit = 100) {
        peek_query query;
        query.cursor = std::move(cursor);
        query.limit = limit;
        return query;
    }
    peek_page look(const std::string& cursor = {}, std::size_t limit = 100) { return run(broker().peek(q, behind(cursor, limit))); }
    started<peek_page> waiting_look(const std::string& cursor, duration wait = 1h) {
        auto query = behind(cursor);
        query.wait = wait;
        return start(broker().peek(q, std::move(query)));
    }
    static std::vector<std::string> ids(const peek_page& page) {
        std::vector<std::string> found;
        for (const auto& one : page.tasks) found.push_back(one.own_id);
        return found;
    }
    std::vector<std::string> seen(const std::string& cursor = {}) { return ids(look(cursor)); }

    std::vector<acquired_task> take(const std::vector<std::string>& own_ids, duration promise = 10s, const std::string& consumer = {}) {
        acquire_request request;
        request.queue = q;
        request.consumer = consumer.empty() ? "taker " + std::to_string(++takers) : consumer;
        request.lease = promise;
        for (const auto& one : own_ids) request.tasks.push_back({{}, one});
        return run(broker().acquire(std::move(request)));
    }
    delivery take_one(const std::string& own_id, duration promise = 10s, const std::string& consumer = {}) {
        auto found = take({own_id}, promise, consumer);
        BOOST_REQUIRE(found.at(0).task.has_value());
        return *found[0].task;
    }
    claim try_take(const std::string& own_id) { return take({own_id}).at(0).what; }

    static task_reply to(const std::string& own_id, std::string result, reply_scope scope = reply_scope::waiting, std::uint32_t token = 0) {
        task_reply made;
        made.task.own_id = own_id;
        made.scope = scope;
        made.token = token;
        made.result = std::move(result);
        return made;
    }
    effect reply(task_reply what) { return run(broker().reply(q, std::move(what))); }
    effect reply(const delivery& which, std::string result) {
        return reply(to(which.own_id, std::move(result), reply_scope::attempt, which.token));
    }
    task_key key_of_id(const std::string& own_id) { return run(broker().find(q, own_id)).value(); }

    /// Of one that is sent again: where results are encrypted, none is twice the same.
    static effect again() {
        const char* const backend = std::getenv("TASKFLUX_BACKEND");
        return backend && std::string(backend) == "encrypted" ? effect::wrong_state : effect::done;
    }

    int takers = 0;
};

using texts = std::vector<std::string>;

void check_texts(const texts& found, const texts& wanted) { BOOST_TEST(found == wanted, boost::test_tools::per_element()); }

}  // namespace conformance_claims

BOOST_AUTO_TEST_SUITE(conformance_claims)

BOOST_AUTO_TEST_CASE_TEMPLATE(who_peeks_sees_each_waiting_task_once_in_order_and_takes_none, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    for (const char* id : {"a", "b", "c", "d", "e"}) on.put(id, std::string("for ") + id);
    const auto first = on.look("", 2);
    check_texts(on.ids(first), {"a", "b"});
    const auto& one = first.tasks[0];
    BOOST_TEST(one.size >= 5U);  // as it is stored
    BOOST_TEST(one.payload.empty());
    BOOST_TEST(one.spec->name == "work");
    BOOST_TEST(one.deliveries == 0U);
    BOOST_TEST((one.key == on.key_of_id("a")));
    check_texts(on.seen(one.cursor), {"b", "c", "d", "e"});
    const auto rest = on.look(first.cursor);
    check_texts(on.ids(rest), {"c", "d", "e"});
    BOOST_TEST(on.look(rest.cursor).tasks.empty());
    BOOST_TEST(on.look(rest.cursor).cursor == rest.cursor);
    BOOST_TEST(on.counts().waiting == 5U);
    BOOST_TEST(on.counts().consumers == 0U);
    on.put("f");
    check_texts(on.seen(rest.cursor), {"f"});
    auto query = on.behind("", 1);
    query.with_payload = true;
    BOOST_TEST(on.run(on.broker().peek(q, query)).tasks.at(0).payload == "for a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_peeks_may_name_the_tasks_that_it_knows, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.add(on.task("other"));
    on.put("c");
    auto query = on.behind("");
    query.names = std::make_shared<const name_set>(name_set{"work"});
    check_texts(on.ids(on.run(on.broker().peek(q, query))), {"a", "c"});
    query.names = std::make_shared<const name_set>();
    BOOST_TEST(on.run(on.broker().peek(q, query)).tasks.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(plain_tasks_that_were_submitted_together_are_seen_and_taken_by_their_keys, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    const auto keys = on.add_many(300);
    std::string cursor;
    std::vector<task_key> seen;
    for (int pages = 0; pages < 4; ++pages) {
        const auto page = on.look(cursor);
        for (const auto& one : page.tasks) seen.push_back(one.key);
        cursor = page.cursor;
    }
    BOOST_TEST((seen == keys));
    acquire_request request;
    request.queue = q;
    request.consumer = "taker";
    request.lease = 10s;
    for (std::size_t i = 0; i < keys.size(); i += 2) request.tasks.push_back({keys[i], {}});
    const auto taken = on.run(on.broker().acquire(request));
    for (std::size_t i = 0; i < taken.size(); ++i) {
        BOOST_REQUIRE(taken[i].task.has_value());
        BOOST_TEST((taken[i].task->key == keys[2 * i]));
    }
    on.join();
    std::vector<task_key> left;
    for (std::size_t i = 1; i < keys.size(); i += 2) left.push_back(keys[i]);
    BOOST_TEST((keys_of(on.fetch(w, 1000)) == left));
    BOOST_TEST(on.counts().running == 300U);
    BOOST_TEST(on.settle(*taken[0].task, kind::complete, "taker") == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_is_taken_once_and_each_of_the_others_says_why_not, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a", "one");
    auto held = on.named("held");
    held.hold = true;
    on.add(held);
    auto later = on.named("later");
    later.delay = 1h;
    on.add(later);
    const auto got = on.take({"a", "held", "later", "none"});
    BOOST_TEST((got[0].what == claim::taken));
    BOOST_TEST(got[0].task->payload == "one");
    BOOST_TEST(got[0].task->own_id == "a");
    BOOST_TEST(got[0].task->token == 1U);
    BOOST_TEST((got[1].what == claim::not_waiting));
    BOOST_TEST((got[2].what == claim::not_waiting));
    BOOST_TEST((got[3].what == claim::not_found));
    BOOST_TEST((on.try_take("a") == claim::not_waiting));
    BOOST_TEST(on.seen().empty());
    const auto record = on.record(on.key_of_id("a"));
    BOOST_TEST((record.state == task_state::running));
    BOOST_TEST(record.consumer == "taker 1");
    BOOST_TEST(on.reply(*got[0].task, "5") == effect::done);
    BOOST_TEST(on.outcome(on.key_of_id("a"))->result == "5");
    BOOST_TEST((on.try_take("a") == claim::not_waiting));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_with_another_nonce_names_no_task, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    auto key = on.add();
    ++key.nonce;
    acquire_request request;
    request.queue = q;
    request.consumer = "taker";
    request.lease = 10s;
    request.tasks.push_back({key, {}});
    BOOST_TEST((on.run(on.broker().acquire(request)).at(0).what == claim::not_found));
    task_reply what;
    what.task.key = key;
    BOOST_TEST(on.reply(what) == effect::not_found);
    BOOST_TEST(on.counts().waiting == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_is_made_again_for_its_consumer_gives_the_same, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    const auto first = on.take_one("a", 10s, "me");
    const auto again = on.take_one("a", 10s, "me");
    BOOST_TEST(first.token == again.token);
    BOOST_TEST(on.counts().running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_missed_promise_hands_the_task_out_again_behind_all_that_were_seen, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.put("b");
    const auto cursor = on.look().cursor;
    const auto late = on.take_one("a", 5s);
    on.advance(4'999ms);
    BOOST_TEST(on.look(cursor).tasks.empty());
    on.advance(1ms);
    const auto again = on.look(cursor);
    check_texts(on.ids(again), {"a"});
    BOOST_TEST(again.tasks[0].deliveries == 1U);
    check_texts(on.seen(), {"b", "a"});
    BOOST_TEST(on.reply(late, "late") == effect::lease_lost);
    const auto second = on.take_one("a", 5s);
    BOOST_TEST(second.token == 2U);
    BOOST_TEST(on.reply(late, "late") == effect::lease_lost);
    BOOST_TEST(on.reply(second, "in time") == effect::done);
    BOOST_TEST(on.outcome(on.key_of_id("a"))->result == "in time");
    on.advance(1h);
    BOOST_TEST(on.counts().consumers == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_crash_limit_a_promise_may_be_missed_any_number_of_times, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    run_policy patient;
    patient.crash_limit = 0;
    on.add(on.named("patient", {}, patient));
    on.put("usual");
    std::string cursor;
    for (int i = 0; i < 10; ++i) {
        const auto page = on.look(cursor);
        cursor = page.cursor;
        BOOST_TEST(std::ranges::count(on.ids(page), "patient") == 1);
        on.take({"patient", "usual"}, 1s);
        on.advance(1s);
    }
    BOOST_TEST((on.state(on.key_of_id("usual")) == task_state::failed));
    BOOST_TEST((on.state(on.key_of_id("patient")) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_comes_back_any_way_is_seen_again_and_keeps_its_place_then, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    for (const char* id : {"released", "retried", "held", "delayed", "dead", "untouched"}) {
        auto made = on.named(id);
        if (made.own_id == "held") made.hold = true;
        if (made.own_id == "delayed") made.delay = 10s;
        on.add(made);
    }
    const auto released = on.take_one("released", 1h, "r"), retried = on.take_one("retried", 1h, "s"), dead = on.take_one("dead", 1h, "d");
    on.settle(dead, kind::fail, "d");
    auto cursor = on.look().cursor;
    const auto come = [&](const texts& wanted) {
        const auto page = on.look(cursor);
        check_texts(on.ids(page), wanted);
        cursor = page.cursor;
    };
    come({});
    on.settle(released, kind::release, "r");
    come({"released"});
    on.settle(on.settled(retried, kind::retry, "", 5s), "s");
    come({});
    on.start_held(on.key_of_id("held"));
    on.put("new");
    come({"held", "new"});
    on.advance(5s);
    come({"retried"});
    on.advance(5s);
    on.requeue(on.key_of_id("dead"));
    come({"delayed", "dead"});
    check_texts(on.seen(), {"untouched", "released", "held", "new", "retried", "delayed", "dead"});
    on.remove(on.key_of_id("held"));
    check_texts(on.seen(), {"untouched", "released", "new", "retried", "delayed", "dead"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_order_that_nobody_has_asked_for_in_an_hour_begins_anew, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.put("b");
    const auto cursor = on.look().cursor;
    BOOST_TEST(on.look(cursor).tasks.empty());
    on.advance(30min);
    BOOST_TEST(on.look(cursor).tasks.empty());
    on.advance(59min);
    BOOST_TEST(on.look(cursor).tasks.empty());
    on.advance(91min);
    check_texts(on.seen(cursor), {"a", "b"});
    check_texts(on.seen("7.1"), {"a", "b"});  // of another queue, or another time
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_to_see_is_woken_by_what_comes_and_by_what_comes_back, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    auto one = on.waiting_look(""), other = on.waiting_look("");
    on.put("a");
    check_texts(on.ids(one.get()), {"a"});
    const auto page = other.get();
    check_texts(on.ids(page), {"a"});
    on.take_one("a", 20s);
    auto third = on.waiting_look(page.cursor);
    on.pass(19s);
    BOOST_TEST(!third.done());
    on.pass(1s);
    check_texts(on.ids(third.get()), {"a"});
    auto late = on.waiting_look(on.look().cursor, 10s);
    BOOST_TEST(on.still_waiting(late));
    on.pass(10s);
    BOOST_TEST(late.get().tasks.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_to_see_is_woken_by_a_promise_that_is_made_and_missed_meanwhile, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    auto one = on.waiting_look(on.look().cursor);
    on.take_one("a", 2s);
    BOOST_TEST(on.still_waiting(one));
    on.pass(2s);
    check_texts(on.ids(one.get()), {"a"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_to_see_can_be_cancelled_and_ends_with_its_broker, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    auto one = on.waiting_look(""), other = on.waiting_look("");
    one.cancel();
    BOOST_TEST(on.error_of(std::move(one)) == aborted);
    on.broker().close();
    BOOST_TEST(on.error_of(std::move(other)) == errc::shut_down);
    BOOST_TEST(on.error_of(on.broker().peek(q, on.behind(""))) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_to_see_takes_nobodys_turn, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.join();
    std::vector<started<peek_page>> looking;
    for (int i = 0; i < 20; ++i) looking.push_back(on.waiting_look(""));
    auto worker = on.start(on.broker().fetch(on.request(w, 1, 1h)));
    auto special = on.named("a");  // none that is handed over
    on.add(special);
    BOOST_TEST(worker.get().at(0).own_id == "a");
    on.broker().close();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(limits_hold_for_who_takes_by_name, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    for (const char* id : {"a", "b", "c"}) on.put(id);
    for (const char* id : {"k1", "k2"}) {
        auto made = on.named(id);
        made.key = "k";
        on.add(made);
    }
    queue_control control(on.shared(), q);
    on.run(control.pause());
    check_texts(on.seen(), {"a", "b", "c", "k1", "k2"});
    BOOST_TEST((on.try_take("a") == claim::limited));
    BOOST_TEST(on.counts().consumers == 0U);
    on.run(control.resume());
    on.run(control.set_limit(limit().running(2), "two"));
    const auto got = on.take({"a", "b", "c"}, 10s, "me");
    BOOST_TEST((got[0].what == claim::taken));
    BOOST_TEST((got[1].what == claim::taken));
    BOOST_TEST((got[2].what == claim::limited));
    BOOST_TEST(on.reply(*got[0].task, "1") == effect::done);
    BOOST_TEST((on.try_take("c") == claim::taken));
    on.run(control.reset_limit());
    on.run(control.set_key_limit("k", limit().running(1), "one"));
    const auto keyed = on.take({"k1", "k2"});
    BOOST_TEST((keyed[0].what == claim::taken));
    BOOST_TEST((keyed[1].what == claim::limited));
    BOOST_TEST(on.reply(*keyed[0].task, "1") == effect::done);
    BOOST_TEST((on.try_take("k2") == claim::taken));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_counts_what_is_taken_by_name, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    for (const char* id : {"a", "b"}) on.put(id);
    queue_control control(on.shared(), q);
    on.run(control.set_limit(limit().rate(1, 1s), "slow"));
    const auto got = on.take({"a", "b"});
    BOOST_TEST((got[0].what == claim::taken));
    BOOST_TEST((got[1].what == claim::limited));
    on.advance(1s);
    BOOST_TEST((on.try_take("b") == claim::taken));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_workers_have_passed_over_can_be_taken_by_name, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    auto keyed = on.named("k");
    keyed.key = "k";
    on.add(keyed);
    on.join();
    auto request = on.request();
    request.names = std::make_shared<const name_set>(name_set{"other"});
    BOOST_TEST(on.run(on.broker().fetch(request)).empty());
    BOOST_TEST(on.counts().unclaimed == 2U);
    check_texts(on.seen(), {"a", "k"});
    const auto got = on.take({"a", "k"});
    BOOST_TEST((got[0].what == claim::taken));
    BOOST_TEST((got[1].what == claim::taken));
    BOOST_TEST(on.counts().unclaimed == 0U);
    BOOST_TEST(on.reply(*got[1].task, "1") == effect::done);
    BOOST_TEST(on.counts().running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_task_can_be_replied_to_and_one_that_somebody_runs_can_not, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.put("b");
    auto waiting = on.start(on.broker().wait({q, on.key_of_id("a")}, 1h));
    BOOST_TEST(on.reply(on.to("a", "7")) == effect::done);
    BOOST_TEST(waiting.get()->result == "7");
    BOOST_TEST(on.reply(on.to("a", "8")) == effect::wrong_state);
    BOOST_TEST(on.outcome(on.key_of_id("a"))->result == "7");
    const auto record = on.record(on.key_of_id("a"));
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(record.deliveries == 1U);
    on.take_one("b");
    BOOST_TEST(on.reply(on.to("b", "9")) == effect::wrong_state);
    BOOST_TEST(on.reply(on.to("none", "9")) == effect::not_found);
    BOOST_TEST(on.seen().empty());
    on.join();
    BOOST_TEST(on.fetch().empty());
    BOOST_TEST(on.counts().succeeded == 1U);
    BOOST_TEST(on.counts().running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reply_that_is_sent_again_is_done_and_one_to_what_a_consumer_has_ended_is_not, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.put("b");
    BOOST_TEST(on.reply(on.to("a", "7")) == effect::done);
    BOOST_TEST(on.reply(on.to("a", "7")) == on.again());
    BOOST_TEST(on.reply(on.to("a", "8")) == effect::wrong_state);
    BOOST_TEST(on.outcome(on.key_of_id("a"))->result == "7");
    const auto taken = on.take_one("b");
    BOOST_TEST(on.reply(taken, "7") == effect::done);
    BOOST_TEST(on.reply(on.to("b", "7")) == effect::wrong_state);
    BOOST_TEST(on.counts().succeeded == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_has_joined_takes_nothing_by_name, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    on.join();
    acquire_request request;
    request.queue = q;
    request.consumer = w;
    request.lease = 1h;
    request.tasks.push_back({{}, "a"});
    BOOST_TEST(on.error_of(on.broker().acquire(request)) == errc::invalid_argument);
    BOOST_TEST(on.counts().waiting == 1U);
    request.consumer = "new";
    BOOST_TEST(on.run(on.broker().acquire(request)).at(0).task.has_value());
    BOOST_TEST(on.run(on.broker().acquire(request)).at(0).task.has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_waits_to_see_is_woken_where_nothing_may_start, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    queue_control control(on.shared(), q);
    on.run(control.pause());
    const auto shows = [&](const texts& wanted, auto add) {
        auto waiting = on.waiting_look(on.look().cursor);
        add();
        on.let_work();
        BOOST_REQUIRE(waiting.done());
        check_texts(on.ids(waiting.get()), wanted);
    };
    shows({"a"}, [&] { on.put("a"); });
    shows({"b", "c"}, [&] {
        const std::vector<new_task> some{on.named("b"), on.named("c")};
        on.run(on.broker().submit(q, some));
    });
    on.run(control.resume());
    on.run(control.set_key_limit("k", limit().running(1), "one"));
    auto keyed = on.named("k1");
    keyed.key = "k";
    shows({"k1"}, [&] { on.add(keyed); });
    const auto taken = on.take_one("k1", 1h, "taker");
    keyed.own_id = "k2";
    shows({"k2"}, [&] { on.add(keyed); });
    on.run(control.set_limit(limit().running(1), "full"));
    shows({"d"}, [&] { on.put("d"); });
    shows({"k1"}, [&] { on.settle(taken, kind::release, "taker"); });
    on.add();  // a plain one, in a queue that is full
    on.run(control.pause());
    auto waiting = on.waiting_look(on.look().cursor);
    on.add();
    on.let_work();
    BOOST_REQUIRE(waiting.done());
    BOOST_TEST(waiting.get().tasks.size() == 1U);
}

// What a dialect needs that removes also what somebody has.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_somebody_has_can_be_ended_in_its_name_and_removed, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    const auto taken = on.take_one("a");
    const auto key = on.key_of_id("a");
    BOOST_TEST(on.remove(key) == effect::wrong_state);
    BOOST_TEST(on.cancel(key) == effect::requested);
    const auto record = on.record(key);
    settlement end;
    end.key = key;
    end.token = record.deliveries;
    end.how = kind::cancel;
    BOOST_TEST(on.settle(end, record.consumer) == effect::done);
    BOOST_TEST(on.remove(key) == effect::done);
    BOOST_TEST(on.reply(taken, "late") == effect::not_found);
    on.put("a");
    check_texts(on.seen(), {"a"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reply_for_anybody_ends_what_somebody_runs_and_replaces_a_result, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    run_policy brief;
    brief.retention = 10s;
    on.add(on.named("a", {}, brief));
    on.join();
    const auto got = on.fetch_one();
    BOOST_TEST(on.reply(on.to("a", "1", reply_scope::any)) == effect::done);
    BOOST_TEST(on.settle(got, kind::complete) == effect::lease_lost);
    const auto key = on.key_of_id("a");
    BOOST_TEST(on.outcome(key)->result == "1");
    on.advance(9s);
    BOOST_TEST(on.reply(on.to("a", "2", reply_scope::any)) == effect::done);
    on.advance(9s);
    BOOST_TEST(on.outcome(key)->result == "2");
    BOOST_TEST(on.counts().succeeded == 1U);
    on.advance(1s);
    BOOST_TEST(!on.exists(key));
    BOOST_TEST(on.reply(on.to("a", "3", reply_scope::any)) == effect::not_found);
    on.put("a");  // its id is free
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_is_forwarded_under_the_same_id_once, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    auto what = on.to("a", "7");
    what.forward_to = "results";
    what.forwarded = on.named("a", "7");
    auto seeing = on.start(on.broker().peek("results", [&] {
        auto query = on.behind("");
        query.wait = 1h;
        query.with_payload = true;
        return query;
    }()));
    BOOST_TEST(on.reply(what) == effect::done);
    on.let_work();
    const auto page = seeing.get();
    check_texts(on.ids(page), {"a"});
    BOOST_TEST(page.tasks[0].payload == "7");
    BOOST_TEST(on.reply(what) == on.again());
    what.scope = reply_scope::any;
    BOOST_TEST(on.reply(what) == effect::done);  // an id that is there already
    on.let_work();
    BOOST_TEST(on.counts("results").waiting == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_makes_no_sense_is_refused_with_what_would, Backend, backends) {
    claiming on(std::make_unique<Backend>());
    on.put("a");
    for (const char* cursor : {"x", "1", "1.", ".1", "-1.1", "1.1.1", "1.99999999999999999999999"}) {
        BOOST_TEST(on.error_of(on.broker().peek(q, on.behind(cursor))) == errc::invalid_argument);
    }
    BOOST_TEST(on.error_of(on.broker().peek(q, on.behind("", 0))) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.broker().peek(q, on.behind("", 1001))) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.broker().peek("no queue", on.behind(""))) == errc::invalid_argument);
    acquire_request request;
    request.queue = q;
    request.consumer = "me";
    request.tasks.push_back({{}, "a"});
    BOOST_TEST(on.error_of(on.broker().acquire(request)) == errc::invalid_argument);
    request.lease = 1s;
    request.tasks.resize(1001, {{}, "a"});
    BOOST_TEST(on.error_of(on.broker().acquire(request)) == errc::invalid_argument);
    request.tasks.assign(1, task_reference());
    BOOST_TEST(on.error_of(on.broker().acquire(request)) == errc::invalid_argument);
    request.tasks.clear();
    BOOST_TEST(on.run(on.broker().acquire(request)).empty());
    auto what = on.to("a", "1");
    what.forward_to = "results";
    BOOST_TEST(on.error_of(on.broker().reply(q, what)) == errc::invalid_argument);
    what.forwarded = on.task();
    BOOST_TEST(on.error_of(on.broker().reply(q, what)) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.broker().reply(q, task_reply())) == errc::invalid_argument);
    BOOST_TEST(on.counts().waiting == 1U);
}

// Fault 17: 50 nodes acquire overlapping ids at the same time, and a third of them die with what they have.
BOOST_AUTO_TEST_CASE_TEMPLATE(fifty_nodes_acquire_overlapping_ids_and_each_is_claimed_once_at_a_time, Backend, backends) {
    for (unsigned round = 0; round < 20; ++round) {
        claiming on(std::make_unique<Backend>());
        constexpr unsigned tasks = 60, nodes = 50;
        const auto id_of = [](unsigned n) { return "t" + std::to_string(n % tasks); };
        for (unsigned n = 0; n < tasks; ++n) on.put(id_of(n));
        std::set<std::string> ended;
        for (unsigned turn = 1; turn <= 2; ++turn) {
            std::vector<started<std::vector<acquired_task>>> calls;
            for (unsigned node = 0; node < nodes; ++node) {
                acquire_request request;
                request.queue = q;
                request.consumer = "node " + std::to_string(turn) + '/' + std::to_string(node);
                request.lease = 5s;
                for (unsigned i = 0; i < 10; ++i) request.tasks.push_back({{}, id_of(node * 7 + i + round)});
                calls.push_back(on.begin(on.broker().acquire(std::move(request))));
            }
            std::set<std::string> claimed;
            for (unsigned node = 0; node < nodes; ++node) {
                for (const auto& one : calls[node].get()) {
                    if (!one.task) continue;
                    BOOST_TEST(claimed.insert(one.task->own_id).second);
                    BOOST_TEST(one.task->token == turn);
                    if (turn == 1 && (node + round) % 3 == 0) continue;  // it dies
                    BOOST_TEST(on.reply(*one.task, "1") == effect::done);
                    BOOST_TEST(ended.insert(one.task->own_id).second);
                }
            }
            if (turn == 1) BOOST_TEST(claimed.size() == tasks);
            on.advance(5s);
            BOOST_TEST(on.seen().size() == tasks - ended.size());
        }
        BOOST_TEST(ended.size() == tasks);
        BOOST_TEST(on.counts().running == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
