#include <conformance/fixture.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/consumer.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/raw_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Consumers: they choose among waiting tasks, and reply to those that they take.
namespace taskflux::conformance {

namespace conformance_consumers {

inline constexpr task<int(int)> square{"square", task_options().queue("q")};
inline constexpr task<void(int)> told{"told", task_options().queue("told")};

inline constexpr task<void(int)> here{"here", task_options().queue("q")};

using item = accepted_task<int, int>;
using choosy = taskflux::consumer<int, int>;

struct choosing : fixture {
    explicit choosing(std::unique_ptr<backend> on) : fixture(std::move(on)), client(shared()) {}

    job<int> put(const std::string& id, int value, const std::string& size = "small") {
        return run(client.submit(square, submit_options().id(id).header("size", size), value));
    }
    choosy chooser(std::size_t max = 10) {
        return taskflux::consumer(shared(), square, consumer_options().max(max).promise(10s).name("chooser"));
    }
    /// Begins to take, and waits until it waits: it asks more than once before it does.
    started<std::vector<item>> begin_to_take(choosy& some, duration wait = choosy::forever) {
        auto taking = start(some.take(wait));
        let_work();
        return taking;
    }
    static bool is_small(const offer& one) { return one.headers().at("size") == "small"; }
    static std::vector<std::string> ids(const std::vector<item>& items) {
        std::vector<std::string> found;
        for (const auto& one : items) found.push_back(one.own_id());
        return found;
    }

