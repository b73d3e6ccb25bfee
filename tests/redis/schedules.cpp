#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <string_view>

// What schedules cost a Redis server.
namespace redis_schedules {

using namespace taskflux;

inline constexpr task<void(int)> report{"report", task_options().queue("q")};

struct fixture {
    void add(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto adding = scheduler.every("0 0 1 1 *", "UTC", report, 1, schedule_options().id(std::to_string(i)));
            on.run(std::move(adding));
        }
    }

    /// How often all schedules of a queue were read.
    std::size_t readings() {
        const auto told = server.command({"INFO", "commandstats"}).text;
        constexpr std::string_view name = "cmdstat_hgetall:calls=";
        const auto at = told.find(name);
        return at == std::string::npos ? 0 : std::stoul(told.substr(at + name.size()));
    }

    test::redis_server server;
    test::observer on{server.url()};
    const taskflux::scheduler scheduler{on.broker};
};

}  // namespace redis_schedules

BOOST_FIXTURE_TEST_SUITE(redis_schedules, fixture)

BOOST_AUTO_TEST_CASE(storing_one_reads_no_others) {
    add(1);  // the first one looks where which schedules are
    const auto before = readings();
    add(50);
    BOOST_TEST(readings() == before);
    BOOST_TEST(on.run(scheduler.list()).size() == 50U);
}

BOOST_AUTO_TEST_CASE(steering_one_reads_no_others_of_its_queue) {
    add(3);
    const auto before = readings();
    on.run(scheduler.pause("1"));
    on.run(scheduler.resume("1"));
    on.run(scheduler.run_now("1"));
    BOOST_TEST(on.run(scheduler.next("1", 2)).size() == 2U);
    on.run(scheduler.remove("1"));
    BOOST_TEST(readings() - before == 5U);  // of those of local jobs
    BOOST_TEST(on.run(scheduler.list()).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
