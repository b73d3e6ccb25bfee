#include <taskflux/detail/platform/process.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string_view>
#include <unistd.h>

BOOST_AUTO_TEST_SUITE(detail_process)

BOOST_AUTO_TEST_CASE(a_process_knows_its_number_and_its_memory) {
    BOOST_TEST(taskflux::detail::process_id() == static_cast<std::uint64_t>(::getpid()));
    BOOST_TEST(taskflux::detail::resident_bytes() > 1'000'000U);
    BOOST_TEST(taskflux::detail::load_average() >= 0);
}

BOOST_AUTO_TEST_CASE(the_variables_of_the_environment_are_seen_as_name_and_value) {
    BOOST_REQUIRE(::setenv("TASKFLUX_TEST_OF_PROCESS", "a=b", 1) == 0);
    const auto all = taskflux::detail::environment_variables();
    BOOST_TEST(std::ranges::count(all, std::string_view("TASKFLUX_TEST_OF_PROCESS=a=b")) == 1);
    BOOST_TEST(::unsetenv("TASKFLUX_TEST_OF_PROCESS") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
