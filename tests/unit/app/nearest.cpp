#include <taskflux/app/config/nearest.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using taskflux::detail::allowed_instead;
using taskflux::detail::letters_between;
using taskflux::detail::nearest;
using taskflux::detail::quoted_list;

BOOST_AUTO_TEST_SUITE(flow_app_nearest)

BOOST_AUTO_TEST_CASE(a_letter_too_many_too_few_another_and_a_swap_are_one_each) {
    BOOST_TEST(letters_between("queue", "queue") == 0U);
    BOOST_TEST(letters_between("queues", "queue") == 1U);
    BOOST_TEST(letters_between("quee", "queue") == 1U);
    BOOST_TEST(letters_between("quewe", "queue") == 1U);
    BOOST_TEST(letters_between("qeuue", "queue") == 1U);
    BOOST_TEST(letters_between("queeu", "queue") == 1U);
    BOOST_TEST(letters_between("eueuq", "queue") == 2U);
    BOOST_TEST(letters_between("", "queue") == 5U);
    BOOST_TEST(letters_between("queue", "") == 5U);
}

BOOST_AUTO_TEST_CASE(a_name_may_differ_in_a_third_of_its_letters_and_in_one_however_short_it_is) {
    BOOST_TEST(nearest("ab", {"xy", "xb"}) == "xb");
    BOOST_TEST(nearest("ab", {"xy"}) == "");
    BOOST_TEST(nearest("", {"x", "xy"}) == "x");
    BOOST_TEST(nearest("abcdef", {"abcdxy"}) == "abcdxy");
    BOOST_TEST(nearest("abcdef", {"abcxyz"}) == "");
    BOOST_TEST(nearest("ab", std::vector<std::string>()) == "");
}

BOOST_AUTO_TEST_CASE(of_several_the_nearest_is_meant_and_of_equals_the_first) {
    BOOST_TEST(nearest("abcdef", {"abcdxy", "abcdex", "abcdxf"}) == "abcdex");
}

BOOST_AUTO_TEST_CASE(what_would_take_long_to_compare_is_not_compared) {
    const std::string name(200, 'a');
    BOOST_TEST(nearest(name, {name}) == name);
    BOOST_TEST(nearest(name + 'a', {name}) == "");
    std::vector<std::string> names(1000, "queue");
    BOOST_TEST(nearest("quee", names) == "queue");
    names.emplace_back("quee");
    BOOST_TEST(nearest("quee", names) == "");
}

BOOST_AUTO_TEST_CASE(what_is_allowed_is_a_sentence_of_its_own_behind_a_question) {
    BOOST_TEST(allowed_instead("quee", {"queue", "node"}) == "; did you mean \"queue\"? Allowed: \"queue\", \"node\"");
    BOOST_TEST(allowed_instead("colour", {"queue", "node"}) == "; allowed: \"queue\", \"node\"");
    BOOST_TEST(allowed_instead("colour", {}) == "; allowed: none");
}

BOOST_AUTO_TEST_CASE(a_long_list_of_names_ends_with_how_many_more_there_are) {
    std::vector<std::string> names(50, "a");
    BOOST_TEST(quoted_list(names).ends_with(", \"a\""));
    names.resize(53, "b");
    BOOST_TEST(quoted_list(names).ends_with(", \"a\" and 3 more"));
}

BOOST_AUTO_TEST_SUITE_END()
