#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace test::flow;

namespace flow_schedule_moves {

/// An embedded broker that is away for the next schedule that is stored in a queue.
class breaking_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<taskflux::new_task> tasks) override {
        if (queue == away_for && !to.empty()) {
            away_for.clear();
            throw taskflux::error(errc::unavailable, "the server cannot be reached");
        }
        co_return co_await memory_broker::set_schedule(std::move(queue), std::move(id), std::move(from), std::move(to),
                                                       std::move(tasks));
    }

    std::string away_for;
};

}  // namespace flow_schedule_moves

BOOST_FIXTURE_TEST_SUITE(flow_schedule_moves, fixture)

BOOST_AUTO_TEST_CASE(a_move_that_loses_the_server_between_the_two_queues_goes_on_with_the_same_tick_when_it_is_made_again) {
    const auto breaking = std::make_shared<breaking_broker>(io.get_executor(), taskflux::memory_options(), time);
    const auto silent = taskflux::scheduler_options().log(nullptr);
    taskflux::scheduler before(breaking, silent), scheduler(breaking, silent);
    now(before.every("@every 1h", "UTC", tick));
    const auto stored = now(before.list()).at(0);
    advance(20min);
    const auto elsewhere = taskflux::schedule_options().submit(submit_options().queue("elsewhere"));
    breaking->away_for = "elsewhere";
    BOOST_CHECK_EXCEPTION(now(scheduler.every("@every 1h", "UTC", tick, elsewhere)), taskflux::error,
                          [](const taskflux::error& e) { return e.code() == errc::unavailable; });
    BOOST_TEST(now(scheduler.list()).empty());  // in neither queue: it can't fire in both
    advance(10min);
    now(scheduler.every("@every 1h", "UTC", tick, elsewhere));
    const auto all = now(scheduler.list());
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].queue == "elsewhere");
    BOOST_TEST((all[0].state.next == stored.state.next));
}

BOOST_AUTO_TEST_SUITE_END()
