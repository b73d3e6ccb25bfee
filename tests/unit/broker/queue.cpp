#include <conformance/print.hpp>
#include <taskflux/broker/memory/queue.hpp>

#include <boost/test/unit_test.hpp>

namespace broker_queue {

using namespace taskflux;
using namespace std::chrono_literals;

struct fixture {
    memory::task_queue queue;
    time_point now{1h};

    std::vector<task_key> submit(std::size_t count, run_policy policy = {}) {
        new_task task;
        task.spec = std::make_shared<const task_spec>(task_spec{"work", 0, policy, {}});
        std::vector<task_key> keys;
        for (const auto& one : queue.submit(std::vector<new_task>(count, task), now)) keys.push_back(one.key);
        return keys;
    }

    void advance(duration by) { queue.advance(now += by); }

    std::vector<delivery> fetch(const std::string& who, std::size_t max = 1) {
        std::vector<delivery> found;
        queue.fetch(*queue.find_consumer(who), nullptr, 0, max, now, found);
        return found;
    }

    effect complete(const std::string& who, const delivery& one) {
        settlement end;
        end.key = one.key;
        end.token = one.token;
        return queue.settle(queue.find_consumer(who), end, now);
    }
};

bool is_queue_full(const error& e) { return e.code() == errc::queue_full; }

}  // namespace broker_queue

BOOST_AUTO_TEST_SUITE(broker_queue)

