#include <taskflux/core/statistics.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace taskflux {

using namespace std::chrono_literals;
using detail::counted;

namespace core_statistics {

time_histogram of(std::initializer_list<duration> times) {
    time_histogram made;
    for (const auto time : times) made.add(time);
    return made;
}

}  // namespace core_statistics

BOOST_AUTO_TEST_SUITE(core_statistics)

BOOST_AUTO_TEST_CASE(a_duration_is_counted_up_to_its_bound) {
    BOOST_TEST(time_histogram::bucket_of(0ms) == 0U);
    BOOST_TEST(time_histogram::bucket_of(5ms) == 0U);
    BOOST_TEST(time_histogram::bucket_of(6ms) == 1U);
    BOOST_TEST(time_histogram::bucket_of(10ms) == 1U);
    BOOST_TEST(time_histogram::bucket_of(1h) == 24U);
    BOOST_TEST(time_histogram::bucket_of(1h + 1ms) == 25U);
    BOOST_TEST(time_histogram::bucket_count == 26U);
}

BOOST_AUTO_TEST_CASE(each_bound_is_at_most_twice_the_one_before) {
    const auto& bounds = time_histogram::bounds_ms;
    for (std::size_t i = 1; i < bounds.size(); ++i) {
        BOOST_TEST(bounds[i] > bounds[i - 1]);
        BOOST_TEST(bounds[i] <= 2 * bounds[i - 1]);
    }
}

BOOST_AUTO_TEST_CASE(a_histogram_counts_and_sums_what_is_added) {
    const auto all = of({1ms, 5ms, 6ms, 2h, -3ms});
    BOOST_TEST(all.count() == 5U);
    BOOST_TEST(all.sum_ms == 12U + 7'200'000U);
    BOOST_TEST(all.counts[0] == 3U);
    BOOST_TEST(all.counts[1] == 1U);
    BOOST_TEST(all.counts[25] == 1U);
}

BOOST_AUTO_TEST_CASE(percentiles_of_nothing_are_zero) {
    BOOST_TEST((time_histogram().percentile(0.5) == 0ms));
    time_histogram none;
    none.counts.clear();
    BOOST_TEST((none.percentile(0.99) == 0ms));
}

BOOST_AUTO_TEST_CASE(a_percentile_lies_in_its_bucket) {
    BOOST_TEST((of({100ms}).percentile(0.5) == 100ms));
    BOOST_TEST((of({150ms}).percentile(0.0) == 200ms));
    auto many = time_histogram();
    for (int i = 0; i < 95; ++i) many.add(3ms);
    for (int i = 0; i < 5; ++i) many.add(15s);
    BOOST_TEST((many.percentile(0.95) == 5ms));
    BOOST_TEST((many.percentile(0.951) > 10s));
    BOOST_TEST((many.percentile(0.99) == 18s));
    BOOST_TEST((many.percentile(1) == 20s));
    BOOST_TEST((many.percentile(0.5) == 3ms));  // 50 of 95, evenly between 0 and 5 ms
}

BOOST_AUTO_TEST_CASE(a_percentile_beyond_all_bounds_is_the_last_bound) {
    BOOST_TEST((of({5h}).percentile(0.5) == 1h));
    BOOST_TEST((of({1ms, 5h}).percentile(0.99) == 1h));
}

BOOST_AUTO_TEST_CASE(a_share_that_is_none_counts_as_the_nearest) {
    const auto some = of({1ms, 15s});
    BOOST_TEST((some.percentile(-1) == some.percentile(0)));
    BOOST_TEST((some.percentile(2) == some.percentile(1)));
    BOOST_TEST((some.percentile(std::nan("")) == some.percentile(0)));
}

