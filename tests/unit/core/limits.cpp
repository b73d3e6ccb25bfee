#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace core_limits {

using namespace taskflux;
using namespace taskflux::detail;

bool is_refused(const name_limit& limit, std::string_view name) {
    try {
        check_name(limit, name);
    } catch (const error& e) {
        BOOST_CHECK(e.code() == errc::invalid_argument);
        return true;
    }
    return false;
}

}  // namespace core_limits

BOOST_AUTO_TEST_SUITE(core_limits)

BOOST_AUTO_TEST_CASE(a_rule_says_which_bytes_a_name_may_have) {
    struct {
        std::string_view name;
        bool word, id, line, text;
    } const cases[] = {
        {"a-Z_0.9/x", true, true, true, true},
        {"a b", false, true, true, true},
        {"größe", false, true, true, true},
        {"a\n", false, false, false, true},
        {"a\x7f", false, false, false, true},
        {"\xff", false, true, false, false},
        {"\xed\xa0\x80", false, true, false, false},
        {"~a", false, false, true, true},
        {"q:~1.a", false, false, true, true},
    };
    for (const auto& [name, word, id, line, text] : cases) {
        BOOST_TEST_CONTEXT(in_quotes(name)) {
            BOOST_TEST(follows(name_rule::word, name) == word);
            BOOST_TEST(follows(name_rule::id, name) == id);
            BOOST_TEST(follows(name_rule::line, name) == line);
            BOOST_TEST(follows(name_rule::text, name) == text);
            BOOST_TEST(follows(name_rule::bytes, name));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_name_of_exactly_the_limit_is_allowed) {
    for (const auto& limit : {limits::queue, limits::consumer, limits::call, limits::own_id}) {
        BOOST_TEST(!is_refused(limit, std::string(limit.most, 'a')));
        BOOST_TEST(is_refused(limit, std::string(limit.most + 1, 'a')));
        BOOST_TEST(is_refused(limit, ""));
        check_name(limit, "", true);
    }
}

BOOST_AUTO_TEST_CASE(names_made_of_names_of_full_length_fit) {
    const auto id = to_string(task_id{std::string(limits::queue.most, 'q'), {~std::uint64_t(), ~std::uint32_t()}});
    const auto call = in_own_id(std::string(limits::call.most, '\n')) + ".18446744073709551615@4294967295";
    check_name(limits::own_id, id + '/' + call);
    check_name(limits::journal_key, "c~" + id + '/' + call);
    check_name(limits::consumer, std::string(limits::worker.most, 'w') + ":0123456789ab.4294967295");
    check_name(limits::board, "taskflux/service/" + std::string(limits::task.most, 's'));
}

BOOST_AUTO_TEST_CASE(names_become_parts_of_own_ids_without_control_characters_and_stay_different) {
    BOOST_TEST(in_own_id("größe 7") == "größe 7");
    BOOST_TEST(in_own_id(std::string("a\n\0%", 4)) == "a%0a%00%25");
    BOOST_TEST(in_own_id("%0a") != in_own_id("\n"));
}

BOOST_AUTO_TEST_CASE(an_error_shows_the_beginning_of_a_name_and_no_control_characters) {
    BOOST_TEST(in_quotes("a\n\xff") == "\"a\\n\\xff\"");
    BOOST_TEST(in_quotes(std::string(70'000, 'a')).size() < 100U);
}

BOOST_AUTO_TEST_CASE(an_error_says_what_is_allowed) {
    const auto text_of = [](const name_limit& limit, std::string_view name) {
        try {
            check_name(limit, name);
        } catch (const error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    BOOST_TEST(text_of(limits::board, "no board") == "not a board name: \"no board\"; use 1 to 200 bytes of A-Z a-z 0-9 _ - . /");
    BOOST_TEST(text_of(limits::unique_key, std::string(70'000, 'a')) ==
               "not a unique key: \"" + std::string(64, 'a') + "\"… of 70000 bytes; use 1 to 1024 bytes");
    BOOST_TEST(text_of(limits::own_id, "~a").starts_with("not an own id: \"~a\"; use"));
    BOOST_TEST(text_of(limits::instance, "") == "not an instance id: \"\"; use 1 to 128 bytes of A-Z a-z 0-9 _ - . /");
    BOOST_TEST(text_of(limits::own_id, "~").ends_with("use 1 to 1024 bytes without control characters, not beginning with '~' and not like "
                                                      "queue:~1.a"));
    BOOST_TEST(text_of(limits::worker, "\n").ends_with("use 1 to 200 bytes of UTF-8 without control characters"));
    BOOST_TEST(text_of(limits::call, "\xff") == "not a call name: \"\\xff\"; use 1 to 200 bytes of UTF-8");
    // One that is not too long is not said to be.
    BOOST_TEST(text_of(limits::queue, std::string(127, 'a') + ' ').find(" of 128 bytes") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(options_refuse_what_the_table_does_not_allow) {
    const std::string long_name(70'000, 'a');
    BOOST_CHECK_THROW(submit_options().unique(long_name), error);
    BOOST_CHECK_THROW(submit_options().header(long_name, ""), error);
    BOOST_CHECK_THROW(submit_options().header("", "value"), error);
    BOOST_CHECK_THROW(submit_options().header("name", long_name), error);
    BOOST_CHECK_THROW(submit_options().header("name", "\xff"), error);
    BOOST_CHECK_THROW(submit_options().id(long_name), error);
    BOOST_CHECK_THROW(worker_options().name(std::string(201, 'a')), error);
    BOOST_CHECK_THROW(worker_options().name("a\nb"), error);
    worker_options().name(std::string(200, 'a'));
}

BOOST_AUTO_TEST_CASE(the_table_says_how_long_each_kind_of_name_may_be) {
    const std::pair<name_limit, std::size_t> table[] = {
        {limits::queue, 128},        {limits::task, 128},       {limits::board, 200},    {limits::board_row, 256},
        {limits::schedule, 512},     {limits::own_id, 1024},    {limits::unique_key, 1024}, {limits::worker, 200},
        {limits::consumer, 255},     {limits::call, 200},       {limits::journal_key, 2048}, {limits::instance, 128},
        {limits::host, 255},         {limits::reason, 1024},    {limits::header, 256},     {limits::header_value, 65'536}};
    for (const auto& [limit, most] : table) {
        BOOST_TEST_CONTEXT(limit.what) {
            BOOST_TEST(limit.most == most);
            BOOST_TEST(allows(limit, std::string(most, 'a')));
            BOOST_TEST(!allows(limit, std::string(most + 1, 'a')));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_header_needs_a_name_and_may_have_no_value) {
    check_header("name", "");
    check_header(std::string(256, 'n'), std::string(65'536, 'v'));
    BOOST_CHECK_THROW(check_header("", "value"), error);
    BOOST_CHECK_THROW(check_header(std::string(257, 'n'), ""), error);
    BOOST_CHECK_THROW(check_header("name", std::string(65'537, 'v')), error);
}

BOOST_AUTO_TEST_SUITE_END()
