#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/flow/consumer.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What is left on the server by those that look at waiting tasks, take named ones and reply.
namespace redis_claims {

using namespace taskflux;
using namespace taskflux::conformance;

struct claiming : test::frozen_fixture {
    std::int64_t number(const std::string& command, const std::string& key) { return server.command({command, "tf:{q}:" + key}).integer(); }

    std::size_t acquire(const std::vector<task_key>& keys, const std::string& consumer, duration promise = 10s) {
        acquire_request request;
        request.queue = q;
        request.consumer = consumer;
        request.lease = promise;
        for (const auto& key : keys) request.tasks.push_back({key, {}});
        std::size_t taken = 0;
        for (const auto& one : run(broker().acquire(std::move(request)))) taken += one.task ? 1U : 0U;
        return taken;
    }
    peek_page look(const std::string& cursor = {}, std::size_t limit = 100) {
        peek_query query;
        query.cursor = cursor;
        query.limit = limit;
        return run(broker().peek(q, std::move(query)));
    }
    effect reply(task_key key) {
        task_reply what;
        what.task.key = key;
        return run(broker().reply(q, std::move(what)));
    }
};

}  // namespace redis_claims

BOOST_FIXTURE_TEST_SUITE(redis_claims, claiming)

BOOST_AUTO_TEST_CASE(a_long_lane_from_which_nobody_fetches_keeps_no_remnants_of_what_was_taken) {
    std::vector<task_key> keys;
    for (int i = 0; i < 1500; ++i) {  // one by one: entries of their own
        auto one = task();
        one.own_id = "t" + std::to_string(i);
        keys.push_back(add(std::move(one)));
    }
    BOOST_TEST(number("LLEN", "l:0") == 1500);
    const std::vector<task_key> first(keys.begin(), keys.begin() + 100), last(keys.end() - 100, keys.end());
    BOOST_TEST(acquire(first, "one") == 100U);
    BOOST_TEST(acquire(last, "other") == 100U);
    BOOST_TEST(number("LLEN", "l:0") == 1300);
}

BOOST_AUTO_TEST_CASE(a_segment_of_which_all_was_taken_leaves_its_lane) {
    for (int i = 0; i < 12; ++i) add_many(100);
    BOOST_TEST(number("LLEN", "l:0") == 12);
    std::string cursor;
    for (int i = 0; i < 12; ++i) {
        const auto page = look(cursor);
        cursor = page.cursor;
        std::vector<task_key> keys;
        for (const auto& one : page.tasks) keys.push_back(one.key);
        BOOST_TEST(acquire(keys, "c" + std::to_string(i)) == 100U);
    }
    BOOST_TEST(number("LLEN", "l:0") == 0);
    advance(10s);
    BOOST_TEST(look().tasks.size() == 100U);
    BOOST_TEST(counts().waiting == 1200U);
}

BOOST_AUTO_TEST_CASE(a_queue_in_which_nobody_peeks_keeps_no_order_and_one_in_which_somebody_did_none_of_what_has_gone) {
    join();
    const auto key = add();
    settle(fetch_one(), kind::release);
    BOOST_TEST(number("EXISTS", "V") == 0);
    look();
    settle(fetch_one(), kind::release);
    BOOST_TEST(number("ZCARD", "V") == 1);
    const auto other = add();
    BOOST_TEST(other.sequence == key.sequence + 2);  // the place in between is one's that came again
    remove(key);
    BOOST_TEST(number("EXISTS", "V") == 0);
    settle(fetch_one(), kind::release);
    BOOST_TEST(number("ZCARD", "V") == 1);
    const auto taken = fetch_one();
    BOOST_TEST(look().tasks.empty());
    BOOST_TEST(number("EXISTS", "V") == 0);  // who peeks has met it
    settle(taken, kind::release);
    advance(91min);
    look();
    BOOST_TEST(number("EXISTS", "V") == 0);
}

BOOST_AUTO_TEST_CASE(what_is_forwarded_to_a_full_queue_waits_in_the_outbox_for_room) {
    queue_control results(shared(), "results");
    run(results.set_limit(limit().max_waiting(1), "one"));
    add(task(), "results");
    auto one = task();
    one.own_id = "a";
    add(one);
    task_reply what;
    what.task.own_id = "a";
    what.forward_to = "results";
    what.forwarded = one;
    BOOST_TEST(run(broker().reply(q, what)) == effect::done);
    let_work();
    BOOST_TEST(counts("results").waiting == 1U);
    BOOST_TEST(number("HLEN", "o") == 1);
    for (const char* id : {"b", "c", "d"}) {
        one.own_id = what.task.own_id = id;
        what.forwarded = one;
        add(one);
        BOOST_TEST(run(broker().reply(q, what)) == effect::done);
    }
    let_work();
    BOOST_TEST(number("HLEN", "o") == 4);
    run(results.set_limit(limit().max_waiting(3), "three"));
    look();
    let_work();
    BOOST_TEST(number("HLEN", "o") == 4);  // nobody who peeks has another try so soon
    advance(5s);
    look();
    for (int i = 0; i < 20 && number("HLEN", "o") != 2; ++i) let_work();
    BOOST_TEST(counts("results").waiting == 3U);  // as many as there is room for
    run(results.reset_limit());
    advance(5s);
    look();  // whoever comes next carries it
    for (int i = 0; i < 20 && number("EXISTS", "o") != 0; ++i) let_work();
    BOOST_TEST(counts("results").waiting == 5U);
    BOOST_TEST(run(broker().find("results", "a")).has_value());
}