    taskflux::client client;
};

void check_ids(const std::vector<item>& found, const std::vector<std::string>& wanted) {
    BOOST_TEST(choosing::ids(found) == wanted, boost::test_tools::per_element());
}

}  // namespace conformance_consumers

BOOST_AUTO_TEST_SUITE(conformance_consumers)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_takes_what_it_wants_and_leaves_the_rest_where_it_is, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    const auto first = on.put("a", 2), second = on.put("b", 3, "large"), third = on.put("c", 4);
    on.add(on.task("other"));
    auto some = on.chooser();
    some.accept(choosing::is_small);
    auto items = on.run(some.take(0ms));
    check_ids(items, {"a", "c"});
    BOOST_TEST(items[0].payload() == 2);
    BOOST_TEST(items[0].deliveries() == 1U);
    BOOST_TEST((items[0].id() == first.id()));
    BOOST_TEST(on.run(items[0].reply(4)) == effect::done);
    BOOST_TEST(on.run(items[1].fail("no")) == effect::done);
    BOOST_TEST(on.run(first.result()) == 4);
    BOOST_TEST((on.run(third.outcome())->state == task_state::failed));
    BOOST_TEST(on.run(some.take(0ms)).empty());
    BOOST_TEST(on.counts().waiting == 2U);
    BOOST_TEST((on.run(second.status()) == task_state::waiting));
    BOOST_CHECK_THROW(on.run(items[0].reply(5)), boost::system::system_error);
    items.clear();
    on.let_work();
    BOOST_TEST(on.counts().consumers == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_takes_no_more_than_it_asks_for_and_goes_on_behind_them, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    for (int i = 0; i < 5; ++i) on.put("t" + std::to_string(i), i);
    auto some = on.chooser(2);
    auto one = on.run(some.take(0ms)), two = on.run(some.take(0ms)), three = on.run(some.take(0ms));
    check_ids(one, {"t0", "t1"});
    check_ids(two, {"t2", "t3"});
    check_ids(three, {"t4"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_waits_for_a_task_that_it_wants, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    auto some = on.chooser();
    some.accept(choosing::is_small);
    auto taking = on.begin_to_take(some);
    on.put("a", 1, "large");
    BOOST_TEST(on.still_waiting(taking));
    on.put("b", 2);
    const auto kept = taking.get();
    check_ids(kept, {"b"});
    auto late = on.begin_to_take(some, 5s);
    on.pass(5s);
    BOOST_TEST(late.get().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_dropped_comes_again_at_once_and_what_is_kept_too_long_when_its_promise_is_over, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    on.put("a", 1);
    on.put("b", 2);
    auto some = on.chooser();
    auto items = on.run(some.take(0ms));
    BOOST_REQUIRE_EQUAL(items.size(), 2U);
    items.erase(items.begin());
    on.let_work();
    auto again = on.run(some.take(0ms));
    check_ids(again, {"a"});
    on.pass(10s);
    BOOST_TEST(on.run(items[0].reply(1)) == effect::lease_lost);
    BOOST_TEST(on.run(again[0].reply(1)) == effect::lease_lost);
    auto third = on.run(some.take(0ms));
    BOOST_TEST(third.size() == 2U);
    BOOST_TEST(on.run(third[0].give_back(5s)) == effect::done);
    BOOST_TEST(on.run(third[1].give_back()) == effect::done);
    BOOST_TEST(on.run(some.take(0ms)).size() == 1U);
    on.pass(5s);
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_not_wanted_is_offered_again_later, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    on.put("a", 1, "large");
    auto some = on.chooser();
    bool is_free = false;
    some.accept([&](const offer& one) { return is_free || choosing::is_small(one); });
    auto taking = on.begin_to_take(some);
    is_free = true;
    BOOST_TEST(on.still_waiting(taking));
    on.pass(30s);
    check_ids(taking.get(), {"a"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_limit_holds_back_is_taken_once_it_may_start, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    for (const char* id : {"a", "b", "c"}) on.put(id, 1);
    queue_control control(on.shared(), q);
    on.run(control.set_limit(limit().running(1), "one"));
    auto some = on.chooser();
    auto first = on.run(some.take(0ms));
    check_ids(first, {"a"});
    auto taking = on.begin_to_take(some);
    on.pass(3s);
    BOOST_TEST(!taking.done());
    BOOST_TEST(on.run(first[0].reply(1)) == effect::done);
    on.pass(1s);
    check_ids(taking.get(), {"b"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_at_its_limit_is_in_nobodys_way, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    for (const char* id : {"k1", "k2"}) on.run(on.client.submit(square, submit_options().id(id).key("k"), 1));
    on.put("x", 1);
    queue_control control(on.shared(), q);
    on.run(control.set_key_limit("k", limit().running(1), "one"));
    auto some = on.chooser(1);
    auto first = on.run(some.take(0ms)), second = on.run(some.take(5s));
    check_ids(first, {"k1"});
    check_ids(second, {"x"});
    BOOST_TEST(on.run(first.at(0).reply(1)) == effect::done);
    auto taking = on.begin_to_take(some);
    on.pass(1s);
    check_ids(taking.get(), {"k2"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_asks_for_few_tasks_of_a_queue_that_lets_none_start, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    for (int i = 0; i < 60; ++i) on.put("t" + std::to_string(i), i);
    queue_control control(on.shared(), q);
    on.run(control.pause());
    auto some = on.chooser(2);
    std::size_t asked = 0;
    some.accept([&](const offer&) { return ++asked > 0; });
    auto taking = on.begin_to_take(some);
    BOOST_TEST(asked <= 4U);
    on.pass(1s);
    on.pass(1s);
    BOOST_TEST(asked > 2U);
    BOOST_TEST(asked <= 12U);
    BOOST_TEST(!taking.done());
    on.run(control.resume());
    on.pass(1s);
    const auto first = taking.get();
    check_ids(first, {"t0", "t1"});
    on.run(control.set_limit(limit().running(3), "three"));
    const auto second = on.run(some.take(0ms));
    check_ids(second, {"t2"});  // there is room for one more
    BOOST_TEST(on.run(some.take(0ms)).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_asks_for_few_tasks_of_a_key_at_its_limit, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    for (int i = 0; i < 40; ++i) on.run(on.client.submit(square, submit_options().id("k" + std::to_string(i)).key("k"), 1));
    on.put("x", 1);
    queue_control control(on.shared(), q);
    on.run(control.set_key_limit("k", limit().running(1), "one"));
    auto some = on.chooser(1);
    std::vector<std::string> asked;
    some.accept([&](const offer& one) { return asked.push_back(one.key() + ' ' + one.own_id()), true; });
    auto first = on.run(some.take(0ms)), second = on.run(some.take(0ms));
    check_ids(first, {"k0"});
    check_ids(second, {"x"});
    BOOST_TEST(asked == (std::vector<std::string>{"k k0", "k k1", " x"}), boost::test_tools::per_element());
    auto taking = on.begin_to_take(some);
    BOOST_TEST(on.run(first.at(0).reply(1)) == effect::done);
    on.pass(1s);
    check_ids(taking.get(), {"k1"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_cancelled_or_stays_in_its_queue_is_not_forwarded, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    const auto job = on.put("a", 3);
    auto some = on.chooser();
    auto items = on.run(some.take(0ms));
    BOOST_REQUIRE_EQUAL(items.size(), 1U);
    BOOST_TEST(on.error_of(items[0].reply_to(here, 9)) == errc::invalid_argument);
    BOOST_TEST(on.run(job.cancel()) == effect::requested);
    BOOST_TEST(on.run(items[0].reply_to(told, 9)) == effect::done);
    BOOST_TEST((on.run(job.status()) == task_state::cancelled));
    on.let_work();
    BOOST_TEST(on.counts("told").waiting == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_becomes_the_payload_of_the_next_task_under_the_same_id, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    on.put("a", 3);
    auto some = on.chooser();
    auto items = on.run(some.take(0ms));
    BOOST_REQUIRE_EQUAL(items.size(), 1U);
    BOOST_TEST(on.run(items[0].reply_to(told, 9)) == effect::done);
    on.let_work();
    taskflux::consumer next(on.shared(), told);
    auto results = on.run(next.take(1h));
    BOOST_REQUIRE_EQUAL(results.size(), 1U);
    BOOST_TEST(results[0].own_id() == "a");
    BOOST_TEST(results[0].payload() == 9);
    BOOST_TEST(on.run(results[0].reply()) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_joins_one_of_the_same_id_or_reads_its_result, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    const auto call = [&](int value) { return on.client.run(square, submit_options().id("a"), value); };
    auto one = on.start(call(3)), other = on.start(call(100));
    auto some = on.chooser();
    auto items = on.run(some.take(1h));
    BOOST_REQUIRE_EQUAL(items.size(), 1U);
    BOOST_TEST(items[0].payload() == 3);  // the first one's
    on.run(items[0].reply(9));
    BOOST_TEST(one.get() == 9);
    BOOST_TEST(other.get() == 9);
    BOOST_TEST(on.run(call(7)) == 9);
    BOOST_TEST(on.counts().succeeded == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_client_waits_while_nobody_stays, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    on.put("a", 1);
    auto some = on.chooser();
    {
        auto items = on.run(some.take(0ms));
        on.run(items.at(0).reply(1));
    }
    on.let_work();
    auto calling = on.start(on.client.run(square, submit_options().id("b"), 2));
    for (int i = 0; i < 12; ++i) on.pass(5s);
    BOOST_TEST(!calling.done());
    auto items = on.run(some.take(1h));
    BOOST_REQUIRE_EQUAL(items.size(), 1U);
    on.run(items[0].reply(4));
    BOOST_TEST(calling.get() == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_that_make_no_sense_are_refused, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    BOOST_CHECK_THROW(consumer_options().max(0), error);
    BOOST_CHECK_THROW(consumer_options().max(101), error);
    BOOST_CHECK_THROW(consumer_options().promise(0ms), error);
    BOOST_CHECK_THROW(taskflux::consumer(broker_ptr(), square), error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(messages_are_received_by_their_ids_and_kept, Backend, backends) {
    choosing on(std::make_unique<Backend>());
    const raw_queue queue(on.shared(), q, raw_queue_options().lease(10s));
    on.run(queue.send("one", submit_options().id("a")));
    on.run(queue.send("two", submit_options().id("b")));
    const auto third = on.run(queue.send("three"));
    std::vector<std::string> wanted = {to_string(third.id()), "none", "a", "a"};
    auto got = on.run(queue.receive(wanted));
    BOOST_REQUIRE_EQUAL(got.size(), 2U);
    BOOST_TEST(got[0].body() == "three");
    BOOST_TEST(got[1].body() == "one");
    for (int i = 0; i < 10; ++i) on.pass(3s);  // the lease is renewed
    BOOST_TEST(!got[0].is_lost());
    BOOST_TEST(on.run(got[0].complete()) == effect::done);
    got.pop_back();
    on.let_work();
    std::vector<std::string> again = {"a"};
    BOOST_TEST(on.run(queue.receive(again)).size() == 1U);
    on.let_work();
    BOOST_TEST(on.counts().consumers == 0U);  // each has left with its last message
    std::vector<std::string> foreign = {"other:~1.a"};
    BOOST_TEST(on.error_of(queue.receive(foreign)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
