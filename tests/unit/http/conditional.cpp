#include <taskflux/http/conditional.hpp>
#include <taskflux/http/date.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace http_conditional {

using namespace taskflux::http;
using namespace std::chrono;

constexpr sys_seconds changed = sys_days(year(2026) / 1 / 2), now = changed + 1h;

const std::string at_change = date_text(changed), before = date_text(changed - 1s), after = date_text(changed + 1s);

const validators current{entity_tag("a1"), changed};

condition get(const conditional_fields& fields) {
    return evaluate(fields, true, current, now);
}
condition put(const conditional_fields& fields) {
    return evaluate(fields, false, current, now);
}
condition nothing_there(const conditional_fields& fields) {
    return evaluate(fields, false, std::nullopt, now);
}

conditional_fields if_match(std::string_view text) {
    return {.if_match = text, .if_none_match = {}, .if_modified_since = {}, .if_unmodified_since = {}};
}
conditional_fields if_none_match(std::string_view text) {
    return {.if_match = {}, .if_none_match = text, .if_modified_since = {}, .if_unmodified_since = {}};
}
conditional_fields if_modified_since(std::string_view text) {
    return {.if_match = {}, .if_none_match = {}, .if_modified_since = text, .if_unmodified_since = {}};
}
conditional_fields if_unmodified_since(std::string_view text) {
    return {.if_match = {}, .if_none_match = {}, .if_modified_since = {}, .if_unmodified_since = text};
}

}  // namespace http_conditional

BOOST_AUTO_TEST_SUITE(http_conditional)

BOOST_AUTO_TEST_CASE(an_entity_tag_comes_back_as_text) {
    for (const std::string_view text : {"\"\"", "\"abc\"", "W/\"a,b\"", "\"a\\b\""})
        BOOST_TEST(entity_tag::parse(text).value().text() == text);
    for (const std::string_view text : {"", "a", "\"", "\"a", "w/\"a\"", "\"a\"b", "\"a b\"", "\"a\x01\""}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(!entity_tag::parse(text).has_value());
    }
    BOOST_TEST(matches_strongly(entity_tag("a"), entity_tag("a")));
    BOOST_TEST(!matches_strongly(entity_tag("a", true), entity_tag("a", true)));
    BOOST_TEST(matches_weakly(entity_tag("a", true), entity_tag("a")));
    BOOST_TEST(!matches_weakly(entity_tag("a"), entity_tag("b")));
}

BOOST_AUTO_TEST_CASE(without_conditions_all_holds) {
    BOOST_TEST(bool(get({}) == condition::holds));
    BOOST_TEST(bool(nothing_there({}) == condition::holds));
}

BOOST_AUTO_TEST_CASE(a_cached_copy_that_is_current_is_not_sent_again) {
    for (const std::string_view list : {"\"a1\"", "W/\"a1\"", "*", "\"x\", \"a1\"", ",\"x,\",,W/\"a1\" ,"}) {
        BOOST_TEST_CONTEXT(list) {
            BOOST_TEST(bool(get(if_none_match(list)) == condition::not_modified));
            BOOST_TEST(bool(put(if_none_match(list)) == condition::fails));
        }
    }
    for (const std::string_view list : {"\"a\"", "\"x\", \"y\"", "", "a1", "\"a1\" \"x\""}) {
        BOOST_TEST_CONTEXT(list) BOOST_TEST(bool(get(if_none_match(list)) == condition::holds));
    }
    BOOST_TEST(bool(nothing_there(if_none_match("*")) == condition::holds));
}

BOOST_AUTO_TEST_CASE(a_change_of_something_else_fails) {
    BOOST_TEST(bool(put(if_match("\"x\", \"a1\"")) == condition::holds));
    BOOST_TEST(bool(put(if_match("*")) == condition::holds));
    for (const std::string_view list : {"\"x\"", "W/\"a1\"", "a1", ""}) BOOST_TEST(bool(put(if_match(list)) == condition::fails));
    BOOST_TEST(bool(nothing_there(if_match("*")) == condition::fails));
}

BOOST_AUTO_TEST_CASE(dates_count_to_the_second) {
    BOOST_TEST(bool(get(if_modified_since(at_change)) == condition::not_modified));
    BOOST_TEST(bool(get(if_modified_since(after)) == condition::not_modified));
    BOOST_TEST(bool(get(if_modified_since(before)) == condition::holds));
    BOOST_TEST(bool(put(if_modified_since(at_change)) == condition::holds));
    BOOST_TEST(bool(get(if_modified_since("yesterday")) == condition::holds));
    BOOST_TEST(bool(put(if_unmodified_since(before)) == condition::fails));
    BOOST_TEST(bool(put(if_unmodified_since(at_change)) == condition::holds));
    BOOST_TEST(bool(put(if_unmodified_since("yesterday")) == condition::holds));
}

BOOST_AUTO_TEST_CASE(a_tag_counts_before_a_date) {
    auto fields = if_none_match("\"x\"");
    fields.if_modified_since = at_change;
    BOOST_TEST(bool(get(fields) == condition::holds));
    fields = if_match("\"a1\"");
    fields.if_unmodified_since = before;
    BOOST_TEST(bool(put(fields) == condition::holds));
    fields.if_none_match = "\"a1\"";
    BOOST_TEST(bool(get(fields) == condition::not_modified));
}

BOOST_AUTO_TEST_CASE(a_range_counts_only_of_the_same_bytes) {
    BOOST_TEST(if_range_holds("\"a1\"", current, now));
    BOOST_TEST(!if_range_holds("W/\"a1\"", current, now));
    BOOST_TEST(!if_range_holds("\"x\"", current, now));
    BOOST_TEST(if_range_holds(at_change, current, now));
    BOOST_TEST(!if_range_holds(after, current, now));
    BOOST_TEST(!if_range_holds(at_change, current, changed));  // may change again in this second
    BOOST_TEST(!if_range_holds("x", current, now));
    const validators undated{entity_tag("a1"), std::nullopt};
    BOOST_TEST(!if_range_holds("x", undated, now));
}

BOOST_AUTO_TEST_SUITE_END()