BOOST_AUTO_TEST_CASE(foreign_members_of_the_order_are_taken_out_and_hold_up_nobody) {
    add();
    look();
    server.command({"ZADD", "tf:{q}:V", "1", "x"});
    server.command({"ZADD", "tf:{q}:V", "1e300", "z"});
    server.command({"ZADD", "tf:{q}:V", "0.5", "00000000000077"});
    const auto key = add();
    BOOST_TEST(look().tasks.size() == 2U);
    BOOST_TEST(look(look().cursor).tasks.empty());
    BOOST_TEST(number("ZCARD", "V") == 0);
    BOOST_TEST(reply(key) == effect::done);
}

BOOST_AUTO_TEST_CASE(who_sleeps_watches_for_the_end_of_a_promise_behind_that_of_its_own_lease) {
    const auto key = add();
    run(broker().join(w, {q}, 10s));
    auto request = this->request(w, 1, 1h);
    request.names = std::make_shared<const name_set>(name_set{"other"});
    auto worker = start(broker().fetch(request));
    let_work();
    BOOST_TEST(server.command({"HEXISTS", "tf:{q}:c", "watching"}).integer() == 0);
    BOOST_TEST(acquire({key}, "me", 1h) == 1U);
    let_work();
    BOOST_TEST(!worker.done());
    BOOST_TEST(server.command({"HEXISTS", "tf:{q}:c", "watching"}).integer() == 1);
    broker().close();
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_those_that_have_waited_in_a_queue_that_nobody_knows) {
    peek_query query;
    query.wait = 1h;
    auto one = start(broker().peek("nowhere", query)), other = start(broker().peek("known", query));
    let_work();
    BOOST_TEST(server.command({"EXISTS", "tf:{nowhere}:c"}).integer() == 0);
    BOOST_TEST(server.command({"PTTL", "tf:{nowhere}:i"}).integer() > 0);
    BOOST_TEST(server.command({"PTTL", "tf:{known}:i"}).integer() > 0);
    server.command({"ZADD", "tf:{known}:i", "1", "another"});
    add(task(), "known");
    BOOST_TEST(other.get().tasks.size() == 1U);
    server.command({"ZADD", "tf:{known}:i", "1", "another"});
    BOOST_TEST(server.command({"PTTL", "tf:{known}:i"}).integer() == -1);
    broker().close();
}

BOOST_AUTO_TEST_CASE(a_consumer_that_takes_one_task_reads_few) {
    static constexpr taskflux::task<void(int)> work{"work", task_options().queue("q")};
    for (int i = 0; i < 10; ++i) add_many(100);
    consumer some(shared(), work);
    run(some.take(0ms));
    const auto sent = [&] {
        const std::string name = "total_net_output_bytes:", told = server.command({"INFO", "stats"}).text;
        return std::stoull(told.substr(told.find(name) + name.size()));
    };
    const auto before = sent();
    BOOST_TEST(run(some.take(0ms)).size() == 1U);
    BOOST_TEST(sent() - before < 16U * 1024);  // a page of 1,000 has more than 100 KiB
}

BOOST_AUTO_TEST_CASE(what_a_reply_has_ended_and_nobody_keeps_is_remembered_for_one_that_is_sent_again) {
    run_policy none;
    none.retention = 0ms;
    const auto gone = add(task(none)), kept = add();
    BOOST_TEST(reply(kept) == effect::done);
    BOOST_TEST(server.command({"KEYS", "tf:{q}:p:*.*"}).items.size() == 0U);
    BOOST_TEST(reply(gone) == effect::done);
    BOOST_TEST(server.command({"KEYS", "tf:{q}:p:*.*"}).items.size() == 1U);
    BOOST_TEST(reply(gone) == effect::not_found);  // another call
}

BOOST_AUTO_TEST_CASE(however_many_processes_wait_to_see_a_worker_that_sleeps_is_woken) {
    join();
    auto worker = start(broker().fetch(request(w, 1, 1h)));
    for (int i = 0; i < 100; ++i) server.command({"ZADD", "tf:{q}:i", "0", "tf:in:gone" + std::to_string(i) + "\npeek\n?"});
    auto one = task();
    one.own_id = "a";  // is not handed over
    add(one);
    let_work();
    BOOST_TEST(worker.done());
    BOOST_TEST(number("ZCARD", "i") <= 1);
}

BOOST_AUTO_TEST_SUITE_END()
