#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

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

BOOST_AUTO_TEST_CASE(a_code_of_another_shared_library_is_equal) {
    static const taskflux::detail::error_category of_another_library;
    const boost::system::error_code theirs(static_cast<int>(taskflux::errc::busy), of_another_library);
    BOOST_TEST((theirs == taskflux::errc::busy));
    BOOST_TEST((theirs != taskflux::errc::lease_lost));
}

BOOST_AUTO_TEST_CASE(an_error_carries_its_code_and_its_sentence) {
    const taskflux::error problem(taskflux::errc::invalid_argument, "queue name is empty");
    BOOST_TEST((problem.code() == taskflux::errc::invalid_argument));
    BOOST_TEST(std::string(problem.what()) == "queue name is empty");
}

BOOST_AUTO_TEST_CASE(an_error_without_a_text_says_the_sentence_of_its_code) {
    const taskflux::error problem(taskflux::errc::queue_full, "");
    BOOST_TEST(std::string(problem.what()) == "the queue is full");
}

BOOST_AUTO_TEST_CASE(an_error_caught_as_one_of_its_bases_says_the_same) {
    const taskflux::error problem(taskflux::errc::timed_out, "no answer within 5 s");
    const boost::system::system_error& as_system_error = problem;
    const std::exception& as_exception = problem;
    BOOST_TEST(std::string(as_system_error.what()) == "no answer within 5 s");
    BOOST_TEST(std::string(as_exception.what()) == "no answer within 5 s");
}

BOOST_AUTO_TEST_CASE(a_copy_of_an_error_keeps_its_text_when_the_original_is_gone) {
    std::optional<taskflux::error> original(std::in_place, taskflux::errc::protocol, std::string(100, 'x'));
    const auto copy = *original;
    original.reset();
    BOOST_TEST(std::string(copy.what()) == std::string(100, 'x'));
    static_assert(std::is_nothrow_copy_constructible_v<taskflux::error>);
}

BOOST_AUTO_TEST_CASE(a_quotation_ends_behind_the_scheme_of_a_url) {
    using taskflux::detail::in_quotes;
    BOOST_TEST(in_quotes("redis://user:secret@host") == "\"redis://\"…");
    BOOST_TEST(in_quotes("use redis://:secret@host", 200) == "\"use redis://\"…");
    BOOST_TEST(in_quotes("redis:/secret") == "\"redis:/secret\"");
}

BOOST_AUTO_TEST_SUITE_END()
