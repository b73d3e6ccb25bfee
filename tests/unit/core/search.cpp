#include <taskflux/core/error.hpp>
#include <taskflux/core/search.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace search {

namespace data = boost::unit_test::data;
using namespace std::chrono;
using namespace std::chrono_literals;
using taskflux::search_filter;
using taskflux::task_state;

constexpr taskflux::time_point now = sys_days(2026y / January / 31) + 12h + 30min;

search_filter parse(std::string_view text) { return taskflux::parse_search(text, now); }

std::string refusal(std::string_view text) {
    try {
        parse(text);
    } catch (const taskflux::error& e) {
        BOOST_TEST((e.code() == taskflux::errc::invalid_argument));
        return e.what();
    }
    return "none";
}

struct refused {
    const char* text;
    const char* position;
    const char* why;
};
std::ostream& operator<<(std::ostream& out, const refused& one) { return out << one.text; }

bool has(const std::string& payload, const std::string& condition) {
    taskflux::task_record task;
    task.payload = payload;
    return taskflux::detail::has_texts(parse(condition), task);
}

bool has_error(const std::string& error, const std::string& wanted) {
    taskflux::task_record task;
    task.error = error;
    search_filter filter;
    filter.error = wanted;
    return taskflux::detail::has_texts(filter, task);
}

}  // namespace search

BOOST_AUTO_TEST_SUITE(search)

BOOST_AUTO_TEST_CASE(every_qualifier_is_read) {
    const auto found = parse("queue:mail state:failed,cancelled task:send_* key:\"big customer\"\tnode:web-3 id:order:7 error:timeout");
    BOOST_TEST(found.queue == "mail");
    BOOST_TEST((found.states == std::vector{task_state::failed, task_state::cancelled}));
    BOOST_TEST(found.task == "send_*");
    BOOST_TEST(found.key == "big customer");
    BOOST_TEST(found.node == "web-3");
    BOOST_TEST(found.id == "order:7");
    BOOST_TEST(found.error == "timeout");
}

BOOST_AUTO_TEST_CASE(nothing_restricts_nothing) {
    BOOST_TEST((parse("") == search_filter()));
    BOOST_TEST((parse(" \n") == search_filter()));
}

BOOST_AUTO_TEST_CASE(a_printed_id_may_stand_alone) { BOOST_TEST(parse("mail:~1a.2b").id == "mail:~1a.2b"); }

BOOST_AUTO_TEST_CASE(times_are_relative_or_absolute) {
    BOOST_TEST((parse("since:-2h").since == now - 2h));
    BOOST_TEST((parse("since:-90s").since == now - 90s));
    BOOST_TEST((parse("since:-15m").since == now - 15min));
    BOOST_TEST((parse("since:-7d").since == now - days(7)));
    BOOST_TEST((parse("since:-2w").since == now - weeks(2)));
    BOOST_TEST((parse("until:now").until == now));
    const auto day = sys_days(2026y / January / 30);
    BOOST_TEST((parse("until:2026-01-30").until == day));
    BOOST_TEST((parse("until:2026-01-30T10:20").until == day + 10h + 20min));
    BOOST_TEST((parse("until:\"2026-01-30 10:20:30\"").until == day + 10h + 20min + 30s));
    BOOST_TEST((parse("until:2026-01-30T10:20:30.25+02:00").until == day + 8h + 20min + 30s + 250ms));
    BOOST_TEST((parse("until:2026-01-30T10:20Z").until == day + 10h + 20min));
    BOOST_TEST((parse("since:-4000000000w").since == taskflux::time_point()));
}

BOOST_AUTO_TEST_CASE(what_has_a_dot_is_a_path_in_the_payload) {
    const auto found = parse(R"(order.id:42 payload.state:"a \"b\" \\")");
    BOOST_REQUIRE(found.payload.size() == 2U);
    BOOST_TEST(found.payload[0].path == "order.id");
    BOOST_TEST(found.payload[0].value == "42");
    BOOST_TEST(found.payload[1].path == "state");
    BOOST_TEST(found.payload[1].value == R"(a "b" \)");
}

