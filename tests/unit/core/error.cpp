#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

BOOST_AUTO_TEST_SUITE(core_error)

BOOST_AUTO_TEST_CASE(every_code_has_a_message_of_its_own) {
    const auto& category = taskflux::taskflux_category();
    BOOST_TEST(category.message(9999) == "unknown taskflux error 9999");
    BOOST_TEST(category.message(0) == "unknown taskflux error 0");
    std::set<std::string> messages;
    int number = 0;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<taskflux::errc>>([&](auto code) {
        BOOST_TEST(static_cast<int>(code.value) == ++number);
        const auto message = category.message(number);
        BOOST_TEST(message.find("unknown") == std::string::npos, code.name);
        BOOST_TEST(messages.insert(message).second, code.name);
    });
    BOOST_TEST(number == 20);
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

BOOST_AUTO_TEST_CASE(a_quotation_has_as_many_bytes_as_are_allowed_and_says_when_that_is_not_all) {
    using namespace taskflux::detail;
    BOOST_TEST(in_quotes(std::string(64, 'a')) == '"' + std::string(64, 'a') + '"');
    BOOST_TEST(in_quotes(std::string(65, 'a')) == '"' + std::string(64, 'a') + "\"…");
    BOOST_TEST(in_quotes("abc", 3) == "\"abc\"");
    BOOST_TEST(in_quotes("abcd", 3) == "\"abc\"…");
    BOOST_TEST(printable("abc", 3) == "abc");
    BOOST_TEST(printable("abcd", 3) == "abc…");
    BOOST_TEST(in_quotes("€€", 5) == "\"€\"…");  // no half a character
}

BOOST_AUTO_TEST_CASE(a_quotation_shows_what_has_no_character_as_escapes) {
    using namespace taskflux::detail;
    BOOST_TEST(in_quotes("a\"b\\c") == R"("a\"b\\c")");
    BOOST_TEST(printable("a\"b\\c") == "a\"b\\c");
    BOOST_TEST(printable("\n\r\t\x1f\x20\x7e\x7f") == R"(\n\r\t\x1f ~\x7f)");
    BOOST_TEST(printable("\u0080\u009f\u00a0\u00e9") == "\\xc2\\x80\\xc2\\x9f\u00a0\u00e9");
    BOOST_TEST(printable("\u0420") == "\u0420");  // D0 A0: only of C2 is what follows a control character
    BOOST_TEST(printable("\u0402") == "\u0402");
    BOOST_TEST(printable("\u2027\u2028\u2029\u202a") == "\u2027\\xe2\\x80\\xa8\\xe2\\x80\\xa9\u202a");
}

BOOST_AUTO_TEST_SUITE_END()
