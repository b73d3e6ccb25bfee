#include <taskflux/broker/memory/claims.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

// Replies in one queue in memory.
namespace broker_claims {

using namespace std::chrono_literals;
using namespace taskflux;

struct fixture {
    time_point now{1h};
    memory::task_queue queue{1, 0, 0};

    task_key add(duration retention = 1h, bool is_awaited = false) {
        auto spec = std::make_shared<task_spec>();
        spec->name = "work";
        spec->policy.retention = retention;
        new_task made;
        made.spec = std::move(spec);
        made.is_awaited = is_awaited;
        return queue.submit(std::vector<new_task>(1, made), now).at(0).key;
    }

    effect reply(task_key to, std::string result, reply_scope scope = reply_scope::waiting) {
        task_reply what;
        what.task.key = to;
        what.scope = scope;
        what.result = std::move(result);
        return memory::reply(queue, what, now);
    }
};

}  // namespace broker_claims

BOOST_FIXTURE_TEST_SUITE(broker_claims, fixture)

BOOST_AUTO_TEST_CASE(a_task_that_a_reply_could_not_end_is_given_back_by_the_next_one) {
    const auto left = add(), other = add();
    queue.store().deliver(*queue.find(left), queue.replier(), now);  // and then there was no memory
    BOOST_CHECK(queue.cancel(other, now) == effect::done);
    BOOST_CHECK(queue.find(left)->state == task_state::running);
    BOOST_CHECK(reply(other, "1") == effect::wrong_state);
    BOOST_CHECK(queue.find(left)->state == task_state::waiting);
    BOOST_CHECK(reply(left, "2") == effect::done);
    BOOST_CHECK(queue.replier().held.empty());
}

BOOST_AUTO_TEST_CASE(a_result_that_nobody_has_heard_yet_is_kept_for_a_minute_where_a_reply_replaces_it) {
    const auto key = add(0ms, true);
    BOOST_CHECK(reply(key, "1") == effect::done);
    BOOST_CHECK(reply(key, "2", reply_scope::any) == effect::done);
    now += 59s;
    queue.advance(now);
    BOOST_REQUIRE(queue.find(key));
    BOOST_TEST(queue.find(key)->result == "2");
    now += 1s;
    queue.advance(now);
    BOOST_TEST(!queue.find(key));
}

BOOST_AUTO_TEST_SUITE_END()
