#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/broker/broker.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

// The ends of tasks whose subtasks are in another queue are carried there.
namespace {

using namespace taskflux;
using namespace taskflux::conformance;

/// A running parent.
struct relaying : test::frozen_fixture {
    relaying() {
        join();
        parent.queue = q;
        parent.key = add();
        last = fetch_one();
    }

    /// Notes subtasks in another queue and submits them.
    void add_children(int count, const std::string& prefix) {
        journal_write what;
        what.consumer = w;
        what.token = last.token;
        std::vector<new_task> tasks;
        for (int i = 0; i != count; ++i) {
            const auto name = prefix + std::to_string(i);
            what.items.push_back({child_key(name), child_place{"elsewhere", "work", name}.text(), journal_write::mode::add, true});
            tasks.push_back(task());
            tasks.back().own_id = name;
            tasks.back().parent = parent_link{parent, child_key(name)};
        }
        run(broker().write_journal(parent, std::move(what)));
        run(broker().submit("elsewhere", std::move(tasks)));
    }

    task_id parent;
    delivery last;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(redis_relay, relaying)

BOOST_AUTO_TEST_CASE(all_open_subtasks_of_a_task_that_was_cancelled_are_cancelled_however_many) {
    add_children(600, "c");  // more than a server keeps in one piece
    BOOST_TEST((cancel(parent.key) == effect::requested));
    settle(last, settlement::kind::cancel);
    for (int i = 0; i < 50 && counts("elsewhere").waiting > 0; ++i) let_work();
    BOOST_TEST(counts("elsewhere").cancelled == 600U);
}

BOOST_AUTO_TEST_CASE(the_end_of_an_older_attempt_that_is_carried_late_cancels_no_subtasks_of_a_later_one) {
    add_children(1, "old");
    settle(last, settlement::kind::retry);
    last = fetch_one();
    add_children(1, "new");
    const auto number = std::to_string(parent.key.sequence);
    server.command({"HSET", "tf:{q}:o", "X" + number, std::to_string(parent.key.nonce) + " 0"});
    renew();
    let_work();
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:o"}).integer() == 0);  // it has been carried
    BOOST_TEST(counts("elsewhere").cancelled == 1U);
    BOOST_TEST(counts("elsewhere").waiting == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
