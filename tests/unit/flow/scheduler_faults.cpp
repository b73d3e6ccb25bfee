#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <utility>

using namespace test::flow;

namespace flow_scheduler_faults {

/// An embedded broker that can be away.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<std::vector<std::string>> queues() override {
        if (is_away) throw taskflux::error(errc::unavailable, "no connection");
        return memory_broker::queues();
    }

    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<taskflux::new_task> tasks) override {
        if (no_write) throw taskflux::error(errc::unavailable, "no connection");
        return memory_broker::set_schedule(std::move(queue), std::move(id), std::move(from), std::move(to), std::move(tasks));
    }

    bool is_away = false, no_write = false;
};

struct scheduler_fixture : fixture {
    scheduler_fixture() { broker = faulty; }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
    std::vector<std::string> lines;
    taskflux::scheduler runs{faulty, taskflux::scheduler_options().log([this](std::string_view line) { lines.emplace_back(line); })};
    taskflux::scheduler other{faulty};
};

}  // namespace flow_scheduler_faults

BOOST_FIXTURE_TEST_SUITE(flow_scheduler_faults, scheduler_fixture)

BOOST_AUTO_TEST_CASE(a_server_that_goes_away_again_is_logged_again) {
    const auto life = start(runs.run());
    for (std::size_t times = 1; times <= 3; ++times) {
        faulty->is_away = true;
        pass(30s, 1s);
        BOOST_TEST(lines.size() == times);
        faulty->is_away = false;
        pass(30s, 1s);
    }
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(it_looks_again_within_ten_seconds_however_long_the_server_was_away) {
    const auto life = start(runs.run());
    for (int minutes = 1; minutes <= 20; ++minutes) {
        faulty->is_away = true;
        pass(std::chrono::minutes(minutes), 1s);
        faulty->is_away = false;
        const auto before = counts().waiting;
        const auto id = taskflux::schedule_options().id("s" + std::to_string(minutes));
        now(other.every("* * * * * *", "UTC", tick, id));
        pass(12s, 1s);
        BOOST_TEST(counts().waiting > before);
        now(other.remove(id.id()));
        pass(2s, 1s);
    }
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_local_job_that_could_not_be_stored_is_told_of_once_and_stored_later) {
    int calls = 0;
    const auto count = [&]() -> asio::awaitable<void> {
        ++calls;
        co_return;
    };
    runs.local("job", "* * * * * *", count, taskflux::schedule_options().scope(taskflux::local_scope::once_per_cluster));
    faulty->no_write = true;
    const auto life = start(runs.run());
    pass(10s, 1s);
    BOOST_TEST(calls == 0);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0] == "local job job: no connection");
    faulty->no_write = false;
    pass(20s, 1s);
    BOOST_TEST(calls >= 9);
    BOOST_TEST(lines.size() == 1U);
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_schedule_that_cannot_fire_is_told_of_once_each_time) {
    now(other.every("* * * * * *", "UTC", tick));
    const auto life = start(runs.run());
    for (std::size_t times = 1; times <= 2; ++times) {
        pass(3s, 1s);
        faulty->no_write = true;
        pass(10s, 1s);
        BOOST_REQUIRE_EQUAL(lines.size(), times);
        BOOST_TEST(lines.back() == "schedule tick: no connection");
        faulty->no_write = false;
        const auto before = counts().waiting;
        pass(20s, 1s);
        BOOST_TEST(counts().waiting > before + 5);
    }
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_tick_that_finds_its_queue_full_is_tried_again_at_each_look_and_told_of_once) {
    taskflux::queue_control queue(faulty, "default");
    now(other.every("* * * * * *", "UTC", tick));
    now(queue.declare_limit(taskflux::limit().max_waiting(3)));
    const auto life = start(runs.run());
    pass(20s, 1s);
    BOOST_TEST(counts().waiting == 3U);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0].find("schedule tick: queue default has no room for 1 more task") == 0U);
    now(queue.declare_limit(taskflux::limit().max_waiting(50)));
    pass(10s, 1s);
    BOOST_TEST(counts().waiting > 10U);  // also what was missed, as its policy says
    BOOST_TEST(counts().waiting <= 31U);
    BOOST_TEST(lines.size() == 1U);
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_row_that_is_damaged_again_in_the_same_way_is_told_of_again) {
    taskflux::stored_schedule good;
    good.version = taskflux::stored_schedule::current_version;
    good.definition.cron = "* * * * *";
    good.definition.zone = "UTC";
    std::string text;
    const auto put = [&](const std::string& next) {
        BOOST_TEST(now(broker->set_schedule("default", "row", std::exchange(text, next), next, {})));
        pass(2s, 1s);
        return lines.size();
    };
    const auto life = start(runs.run());
    BOOST_TEST(put("no json") == 1U);
    BOOST_TEST(put(taskflux::encode(good)) == 1U);
    BOOST_TEST(put("no json") == 2U);
    runs.stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_SUITE_END()