BOOST_AUTO_TEST_CASE(counts_come_back_from_their_text) {
    detail::counted_values values;
    values[counted::submitted] = 7;
    values[counted::attempt_lost] = -2;
    values.add_time(counted::wait, 3ms);
    values.add_time(counted::run, 2h);
    BOOST_TEST(detail::text_of(values) == "0:7,10:-2,11:3,12:7200000,13:1,64:1");
    detail::counted_values read;
    detail::add_text(read, detail::text_of(values));
    BOOST_TEST(read.all() == values.all(), boost::test_tools::per_element());
    detail::add_text(read, "0:1");
    BOOST_TEST(read[counted::submitted] == 8);
}

BOOST_AUTO_TEST_CASE(what_is_no_count_is_passed_over) {
    detail::counted_values read;
    for (const auto* text : {"", ",", "x", "1", "1:", ":1", "65:1", "-1:1", "1:1x", "1 :1", "1:99999999999999999999",
                             "1:9000000000000000000", "99999999999999999999999:1"}) {
        detail::add_text(read, text);
    }
    BOOST_TEST(detail::text_of(read) == "");
    detail::add_text(read, "x,1:4,2:,3:5");
    BOOST_TEST(detail::text_of(read) == "1:4,3:5");
}

BOOST_AUTO_TEST_CASE(each_count_is_seen_in_its_place) {
    detail::counted_values values;
    for (std::size_t i = 0; i < detail::counted_values::size; ++i) values.all()[i] = static_cast<std::int64_t>(i) + 1;
    const auto seen = detail::statistics_of(values);
    BOOST_TEST(seen.submitted == 1U);
    BOOST_TEST(seen.ended.succeeded == 2U);
    BOOST_TEST(seen.ended.failed == 3U);
    BOOST_TEST(seen.ended.cancelled == 4U);
    BOOST_TEST(seen.ended.expired == 5U);
    BOOST_TEST(seen.attempts.succeeded == 6U);
    BOOST_TEST(seen.attempts.retried == 7U);
    BOOST_TEST(seen.attempts.failed == 8U);
    BOOST_TEST(seen.attempts.timed_out == 9U);
    BOOST_TEST(seen.attempts.cancelled == 10U);
    BOOST_TEST(seen.attempts.lost == 11U);
    BOOST_TEST(seen.wait.sum_ms == 12U);
    BOOST_TEST(seen.run.sum_ms == 13U);
    BOOST_TEST(seen.wait.counts.front() == 14U);
    BOOST_TEST(seen.wait.counts.back() == 39U);
    BOOST_TEST(seen.run.counts.front() == 40U);
    BOOST_TEST(seen.run.counts.back() == 65U);
}

BOOST_AUTO_TEST_CASE(a_count_below_zero_is_shown_as_none) {
    detail::counted_values values;
    values[counted::succeeded] = -1;
    BOOST_TEST(detail::statistics_of(values).ended.succeeded == 0U);
}

BOOST_AUTO_TEST_CASE(the_tiers_reach_as_far_as_they_say) {
    const auto reach = [](history_tier tier) { return period_of(tier) * static_cast<duration::rep>(periods_of(tier)); };
    BOOST_TEST((reach(history_tier::ten_seconds) == 1h));
    BOOST_TEST((reach(history_tier::minute) == 24h));
    BOOST_TEST((reach(history_tier::quarter) == 14 * 24h));
}

BOOST_AUTO_TEST_CASE(an_end_counts_by_its_state) {
    BOOST_TEST((detail::counted_end(task_state::succeeded) == counted::succeeded));
    BOOST_TEST((detail::counted_end(task_state::failed) == counted::failed));
    BOOST_TEST((detail::counted_end(task_state::cancelled) == counted::cancelled));
    BOOST_TEST((detail::counted_end(task_state::expired) == counted::expired));
}

BOOST_AUTO_TEST_CASE(a_share_that_is_a_whole_number_of_times_is_that_many) {
    time_histogram of;
    for (int i = 0; i < 55; ++i) of.add(duration(5));
    for (int i = 0; i < 45; ++i) of.add(duration(7));
    BOOST_TEST((of.percentile(0.55) == duration(5)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux
