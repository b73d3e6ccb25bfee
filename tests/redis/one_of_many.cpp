#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

// Calls that read all queues or boards, and consumers of several: what is wrong with one of them stays with it.
namespace redis_one_of_many {

using namespace taskflux;
using namespace std::chrono_literals;

inline constexpr task<void(int)> report{"report", task_options().queue("sound")};
inline constexpr task<void(bool)> hold{"hold"};

struct fixture {
    template <class T>
    T run(asio::awaitable<T> call) {
        return on.run(std::move(call));
    }

    /// Stores a task in each queue, and gives one key of the damaged one another type.
    void damage(const std::string& key) {
        for (const std::string queue : {"damaged", "sound"}) {
            run(on.broker->submit(queue, std::vector<new_task>(1, test::plain_task())));
        }
        server.command({"DEL", "tf:{damaged}:" + key});
        server.command({"SET", "tf:{damaged}:" + key, "foreign"});
    }

    void add(const std::string& id) {
        auto adding = scheduler.every("0 0 1 1 *", "UTC", report, 1, schedule_options().id(id));
        run(std::move(adding));
    }

    template <class Call>
    errc code_of(Call call) {
        try {
            run(call());
        } catch (const boost::system::system_error& e) {
            return static_cast<errc>(e.code().value());
        }
        return {};
    }

    /// How often a log line has this text.
    std::ptrdiff_t times_said(std::string_view text) const {
        return std::ranges::count_if(said, [&](const auto& line) { return line.find(text) != std::string::npos; });
    }

    test::redis_server server;
    std::vector<std::string> said;
    test::observer on{server.url(), test::patient().log([this](std::string_view line) { said.emplace_back(line); })};
    const taskflux::scheduler scheduler{on.broker};
};

}  // namespace redis_one_of_many

BOOST_FIXTURE_TEST_SUITE(redis_one_of_many, fixture)

BOOST_AUTO_TEST_CASE(schedules_are_steered_and_listed_while_those_of_another_queue_are_damaged) {
    add("one");
    add("two");
    damage("S");
    run(scheduler.pause("one"));
    run(scheduler.run_now("one"));
    BOOST_TEST(run(scheduler.next("one", 2)).size() == 2U);
    auto all = run(scheduler.list());
    BOOST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all.front().state.paused);
    run(scheduler.resume("one"));
    run(scheduler.remove("one"));
    all = run(scheduler.list());
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all.front().definition.id == "two");
    BOOST_TEST(times_said("the schedules of queue damaged can't be read: ") == 1);
}

BOOST_AUTO_TEST_CASE(that_a_schedule_is_nowhere_is_not_said_while_a_queue_is_damaged) {
    add("one");
    BOOST_TEST((code_of([&] { return scheduler.pause("none"); }) == errc::not_found));
    damage("S");
    BOOST_TEST((code_of([&] { return scheduler.pause("none"); }) == errc::protocol));
    run(scheduler.remove("one"));
    BOOST_TEST((code_of([&] { return scheduler.list(); }) == errc::protocol));
    server.command({"DEL", "tf:{damaged}:S"});
    BOOST_TEST((code_of([&] { return scheduler.pause("none"); }) == errc::not_found));
    BOOST_TEST(run(scheduler.list()).empty());
}

BOOST_AUTO_TEST_CASE(tasks_are_listed_while_another_queue_is_damaged) {
    damage("d");
    const auto page = run(on.broker->list({}));
    BOOST_REQUIRE(page.tasks.size() == 1U);
    BOOST_TEST(page.tasks.front().id.queue == "sound");
    BOOST_TEST(page.cursor.empty());
    run(on.broker->list({}));
    BOOST_TEST(times_said("the tasks of queue damaged can't be listed: ") == 1);
    list_query one;
    one.queue = "damaged";
    BOOST_TEST((code_of([&] { return on.broker->list(one); }) == errc::protocol));
    server.command({"SREM", "tf:{queues}", "sound"});
    BOOST_TEST((code_of([&] { return on.broker->list({}); }) == errc::protocol));
}

BOOST_AUTO_TEST_CASE(a_search_names_queues_that_it_can_not_read) {
    damage("d");
    const inspector look(on.broker);
    const auto page = run(look.search(std::string()));
    BOOST_TEST(page.tasks.size() == 1U);
    BOOST_TEST(page.cursor.empty());
    BOOST_REQUIRE(page.unreadable.size() == 1U);
    BOOST_TEST(page.unreadable[0] == "damaged");
    BOOST_TEST((code_of([&] { return look.search(std::string("queue:damaged")); }) == errc::protocol));
    server.command({"SET", "tf:{damaged}:k", "foreign"});
    const auto by_id = run(look.search(std::string("id:one")));
    BOOST_TEST(by_id.tasks.empty());
    BOOST_TEST(by_id.looked_at == 2U);
    BOOST_REQUIRE(by_id.unreadable.size() == 1U);
    BOOST_TEST(by_id.unreadable[0] == "damaged");
}

BOOST_AUTO_TEST_CASE(that_tasks_can_not_be_listed_keeps_no_other_trouble_of_their_queue_from_being_told) {
    damage("d");
    for (int i = 0; i < 3; ++i) {
        run(on.broker->list({}));
        run(on.broker->schedules("damaged"));  // which works
    }
    BOOST_TEST(times_said("the tasks of queue damaged can't be listed: ") == 1);
    server.command({"SET", "tf:{damaged}:S", "foreign"});
    for (int i = 0; i < 2; ++i) BOOST_TEST((code_of([&] { return on.broker->schedules("damaged"); }) == errc::protocol));
    BOOST_TEST(times_said("the schedules of queue damaged can't be read: ") == 1);
    server.command({"DEL", "tf:{damaged}:d", "tf:{damaged}:S"});  // and nobody looks again
    server.command({"SET", "tf:{damaged}:C", "foreign"});
    const std::vector<std::string> queues{"damaged", "sound"};
    run(on.broker->join("it", queues, 10min));
    BOOST_TEST(times_said("queue damaged is not served, others are: ") == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_that_lost_its_lease_in_one_queue_gives_back_what_it_holds_in_another_at_once) {
    int runs = 0;
    worker both(on.broker, worker_options().queues({"lost", "kept"}).lease(10min).log(nullptr));
    both.on(hold, [&](bool is_held) -> asio::awaitable<void> {
        ++runs;
        asio::steady_timer timer(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
        if (is_held && runs == 1) co_await timer.async_wait(asio::use_awaitable);
    });
    bool has_ended = false;
    asio::co_spawn(on.io, both.run(), [&](std::exception_ptr) { has_ended = true; });
    const auto held = run(on.client.submit(hold, submit_options().queue("kept"), true));
    while (runs == 0) on.counts("kept");
    const auto former = run(held.record()).consumer;
    server.command({"ZREM", "tf:{lost}:C", former});  // as when it has run out
    server.command({"HDEL", "tf:{lost}:h", former});
    run(on.client.submit(hold, submit_options().queue("lost"), false));
    run(held.result());
    const auto record = run(held.record());
    BOOST_TEST(record.crashes == 0U);
    BOOST_TEST(record.consumer != former);
    for (const std::string queue : {"lost", "kept"}) {
        BOOST_TEST(on.counts(queue).consumers == 1U);
        BOOST_TEST(server.command({"HEXISTS", "tf:{" + queue + "}:h", former}).integer() == 0);
    }
    both.stop();
    while (!has_ended) on.counts("kept");
}

BOOST_AUTO_TEST_CASE(foreign_members_of_the_list_of_queues_are_passed_over_and_told_once) {
    add("one");
    const std::vector<std::string> foreign{"", "no queue", std::string(200, 'x'), std::string("a\0b", 3)};
    for (const auto& name : foreign) {
        server.command({"SADD", "tf:{queues}", name});
    }
    BOOST_TEST(run(on.broker->queues()).size() == 1U);
    BOOST_TEST(run(scheduler.list()).size() == 1U);
    run(scheduler.pause("one"));
    BOOST_TEST(run(on.broker->list({})).tasks.empty());
    BOOST_TEST(times_said("no queue names") == 1);
}

BOOST_AUTO_TEST_CASE(services_are_listed_while_the_board_of_another_is_damaged) {
    const directory who(on.broker);
    const auto box = on.broker->open([](std::string_view) {});
    for (const std::string name : {"damaged", "sound"}) {
        service_instance one;
        one.service = name;
        one.id = "it";
        run(on.broker->announce("taskflux/service/" + name, "it", encode(one), 1h));
        run(on.broker->announce("taskflux/services", name, "", 1h));
    }
    run(on.broker->announce("taskflux/services", "no service", "", 1h));
    BOOST_REQUIRE(run(who.services()).size() == 2U);
    server.command({"DEL", "tf:{taskflux/service/damaged}:D"});
    server.command({"SET", "tf:{taskflux/service/damaged}:D", "foreign"});
    const auto found = run(who.services());
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found.front().service == "sound");
    BOOST_TEST(run(who.view()).services.size() == 1U);
    BOOST_TEST((code_of([&] { return who.services("damaged"); }) == errc::protocol));
    run(on.broker->withdraw("taskflux/service/sound", "it"));
    BOOST_TEST((code_of([&] { return who.services(); }) == errc::protocol));
    BOOST_TEST((code_of([&] { return who.view(); }) == errc::protocol));
}

BOOST_AUTO_TEST_SUITE_END()