BOOST_AUTO_TEST_CASE(next_tells_when_something_will_happen) {
    fixture in{{1, 0, 0}};
    BOOST_TEST((in.queue.next() == never));
    in.submit(1, run_policy{.deadline = 20s, .expires_in = 10s, .retention = 1min});
    BOOST_TEST((in.queue.next() == in.now + 10s));
    in.queue.join("w", 5s, in.now);
    BOOST_TEST((in.queue.next() == in.now + 5s));
    in.fetch("w");
    BOOST_TEST((in.queue.next() <= in.now + 5s));  // may be early, never late
    in.advance(5s);
    BOOST_TEST((in.queue.next() == in.now + 15s));  // tried: the deadline counts, not the expiry
    in.advance(15s);
    BOOST_TEST(in.queue.counts().failed == 1U);
    in.advance(24h * 8);
    BOOST_TEST((in.queue.next() == never));
    BOOST_TEST(in.queue.after(0) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_queue_knows_whether_its_last_consumer_has_left_or_one_has_lost_its_lease) {
    fixture in{{1, 0, 0}};
    in.queue.join("loses", 5s, in.now);
    in.queue.join("leaves", 1h, in.now);
    in.advance(5s);
    in.queue.leave("leaves", in.now);
    BOOST_REQUIRE(in.queue.attended().deserted());
    BOOST_TEST((!in.queue.attended().deserted()->has_left && in.queue.attended().deserted()->since == in.now));
    in.queue.join("again", 1h, in.now);
    BOOST_TEST(!in.queue.attended().deserted());
    in.queue.leave("again", in.now);
    BOOST_REQUIRE(in.queue.attended().deserted());
    BOOST_TEST(in.queue.attended().deserted()->has_left);
}

BOOST_AUTO_TEST_CASE(keys_of_another_seed_are_not_found) {
    fixture one{{1, 0, 0}}, two{{2, 0, 0}};
    const auto key = one.submit(1)[0];
    two.submit(1);
    BOOST_TEST(one.queue.find(key) != nullptr);
    BOOST_TEST(two.queue.find(key) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_full_queue_takes_all_of_a_batch_or_nothing) {
    fixture in{{1, 10, 0}};
    in.submit(8);
    BOOST_CHECK_EXCEPTION(in.submit(3), error, is_queue_full);
    BOOST_TEST(in.queue.counts().waiting == 8U);
    const auto keys = in.submit(2);
    BOOST_CHECK_EXCEPTION(in.submit(1), error, is_queue_full);
    BOOST_TEST(in.submit(0).empty());
    in.queue.cancel(keys[0], in.now);
    BOOST_TEST(in.submit(1).size() == 1U);  // only the unfinished count
}

BOOST_AUTO_TEST_CASE(what_is_there_already_needs_no_room) {
    fixture in{{1, 1, 0}};
    new_task task;
    auto spec = std::make_shared<task_spec>();
    spec->name = "t";
    task.spec = std::move(spec);
    task.own_id = "mine";
    std::vector<new_task> batch(1, task);
    BOOST_TEST(!in.queue.submit(batch, in.now)[0].duplicate);
    BOOST_TEST(in.queue.submit(batch, in.now)[0].duplicate);
    batch[0].own_id = "other";
    BOOST_CHECK_EXCEPTION(in.queue.submit(batch, in.now), error, is_queue_full);
}

BOOST_AUTO_TEST_CASE(the_newest_ended_tasks_are_kept) {
    fixture in{{1, 0, 3}};
    const auto keys = in.submit(10);
    for (const auto key : keys) {
        in.queue.cancel(key, in.now);
        in.advance(1ms);
    }
    BOOST_TEST(in.queue.counts().cancelled == 3U);
    for (std::size_t i = 0; i < 10; ++i) BOOST_TEST((in.queue.find(keys[i]) != nullptr) == (i >= 7));
}

BOOST_AUTO_TEST_CASE(a_task_that_has_just_ended_is_not_the_one_to_go) {
    fixture in{{1, 0, 1}};
    const auto first = in.submit(1, run_policy{.retention = 2h})[0];
    const auto second = in.submit(1, run_policy{.retention = 1h})[0];
    in.queue.cancel(first, in.now);
    in.queue.cancel(second, in.now);  // in the same millisecond
    BOOST_TEST(in.queue.find(first) == nullptr);
    BOOST_TEST(in.queue.find(second) != nullptr);
}

BOOST_AUTO_TEST_CASE(removing_a_waiting_task_costs_no_ended_one_its_record) {
    fixture in{{1, 0, 1}};
    const auto keys = in.submit(2);
    in.queue.cancel(keys[0], in.now);
    BOOST_TEST(in.queue.remove(keys[1], in.now) == effect::done);
    BOOST_TEST(in.queue.find(keys[0]) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_million_tasks_in_and_out_leave_nothing_behind) {
    fixture in{{1, 0, 0}};
    in.queue.join("w", 1h, in.now);
    for (int i = 0; i < 1000; ++i) {
        in.submit(1000, run_policy{.retention = 1ms});
        for (const auto& one : in.fetch("w", 1000)) {
            if (in.complete("w", one) != effect::done) BOOST_FAIL("not done");
        }
        in.advance(1ms);
    }
    BOOST_TEST(in.queue.after(0) == nullptr);
    const auto counts = in.queue.counts();
    BOOST_TEST(counts.waiting + counts.running + counts.succeeded == 0U);
    BOOST_TEST(in.submit(1)[0].sequence == 1'000'001U);
}

BOOST_AUTO_TEST_CASE(what_has_fallen_due_together_is_done_bit_by_bit_beside_fetches) {
    fixture in{{1, 0, 0}};
    in.queue.join("w", 1h, in.now);
    new_task task;
    task.spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
    task.delay = 10s;
    in.queue.submit(std::vector<new_task>(60'000, task), in.now);
    in.now += 10s;
    in.queue.advance_some(in.now);
    BOOST_TEST(in.queue.counts().scheduled >= 59'000U);
    BOOST_TEST(in.queue.counts().waiting > 0U);
    BOOST_TEST((in.queue.next() <= in.now));  // it is not done
    BOOST_TEST(in.fetch("w", 16).size() == 16U);
    std::size_t fetched = 16;
    while (in.queue.next() <= in.now) {
        in.queue.advance_some(in.now);
        fetched += in.fetch("w", 1000).size();
    }
    BOOST_TEST(fetched == 60'000U);
}

BOOST_AUTO_TEST_CASE(a_task_past_its_deadline_is_not_handed_out_while_others_are_given_up) {
    fixture in{{1, 0, 0}};
    in.queue.join("w", 1h, in.now);
    in.submit(2000, run_policy{.expires_in = 10s});
    in.submit(1);
    in.now += 10s;
    in.queue.advance_some(in.now);
    BOOST_TEST(in.queue.counts().waiting > 1000U);
    BOOST_TEST(in.fetch("w", 10).size() == 1U);
    BOOST_TEST(in.queue.counts().expired == 2000U);
    in.queue.advance(in.now);
    BOOST_TEST(in.queue.counts().expired == 2000U);
}

BOOST_AUTO_TEST_CASE(room_is_made_by_all_that_has_fallen_due) {
    fixture in{{1, 2000, 0}};
    in.submit(2000, run_policy{.expires_in = 10s});
    in.now += 10s;
    in.queue.advance_some(in.now);
    BOOST_TEST(in.submit(2000).size() == 2000U);
}

BOOST_AUTO_TEST_SUITE_END()
