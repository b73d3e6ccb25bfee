#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/flow/scheduler.hpp>

using namespace test::flow;

namespace {

/// An embedded broker that can be away.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<std::vector<std::string>> queues() override {
        if (is_away) throw taskflux::error(errc::unavailable, "no connection");
        return memory_broker::queues();
    }

    bool is_away = false;
};

struct scheduler_fixture : fixture {
    scheduler_fixture() { broker = faulty; }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
    std::vector<std::string> lines;
    taskflux::scheduler runs{faulty, taskflux::scheduler_options().log([this](std::string_view line) { lines.emplace_back(line); })};
    taskflux::scheduler other{faulty};
};

}  // namespace

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

BOOST_AUTO_TEST_SUITE_END()
