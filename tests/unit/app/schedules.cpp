#include <taskflux/app/config/schedules.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace flow_app_schedules {

template <class Config>
Config unusual() {
    Config made;
    made.zone = "Europe/Berlin";
    made.misfire = taskflux::misfire_policy::catch_up;
    made.overlap = taskflux::overlap_policy::skip;
    made.grace = 7s;
    made.jitter = 3s;
    made.hosts = {"a", "b"};
    return made;
}

void check_ticking(const taskflux::schedule_options& options) {
    const auto made = options.define("x", "@daily", options.zone());
    BOOST_TEST(made.zone == "Europe/Berlin");
    BOOST_TEST((made.misfire == taskflux::misfire_policy::catch_up));
    BOOST_TEST(made.limit == 10U);
    BOOST_TEST((made.overlap == taskflux::overlap_policy::skip));
    BOOST_TEST((made.grace == 7s));
    BOOST_TEST((made.jitter == 3s));
    BOOST_TEST(made.hosts == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
}

}  // namespace flow_app_schedules

BOOST_AUTO_TEST_SUITE(flow_app_schedules)

BOOST_AUTO_TEST_CASE(all_that_a_config_says_of_a_schedule_is_in_its_options) {
    auto config = unusual<taskflux::schedule_config>();
    const auto without = taskflux::detail::options_of(config);
    BOOST_TEST(without.id() == "");
    BOOST_TEST(!without.submit().queue().has_value());
    config.id = "mine";
    config.queue = "mail";
    const auto options = taskflux::detail::options_of(config);
    check_ticking(options);
    BOOST_TEST(options.id() == "mine");
    BOOST_TEST(options.submit().queue().value() == "mail");
}

BOOST_AUTO_TEST_CASE(all_that_a_config_says_of_a_job_is_in_its_options) {
    auto config = unusual<taskflux::job_config>();
    config.scope = taskflux::local_scope::once_per_host;
    const auto options = taskflux::detail::options_of(config);
    check_ticking(options);
    BOOST_TEST((options.scope() == taskflux::local_scope::once_per_host));
}

BOOST_AUTO_TEST_CASE(a_client_s_defaults_fill_what_a_scheduled_task_does_not_say) {
    const auto defaults = taskflux::submit_options().deadline(1h).retention(2h, 3h);
    const auto filled = taskflux::detail::with_defaults(taskflux::task_options(), defaults).policy();
    BOOST_TEST((filled.deadline == 1h));
    BOOST_TEST((filled.retention == 2h));
    BOOST_TEST((filled.failed_retention == 3h));
    const auto own = taskflux::detail::with_defaults(taskflux::task_options().deadline(5h).retention(6h, 8h), defaults).policy();
    BOOST_TEST((own.deadline == 5h));
    BOOST_TEST((own.retention == 6h));
    BOOST_TEST((own.failed_retention == 8h));
}

BOOST_AUTO_TEST_SUITE_END()
