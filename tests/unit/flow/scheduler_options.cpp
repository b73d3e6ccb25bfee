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

BOOST_AUTO_TEST_SUITE_END()
