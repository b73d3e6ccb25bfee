#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/memory/journal.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace broker_entry {

using namespace taskflux;
using namespace std::chrono_literals;
using memory::entry;
using memory::entry_list;

std::vector<const entry*> items_of(const entry_list& list) {
    std::vector<const entry*> found, backwards;
    for (const auto* one = list.front(); one; one = one->next) found.push_back(one);
    for (const auto* one = list.back(); one; one = one->previous) backwards.insert(backwards.begin(), one);
    BOOST_TEST((found == backwards));
    return found;
}

/// A task with these limits that was submitted at 1 h.
entry task_with(run_policy policy) {
    entry made;
    made.spec = std::make_shared<const task_spec>(task_spec{"work", 0, policy, {}});
    made.submitted_at = time_point(1h);
    return made;
}

}  // namespace broker_entry

BOOST_AUTO_TEST_SUITE(broker_entry)

BOOST_AUTO_TEST_CASE(a_list_keeps_its_order_in_both_directions_whatever_goes) {
    entry a, b, c, d;
    entry_list list;
    BOOST_TEST(list.empty());
    list.push_back(b);
    list.push_back(c);
    list.push_front(a);
    list.push_back(d);
    BOOST_TEST((items_of(list) == std::vector<const entry*>{&a, &b, &c, &d}));
    BOOST_TEST((a.home == &list && d.home == &list));
    list.remove(b);
    BOOST_TEST((items_of(list) == std::vector<const entry*>{&a, &c, &d}));
    BOOST_TEST((!b.home && !b.next && !b.previous));
    list.remove(a);
    BOOST_TEST((items_of(list) == std::vector<const entry*>{&c, &d}));
    list.remove(d);
    BOOST_TEST((items_of(list) == std::vector<const entry*>{&c}));
    list.remove(c);
    BOOST_TEST((list.empty() && !list.back()));
    list.push_front(d);
    BOOST_TEST((items_of(list) == std::vector<const entry*>{&d}));
}

BOOST_AUTO_TEST_CASE(a_task_without_limits_is_never_given_up) {
    BOOST_TEST((task_with({}).limit() == never));
}

BOOST_AUTO_TEST_CASE(a_deadline_counts_for_a_task_that_has_started_and_an_expiry_does_not) {
    auto both = task_with({.deadline = 20s, .expires_in = 10s});
    BOOST_TEST((both.limit() == time_point(1h + 10s)));
    both.first_started_at = time_point(1h + 1s);
    BOOST_TEST((both.limit() == time_point(1h + 20s)));
    auto expires = task_with({.expires_in = 10s});
    BOOST_TEST((expires.limit() == time_point(1h + 10s)));
    expires.first_started_at = time_point(1h + 1s);
    BOOST_TEST((expires.limit() == never));
    BOOST_TEST((task_with({.deadline = 5s, .expires_in = 10s}).limit() == time_point(1h + 5s)));
}

BOOST_AUTO_TEST_CASE(limits_of_a_requeued_task_count_from_then) {
    auto task = task_with({.deadline = 20s, .expires_in = 10s});
    task.more().own_id = "mine";
    BOOST_TEST((task.limit() == time_point(1h + 10s)));
    task.more().limits_from = time_point(2h);
    BOOST_TEST((task.limit() == time_point(2h + 10s)));
    BOOST_TEST(task.more().own_id == "mine");  // made once
}

BOOST_AUTO_TEST_CASE(attempts_are_those_that_failed_and_the_one_that_has_not) {
    auto task = task_with({});
    task.failed_attempts = 2;
    for (const auto state : {task_state::running, task_state::waiting_children, task_state::succeeded}) {
        task.state = state;
        BOOST_TEST(task.attempts() == 3U);
    }
    for (const auto state : {task_state::held, task_state::scheduled, task_state::waiting, task_state::failed, task_state::cancelled,
                             task_state::expired}) {
        task.state = state;
        BOOST_TEST(task.attempts() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(each_caller_that_waits_is_told_once_and_one_that_has_gone_is_not) {
    struct counting : memory::result_waiter {
        counting() {
            notify = [](memory::result_waiter& self) { ++static_cast<counting&>(self).told; };
        }
        int told = 0;
    };
    auto task = task_with({});
    counting first, second, third, stranger;
    for (auto* one : {&first, &second, &third}) task.add_waiter(*one);
    task.remove_waiter(second);
    task.remove_waiter(stranger);
    task.state = task_state::failed;
    task.result = "1";
    task.more().error = "why";
    task.failed_attempts = 4;
    task.tell_waiters();
    task.tell_waiters();
    BOOST_TEST(second.told == 0);
    for (const auto* one : {&first, &third}) {
        BOOST_TEST(one->told == 1);
        BOOST_REQUIRE(one->outcome.has_value());
        BOOST_TEST((one->outcome->state == task_state::failed));
        BOOST_TEST(one->outcome->result == "1");
        BOOST_TEST(one->outcome->error == "why");
        BOOST_TEST(one->outcome->attempts == 4U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
