#include "unit/flow/fixture.hpp"

#include <taskflux/app/app.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/flow/queue_control.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace test::flow;
using taskflux::app_config;
using taskflux::config_error;
using taskflux::limit;
using taskflux::limit_config;

namespace flow_app_limits {

struct order {
    std::string customer;
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(order, (), (customer, number))

inline constexpr auto ship = taskflux::task<void(order)>{"ship", task_options().queue("dock")}.key(&order::customer);

/// Apps on the embedded broker, which run in real time.
struct limits_fixture : fixture {
    watchdog guard;
    app_config config;

    limits_fixture() { config.node = "web-1"; }

    /// Runs an app that has a handler for `ship` until it has started and `look` has ended.
    template <class R>
    R while_it_runs(taskflux::app& which, asio::awaitable<R> look) {
        const auto life = start_on(here, which.run_on(broker));
        auto end = start_on(here, std::move(look));
        io.restart();
        while (!end->done && !life->done) io.run_one();
        which.stop();
        while (!life->done) io.run_one();
        return end->get();
    }

    static std::string refusal(const app_config& from) {
        try {
            taskflux::check_config(from);
        } catch (const config_error& e) {
            return e.what();
        }
        return "accepted";
    }
    std::string refusal(std::map<std::string, limit_config> limits) const {
        auto wrong = config;
        wrong.limits = std::move(limits);
        return refusal(wrong);
    }
    std::string key_refusal(const std::string& key, const limit_config& of) const {
        auto wrong = config;
        wrong.key_limits["dock"].keys[key] = of;
        return refusal(wrong);
    }

