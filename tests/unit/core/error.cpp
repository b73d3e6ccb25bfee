#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(core_error)

BOOST_AUTO_TEST_CASE(every_code_has_a_message_of_its_own) {
    const auto unknown = taskflux::taskflux_category().message(9999);
    BOOST_TEST(unknown.find("unknown") != std::string::npos);
    for (int value = 1; value <= static_cast<int>(taskflux::errc::unavailable); ++value) {
        BOOST_TEST(taskflux::taskflux_category().message(value).find("unknown") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_code_converts_to_an_error_code_of_the_taskflux_category) {
    const boost::system::error_code ec = taskflux::errc::lease_lost;
    BOOST_TEST(ec.category().name() == "taskflux");
    BOOST_TEST((ec == taskflux::errc::lease_lost));
    BOOST_TEST((ec != taskflux::errc::not_found));
}

BOOST_AUTO_TEST_CASE(an_error_carries_its_code_and_its_sentence) {
    const taskflux::error problem(taskflux::errc::invalid_argument, "queue name is empty");
    BOOST_TEST((problem.code() == taskflux::errc::invalid_argument));
    BOOST_TEST(std::string(problem.what()).find("queue name is empty") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
