#include <conformance/workflow_site.hpp>
#include <taskflux/flow/consumer.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Keys that a contract takes from its payloads.
namespace taskflux::conformance {

namespace conformance_taken_keys {

struct order {
    std::string customer;
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(order, (), (customer, number))

inline constexpr auto ship = task<void(order)>{"ship", here()}.key(&order::customer);
inline constexpr auto pack = task<void(order)>{"pack", here()}.key([](const order& of) { return of.number; });
inline constexpr auto gather = task<int(spawned)>{"gather", here()}.key(&spawned::count);
inline constexpr task<order(int)> next_order{"next_order", task_options().queue("far")};

struct ordering : fixture {
    explicit ordering(std::unique_ptr<backend> on) : fixture(std::move(on)), client(shared()) {}

    /// How many tasks of a name each key has; of all queues.
    std::map<std::string, int> keys(const std::string& name = "ship") {
        std::map<std::string, int> found;
        for (const auto& one : list()) {
            if (one.name == name) ++found[one.key];
        }
        return found;
    }

    taskflux::client client;
};

asio::awaitable<void> note_key(broker_ptr broker, task_id id, std::map<std::string, int>& found) {
    const auto record = co_await broker->get(id);
    ++found[record->key];
}

const std::string controls = "has control characters: leave them out, or escape them";
const std::vector<order> orders{{"ann", 1}, {"ben", 2}, {"ann", 3}};
const std::map<std::string, int> by_customer{{"ann", 2}, {"ben", 1}};

}  // namespace conformance_taken_keys

BOOST_AUTO_TEST_SUITE(conformance_taken_keys)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_carries_the_key_that_its_contract_takes_from_the_payload, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    const order given{"ann", 7};
    on.run(on.client.submit(ship, given));
    on.run(on.client.submit(ship, "ben", 8));
    BOOST_CHECK((on.keys() == std::map<std::string, int>{{"ann", 1}, {"ben", 1}}));
    on.run(on.client.submit(pack, "ben", -8));
    BOOST_CHECK((on.keys("pack") == std::map<std::string, int>{{"-8", 1}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_of_the_submission_comes_before_that_of_the_contract, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    const auto mine = submit_options().key("mine");
    on.run(on.client.submit(ship, mine, "ann", 7));
    on.run(on.client.submit_all(ship, mine, orders));
    BOOST_CHECK((on.keys() == std::map<std::string, int>{{"mine", 4}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_of_many_has_the_key_of_its_own_payload, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    on.run(on.client.submit_all(ship, orders));
    BOOST_CHECK(on.keys() == by_customer);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_text_is_no_key, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    on.run(on.client.submit(ship, "", 7));
    BOOST_CHECK((on.keys() == std::map<std::string, int>{{"", 1}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_can_be_no_key_is_refused_with_the_task_s_name, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    BOOST_CHECK_EXCEPTION(on.run(on.client.submit(ship, "a\nb", 7)), error, [](const error& e) {
        return e.code() == errc::invalid_argument && e.what() == "the key that is taken from the payload of task ship " + controls;
    });
    const std::vector<order> some{{"ann", 1}, {std::string(257, 'x'), 2}};
    BOOST_CHECK_EXCEPTION(on.run(on.client.submit_all(ship, some)), error, [](const error& e) {
        return e.what() == std::string("the key that is taken from payload [1] of task ship has 257 bytes: use at most 256");
    });
    BOOST_TEST(on.list().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_can_be_no_key_of_a_subtask_is_refused_with_its_place, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    site at(on);
    std::vector<std::string> refusals;
    at.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        const std::vector<order> wrong{{"ann", 1}, {"a\nb", 2}};
        try {
            co_await ctx.map(ship, wrong);
        } catch (const error& e) {
            refusals.push_back(e.what());
        }
        co_return 0;
    };
    at.begin();
    at.result(at.client.run(parent, 1));
    BOOST_TEST(refusals == (std::vector<std::string>{"the key that is taken from payload [1] of task ship " + controls}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_submission_that_was_begun_may_outlive_its_contract_and_its_name, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    auto name = std::make_unique<std::string>("made_at_run_time_and_longer_than_any_text_in_place");
    const std::vector<order> wrong{{"a\nb", 2}};
    auto begun = [&] {
        const auto contract = task<void(order)>{*name, here()}.key(&order::customer);
        return on.client.submit_all(contract, wrong);
    }();
    name.reset();
    BOOST_CHECK_EXCEPTION(on.run(std::move(begun)), error, [](const error& e) {
        return e.what() == "the key that is taken from payload [0] of task made_at_run_time_and_longer_than_any_text_in_place " + controls;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_continuation_has_the_key_that_its_contract_takes, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    site at(on);
    at.worker.on(ship, [](order) {});
    at.worker.on(gather, [](spawned) { return 7; });
    at.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto options = spawn_options().then(gather);
        co_await ctx.spawn(ship, orders, options);
        co_return 0;
    };
    at.begin();
    at.result(at.client.run(parent, 1));
    BOOST_CHECK((on.keys("gather") == std::map<std::string, int>{{"3", 1}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(subtasks_have_keys_by_call_map_and_spawn, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    site at(on);
    std::map<std::string, int> shipped;
    at.worker.on(ship, [&](context& ctx, order) { return note_key(at.broker, ctx.id(), shipped); });
    at.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        co_await ctx.call(ship, "carl", 1);
        co_await ctx.map(ship, orders);
        co_await ctx.spawn(ship, orders);
        const auto mine = submit_options().key("mine");
        co_await ctx.map(ship, mine, orders);
        co_await ctx.spawn_one(ship, submit_options(), "dora", 1);
        co_return 0;
    };
    at.begin();
    at.result(at.client.run(parent, 1));
    BOOST_CHECK((shipped == std::map<std::string, int>{{"ann", 4}, {"ben", 2}, {"carl", 1}, {"dora", 1}, {"mine", 3}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ticks_of_a_schedule_have_the_key_of_its_payload, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    scheduler plans(on.shared(), scheduler_options().log([](std::string_view) {}));
    const order given{"ann", 7};
    on.run(plans.every("@every 1h", "UTC", ship, given));
    const auto mine = schedule_options().id("other").submit(submit_options().key("mine"));
    on.run(plans.every("@every 1h", "UTC", ship, given, mine));
    BOOST_TEST(on.run(plans.list()).at(0).definition.task->key.value_or("none") == "mine");
    on.run(plans.run_now("ship"));
    on.run(plans.run_now("other"));
    BOOST_CHECK((on.keys() == std::map<std::string, int>{{"ann", 1}, {"mine", 1}}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_that_is_forwarded_has_the_key_that_the_next_contract_takes, Backend, backends) {
    ordering on(std::make_unique<Backend>());
    const auto with_id = submit_options().id("o7");
    on.run(on.client.submit(next_order, with_id, 1));
    consumer by(on.shared(), next_order);
    auto taken = on.run(by.take(0ms));
    BOOST_REQUIRE_EQUAL(taken.size(), 1U);
    on.run(taken[0].reply_to(ship, "ann", 7));
    on.let_work();
    BOOST_CHECK((on.keys() == std::map<std::string, int>{{"ann", 1}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