    static limit_config of(unsigned running) {
        limit_config made;
        made.running = running;
        return made;
    }
};

/// The limits of a queue once a task of it has run: then its worker has joined, and declared them.
asio::awaitable<taskflux::queue_limits> limits_after_one(taskflux::broker_ptr broker) {
    co_await taskflux::client(broker).run(ship, "ann", 1);
    co_return co_await broker->limits("dock");
}

}  // namespace flow_app_limits

BOOST_FIXTURE_TEST_SUITE(flow_app_limits, limits_fixture)

BOOST_AUTO_TEST_CASE(limits_of_the_config_are_declared_by_the_app_s_worker) {
    auto& whole = config.limits["dock"];
    whole.running = 5;
    whole.rate = 100;
    whole.per = 1min;
    whole.burst = 7;
    whole.max_waiting = 1000;
    auto& each = config.key_limits["dock"].each.emplace();
    each.rate = 10;
    config.key_limits["dock"].keys["bob"] = of(9);
    taskflux::app a{config};
    a.on(ship, [](order) -> asio::awaitable<void> { co_return; });
    const auto found = while_it_runs(a, limits_after_one(broker));
    BOOST_TEST((found.in_force() == limit().running(5).rate(100, 1min, 7).max_waiting(1000)));
    BOOST_TEST((found.each_key.in_force() == limit().rate(10, 1s)));
    BOOST_TEST((found.keys.at("bob").in_force() == limit().running(9)));
}

BOOST_AUTO_TEST_CASE(a_wrong_limit_is_refused_with_its_place) {
    limit_config wrong;
    wrong.per = 1s;
    BOOST_TEST(refusal({{"dock", wrong}}) == "config: /limits/dock/per: this belongs to \"rate\", which is missing: add it");
    wrong.per.reset();
    wrong.burst = 2;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/burst: this belongs to \"rate\""));
    wrong.rate = 1;
    wrong.burst = 0;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/burst: expected at least 1"));
    wrong = {};
    wrong.rate = 0;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/rate: limit: rate: no start is allowed at all"));
    wrong.rate = 5000;
    wrong.per = 1ms;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/rate: limit: rate: more than 1000"));
    BOOST_TEST(refusal({{"dock", of(2'000'000'000)}}).starts_with("config: /limits/dock/running: limit: running: 2000000000 is out of range"));
    wrong = {};
    wrong.max_waiting = 0;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/max_waiting: limit: max_waiting: 0 would refuse"));
    BOOST_TEST(refusal({{"a b", of(1)}}).starts_with("config: /limits/a b: expected a name"));
    BOOST_TEST(refusal({{"dock", limit_config()}}) == "accepted", "it takes an earlier declaration back");
}

BOOST_AUTO_TEST_CASE(a_wrong_limit_of_a_key_is_refused_with_its_place) {
    limit_config wrong;
    wrong.max_waiting = 5;
    BOOST_TEST(key_refusal("bob", wrong).starts_with("config: /key_limits/dock/keys/bob/max_waiting: a limit of keys can't bound"));
    BOOST_TEST(key_refusal("", of(1)).starts_with("config: /key_limits/dock/keys/: expected a key of 1 to 256 bytes"));
    BOOST_TEST(key_refusal("bob", of(1)) == "accepted");
    config.key_limits["dock"].each = wrong;
    BOOST_TEST(refusal(config).starts_with("config: /key_limits/dock/each/max_waiting: "));
    config.key_limits.clear();
    config.key_limits["a b"].each = of(1);
    BOOST_TEST(refusal(config).starts_with("config: /key_limits/a b/each: expected a name"));
}

BOOST_AUTO_TEST_CASE(a_wrong_member_of_a_rate_is_told_at_its_own_place) {
    limit_config wrong;
    wrong.rate = 10;
    wrong.per = 0s;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/per: limit: rate: the time must be 1 ms to 366 days"));
    wrong.per.reset();
    wrong.burst = 2'000'000'000;
    BOOST_TEST(refusal({{"dock", wrong}}).starts_with("config: /limits/dock/burst: limit: rate: the burst must be at most"));
}

BOOST_AUTO_TEST_CASE(limits_of_a_program_without_a_task_are_refused) {
    config.limits["dock"] = of(1);
    taskflux::app a{config};
    a.local("sweep", "@daily", [] {});
    BOOST_CHECK_EXCEPTION(start(a.run_on(broker)), config_error, [](const config_error& e) {
        return e.pointer() == "/limits/dock" && e.reason().starts_with("this program has no task, whose worker would declare limits");
    });
}

BOOST_AUTO_TEST_CASE(limits_of_a_queue_in_which_the_program_has_no_task_are_refused_with_their_place) {
    const auto why = [&](const std::string& pointer) {
        taskflux::app a{config};
        a.on(ship, [](order) -> asio::awaitable<void> { co_return; });
        std::string reason = "accepted";
        try {
            const auto life = start(a.run_on(broker));
            a.stop();
            settle();
        } catch (const config_error& e) {
            reason = e.reason();
            BOOST_TEST(e.pointer() == pointer);
        }
        return reason;
    };
    config.limits["dok"] = of(1);
    BOOST_TEST(why("/limits/dok") == "no task of this program is in queue \"dok\"; did you mean \"dock\"? Allowed: \"dock\"");
    config.limits.clear();
    config.key_limits["dok/2"].each = of(1);
    BOOST_TEST(why("/key_limits/dok~12").starts_with("no task of this program is in queue \"dok/2\""));
    config.queues = {"dok/2"};
    config.limits["dock"] = of(1);
    BOOST_TEST(why("") == "accepted");
}

BOOST_AUTO_TEST_CASE(each_role_of_a_program_declares_the_limits_of_the_queues_that_it_serves) {
    config.log_path = (std::filesystem::temp_directory_path() / ("taskflux_limits_" + std::to_string(::getpid()))).string();
    config.limits["dock"] = of(1);
    config.limits["default"] = of(2);
    config.key_limits["default"].each = of(3);
    config.disabled_tasks = {"note"};
    taskflux::app a{config};
    a.on(ship, [](order) -> asio::awaitable<void> { co_return; });
    a.on(note, [](int) -> asio::awaitable<void> { co_return; });
    const auto found = while_it_runs(a, limits_after_one(broker));
    BOOST_TEST((found.in_force() == limit().running(1)));
    BOOST_TEST((now(broker->limits("default")).in_force() == limit()));
    std::ifstream file(config.log_path);
    const std::string log((std::istreambuf_iterator<char>(file)), {});
    std::filesystem::remove(config.log_path);
    const auto first = log.find("the limits of queue default are not declared here, as no task of it is run");
    BOOST_TEST(first != std::string::npos, log);
    BOOST_TEST(log.find("are not declared here", first + 30) == std::string::npos, "once: " << log);

    config.log_path.clear();
    config.disabled_tasks = {"note", "ship"};
    taskflux::app client_only{config};
    client_only.on(ship, [](order) -> asio::awaitable<void> { co_return; });
    client_only.on(note, [](int) -> asio::awaitable<void> { co_return; });
    bool has_started = false;
    client_only.on_start([&](taskflux::client) -> asio::awaitable<void> {
        has_started = true;
        co_return;
    });
    client_only.on_start([](taskflux::client) -> asio::awaitable<void> { throw std::runtime_error("enough"); });
    BOOST_CHECK_THROW(now(client_only.run_on(broker)), std::runtime_error);
    BOOST_TEST(has_started);
}

BOOST_AUTO_TEST_CASE(schedules_of_a_config_have_the_key_that_the_task_takes) {
    taskflux::schedule_config one;
    one.task = "ship";
    one.cron = "@daily";
    one.payload = {{"customer", "ann"}};
    config.schedules = {one};
    taskflux::app a{config};
    a.on(ship, [](order) -> asio::awaitable<void> { co_return; });
    const order own{"ben", 1};
    a.every("@daily", ship, own, taskflux::schedule_options().id("own"));
    while_it_runs(a, limits_after_one(broker));
    const auto stored = now(broker->schedules("dock"));
    BOOST_REQUIRE_EQUAL(stored.rows.size(), 2U);
    std::map<std::string, std::string> keys;
    for (const auto& row : stored.rows) {
        keys[row.id] = taskflux::decode<taskflux::stored_schedule>(row.text).definition.task->key.value_or("none");
    }
    BOOST_TEST(keys["ship"] == "ann");
    BOOST_TEST(keys["own"] == "ben");
}

BOOST_AUTO_TEST_CASE(a_payload_of_a_config_whose_key_can_be_none_is_refused_with_its_place) {
    taskflux::schedule_config one;
    one.task = "ship";
    one.cron = "@daily";
    one.payload = {{"customer", "a\nb"}};
    config.schedules = {one};
    taskflux::app a{config};
    a.on(ship, [](order) -> asio::awaitable<void> { co_return; });
    BOOST_CHECK_EXCEPTION(start(a.run_on(broker)), config_error, [](const config_error& e) {
        return e.pointer() == "/schedules/0/payload" && e.reason().starts_with("the key that is taken from the payload of task ship has ");
    });
}

BOOST_AUTO_TEST_CASE(what_a_function_throws_that_takes_a_key_from_a_payload_of_a_config_is_told_with_its_place) {
    taskflux::schedule_config one;
    one.task = "pack";
    one.cron = "@daily";
    one.payload = {{"customer", "ann"}, {"number", 1}};
    config.schedules = {one};
    for (const bool is_exception : {true, false}) {
        taskflux::app a{config};
        const auto refuse = [=](const order&) -> std::string {
            if (is_exception) throw std::out_of_range("no such order");
            throw 7;
        };
        const auto pack = taskflux::task<void(order)>{"pack"}.key(refuse);
        a.on(pack, [](order) -> asio::awaitable<void> { co_return; });
        BOOST_CHECK_EXCEPTION(start(a.run_on(broker)), config_error, [&](const config_error& e) {
            const std::string why = is_exception ? "no such order" : "an object of type int was thrown, which is not a std::exception";
            return e.pointer() == "/schedules/0/payload" && e.reason() == "the key of task pack can't be taken from it: " + why;
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