BOOST_DATA_TEST_CASE(a_refusal_says_where_and_what_would_be_right,
                     data::make(std::array{
                         refused{"stat:failed", "character 1:", "payload.stat"},
                         refused{"queue:mail stat:failed", "character 12:", "there are queue, state"},
                         refused{"timeout", "character 1:", "error:timeout"},
                         refused{"state:broken", "character 7:", "waiting_children"},
                         refused{"state:", "character 7:", "no value"},
                         refused{"task:\"a", "character 6:", "not closed"},
                         refused{"task:\"a\"b", "character 9:", "a blank"},
                         refused{R"(task:"a\n")", "character 8:", "backslash"},
                         refused{"task:a\"b", "character 6:", "all of it into quotes"},
                         refused{"task:\"\"", "character 1:", "leave it out"},
                         refused{"task:a task:b", "character 8:", "twice"},
                         refused{"state:held state:failed", "character 12:", "commas"},
                         refused{"since:-1h since:-2h", "character 11:", "twice"},
                         refused{"since:yesterday", "character 7:", "-15m"},
                         refused{"since:-1y", "character 7:", "-15m"},
                         refused{"queue:a,b", "character 7:", "queue's name"},
                         refused{"a..b:1", "character 1:", "single dots"},
                         refused{"payload.:1", "character 1:", "single dots"},
                     }),
                     one) {
    const auto what = refusal(one.text);
    BOOST_TEST(what.find(one.position) != std::string::npos, what);
    BOOST_TEST(what.find(one.why) != std::string::npos, what);
}

BOOST_DATA_TEST_CASE(a_filter_as_text_is_read_as_the_same_filter,
                     data::make(std::array{
                         "", "state:failed,expired queue:q", "task:\"a b\" key:x\\y", R"(a.b:"" error:"\" \\")",
                         "since:-1h until:2026-01-31T10:00:00.125Z", "id:q:~1.1 payload.x:true c.d:e", R"(key:"~1.2" task:"~1.2")",
                     }),
                     text) {
    const auto filter = parse(text);
    const auto written = to_string(filter);
    BOOST_TEST((taskflux::parse_search(written, now + 1h) == filter), written);
}

BOOST_AUTO_TEST_CASE(a_qualifier_whose_value_looks_like_a_number_of_a_task_is_no_id) {
    BOOST_TEST(parse("key:~1.2").key == "~1.2");
    BOOST_TEST(parse("error:~a.b").error == "~a.b");
    const auto paid = parse("payload.x:~1.2");
    BOOST_TEST(paid.id.empty());
    BOOST_REQUIRE(paid.payload.size() == 1U);
    BOOST_TEST(paid.payload[0].value == "~1.2");
    BOOST_TEST(parse("mail:~1.2").id == "mail:~1.2");
    BOOST_TEST(parse("mail.eu:~1.2").id == "mail.eu:~1.2");
    BOOST_TEST(parse("id:key:~1.2").id == "key:~1.2");
}

BOOST_AUTO_TEST_CASE(members_of_a_payload_are_compared_by_value) {
    const std::string payload = R"({"order":{"id":42,"name":"forty two","paid":true,"price":1.5,"note":null},"items":[{"sku":"a"},{"sku":"b"}],"tags":["x",7]})";
    for (const auto* const yes : {"order.id:42", "order.id:42.0", "order.name:\"forty two\"", "order.paid:true", "order.price:1.50",
                                  "order.note:null", "items.0.sku:a", "items.1.sku:b", "items.sku:b", "payload.tags:7", "payload.tags:x"}) {
        BOOST_TEST(has(payload, yes), yes);
    }
    for (const auto* const no : {"order.id:4", "order.id:\"42 \"", "order.name:forty", "order.paid:True", "items.0.sku:b", "items.2.sku:a",
                                 "items.sku:c", "order.other:1", "order.id.more:42", "payload.order:42", "payload.tags:8"}) {
        BOOST_TEST(!has(payload, no), no);
    }
    BOOST_TEST(has(payload, "order.id:42 items.sku:a"));
    BOOST_TEST(!has(payload, "order.id:42 items.sku:c"));
    BOOST_TEST(has(R"({"n":9007199254740993})", "payload.n:9007199254740993"));
    BOOST_TEST(!has(R"({"n":9007199254740993})", "payload.n:9007199254740992"));
    BOOST_TEST(!has("not json", "payload.n:1"));
}

BOOST_AUTO_TEST_CASE(an_error_is_found_by_what_it_says_in_any_case) {
    const std::string failed = R"({"code":"task_failed","type":"std::runtime_error","message":"Timeout after 3 s","pointer":"","expected":""})";
    BOOST_TEST(has_error(failed, "timeout"));
    BOOST_TEST(has_error(failed, "runtime_error"));
    BOOST_TEST(has_error(failed, "task_failed"));
    BOOST_TEST(!has_error(failed, "timeout after 4"));
    BOOST_TEST(!has_error("", "timeout"));
    BOOST_TEST(has_error("", "0123456789abcdef"));  // a group, which the broker knows
}

BOOST_AUTO_TEST_SUITE_END()
