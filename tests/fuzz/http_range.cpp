#include "fuzz.hpp"

// Bodies, so that the fuzzer sees their branches.
#include <taskflux/http/conditional.ipp>
#include <taskflux/http/date.ipp>
#include <taskflux/http/range.ipp>

#include <chrono>
#include <cstdint>

/// Ranges are in the file, apart from each other, and together no more than it; dates and tags come back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = test::as_text(data, size);
    const std::chrono::sys_seconds now = std::chrono::sys_days(std::chrono::days(20'000));
    for (const std::uint64_t all : {std::uint64_t(0), std::uint64_t(1), std::uint64_t(100), ~std::uint64_t(0)}) {
        const auto choice = taskflux::http::choose_ranges(text, all);
        test::require((choice.is() == taskflux::http::range_choice::kind::partial) == !choice.ranges().empty(),
                      "a part has ranges");
        test::require(choice.ranges().size() <= 16, "they are bounded");
        for (const auto& one : choice.ranges()) {
            test::require(one.first <= one.last && one.last < all, "a range is in the file");
            for (const auto& other : choice.ranges()) {
                test::require(&one == &other || one.last + 1 < other.first || other.last + 1 < one.first, "ranges are apart");
            }
        }
    }
    if (const auto date = taskflux::http::parse_date(text, now)) {
        test::require(taskflux::http::parse_date(taskflux::http::date_text(*date), now) == date, "a date comes back");
    }
    if (const auto tag = taskflux::http::entity_tag::parse(text))
        test::require(taskflux::http::entity_tag::parse(tag->text())->text() == tag->text(), "a tag comes back");
    const taskflux::http::validators current{taskflux::http::entity_tag("a"), now};
    taskflux::http::conditional_fields fields;
    fields.if_none_match = text;
    const auto condition = taskflux::http::evaluate(fields, true, current, now);
    test::require(condition != taskflux::http::condition::fails, "a read does not fail for what is cached");
    fields.if_none_match.reset();
    fields.if_match = text;
    fields.if_modified_since = text;
    taskflux::http::evaluate(fields, false, current, now);
    taskflux::http::if_range_holds(text, current, now);
    return 0;
}
