#include <taskflux/flow/scheduler_options.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <string>

BOOST_AUTO_TEST_SUITE(flow_scheduler_options)

using namespace std::chrono_literals;
using taskflux::schedule_options;
using taskflux::scheduler_options;

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_with_the_option_and_the_remedy) {
    struct {
        std::function<void()> set;
        const char* what;
        const char* remedy;
    } const refused[] = {
        {[] { schedule_options().hosts({"here", ""}); }, "hosts", "leave it out"},
        {[] { scheduler_options().look_every(0ms); }, "look_every", "use a millisecond or more"},
        {[] { scheduler_options().look_every(-1ms); }, "look_every", "use a millisecond or more"},
    };
    for (const auto& one : refused) {
        BOOST_CHECK_EXCEPTION(one.set(), taskflux::error, [&](const taskflux::error& e) {
            const std::string text = e.what();
            return e.code() == taskflux::errc::invalid_argument && text.find(one.what) != std::string::npos &&
                   text.find(one.remedy) != std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_CASE(the_least_that_makes_sense_is_taken) {
    BOOST_TEST((scheduler_options().look_every(1ms).look_every() == 1ms));
    BOOST_CHECK_NO_THROW(schedule_options().hosts({}).hosts({"here"}));
}

BOOST_AUTO_TEST_CASE(limits_and_times_are_taken_up_to_their_greatest_and_no_further) {
    const auto catch_up = [](unsigned limit) { return schedule_options().misfire(taskflux::misfire_policy::catch_up, limit); };
    BOOST_TEST(catch_up(1000).define("x", "@daily", "UTC").limit == 1000U);
    BOOST_CHECK_THROW(catch_up(1001), taskflux::error);
    BOOST_CHECK_THROW(catch_up(0), taskflux::error);
    constexpr auto year = 24h * 365;
    const auto longest = schedule_options().grace(year).jitter(year).define("x", "@daily", "UTC");
    BOOST_TEST((longest.grace == year && longest.jitter == year));
    BOOST_CHECK_THROW(schedule_options().grace(year + 1ms), taskflux::error);
    BOOST_CHECK_THROW(schedule_options().jitter(year + 1ms), taskflux::error);
    BOOST_CHECK_THROW(schedule_options().grace(-1ms), taskflux::error);
    BOOST_CHECK_THROW(schedule_options().jitter(-1ms), taskflux::error);
}

BOOST_AUTO_TEST_CASE(a_limit_is_that_of_catching_up_alone) {
    for (const auto policy : {taskflux::misfire_policy::skip, taskflux::misfire_policy::fire_once}) {
        const auto made = schedule_options().misfire(policy, 7).define("x", "@daily", "UTC");
        BOOST_TEST((made.misfire == policy));
        BOOST_TEST(made.limit == 1U);
    }
}

BOOST_AUTO_TEST_CASE(what_belongs_to_one_submission_can_not_be_repeated_with_each) {
    using taskflux::submit_options;
    const auto now = std::chrono::time_point_cast<taskflux::duration>(std::chrono::system_clock::now());
    for (const auto& one : {submit_options().id("x"), submit_options().unique("x"), submit_options().hold(true),
                            submit_options().at(now), submit_options().delay(1ms)}) {
        BOOST_CHECK_THROW(schedule_options().submit(one), taskflux::error);
    }
    BOOST_TEST(schedule_options().submit(submit_options().priority(3)).submit().priority().value() == 3);
}

BOOST_AUTO_TEST_SUITE_END()
