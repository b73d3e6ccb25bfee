#include <taskflux/core/id.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cctype>
#include <limits>
#include <random>
#include <vector>

namespace core_id {

using namespace taskflux;

bool is_invalid_argument(const error& e) { return e.code() == errc::invalid_argument; }

static_assert(is_valid_name("a") && is_valid_name("A-z_0.9/x"));
static_assert(!is_valid_name("") && !is_valid_name("a b") && !is_valid_name("a:b") && !is_valid_name("ä"));
static_assert(is_valid_own_id("order 7: ü") && !is_valid_own_id("") && !is_valid_own_id("~x"));

constexpr auto most = (std::numeric_limits<std::uint64_t>::max)();

}  // namespace core_id

BOOST_AUTO_TEST_SUITE(core_id)

BOOST_AUTO_TEST_CASE(names_are_bounded_in_length_and_letters) {
    BOOST_TEST(is_valid_name(std::string(128, 'a')));
    BOOST_TEST(!is_valid_name(std::string(129, 'a')));
    for (int c = 0; c < 256; ++c) {
        const auto text = std::string(1, static_cast<char>(c));
        const bool is_allowed = (c < 128 && std::isalnum(c)) || c == '_' || c == '-' || c == '.' || c == '/';
        BOOST_TEST(is_valid_name(text) == is_allowed);
    }
}

BOOST_AUTO_TEST_CASE(own_ids_are_bounded_and_have_no_control_characters) {
    BOOST_TEST(is_valid_own_id(std::string(256, 'x')));
    BOOST_TEST(!is_valid_own_id(std::string(257, 'x')));
    BOOST_TEST(!is_valid_own_id(std::string("a\0b", 3)));
    BOOST_TEST(!is_valid_own_id("a\nb"));
    BOOST_TEST(!is_valid_own_id("a\x7f"));
    BOOST_TEST(is_valid_own_id("a~"));
}

BOOST_AUTO_TEST_CASE(an_own_id_never_has_the_form_of_a_printed_one) {
    for (const auto* text : {"q:~1.a", "storm:~0.0", "q:~01.1", "q:~A.B", "a.b/c-d:~z.zz"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(!is_valid_own_id(text));
    }
    for (const auto* text : {"q:~1.a/step", "file:~/notes", "q:~1", "q:~.1", "q:1.a", "q q:~1.a", ":~1.a"}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(is_valid_own_id(text));
    }
}

BOOST_AUTO_TEST_CASE(keys_and_ids_read_back_as_they_were_printed) {
    std::mt19937_64 random(3);
    std::vector<task_key> keys{{1, 0}, {35, 36}, {36, 35}, {most, 0xffffffff}};
    for (int i = 0; i < 1000; ++i) keys.push_back({1 + (random() >> (random() % 63)), std::uint32_t(random())});
    for (const auto& key : keys) {
        BOOST_TEST((parse_task_key(to_string(key)) == key));
        const task_id id{"a.queue/of-mine", key};
        BOOST_TEST((parse_task_id(to_string(id)) == id));
    }
    BOOST_TEST(to_string(task_id{"q", {35, 36}}) == "q:~z.10");
}

BOOST_AUTO_TEST_CASE(any_other_text_is_no_key) {
    for (const auto* text : {"", "~", "1.1", "~1", "~.1", "~1.", "~1.1 ", " ~1.1", "~1,1", "~-1.1", "~+1.1", "~1.-1",
                             "~0.1", "~0.0", "~01.1", "~1.01", "~A.1", "~1.A", "~1.1.1", "~1.1z141z4", "~3w5e11264sgsg.1", "~~1.1", "~1.ü"}) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_CHECK_EXCEPTION(parse_task_key(text), error, is_invalid_argument);
            BOOST_CHECK_EXCEPTION(parse_task_id("q:" + std::string(text)), error, is_invalid_argument);
        }
    }
    for (const auto* text : {"", "q", "~1.1", ":~1.1", "a b:~1.1", "q:~1.1:x", "q:r:~1.1"}) {
        BOOST_TEST_CONTEXT(text) BOOST_CHECK_EXCEPTION(parse_task_id(text), error, is_invalid_argument);
    }
}

BOOST_AUTO_TEST_CASE(a_complaint_quotes_what_was_wrong_and_not_too_much_of_it) {
    try {
        parse_task_key(std::string(1'000'000, 'x'));
        BOOST_ERROR("accepted");
    } catch (const error& e) {
        BOOST_TEST(std::string(e.what()).size() < 200U);
        BOOST_TEST(std::string(e.what()).find("xxxx") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
