#include <taskflux/core/limit.hpp>
#include <taskflux/core/limit/rate_gate.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace core_limit {

using namespace std::chrono_literals;
using taskflux::duration;
using taskflux::errc;
using taskflux::limit;
using taskflux::time_point;
using taskflux::detail::rate_gate;

std::string refusal(const std::function<void()>& make) {
    try {
        make();
    } catch (const taskflux::error& e) {
        BOOST_TEST((e.code() == errc::invalid_argument));
        return e.what();
    }
    return "";
}

rate_gate gate_of(std::uint64_t starts, duration per, std::uint64_t burst) {
    return rate_gate(*limit().rate(starts, per, burst).rate());
}

const time_point begin{std::chrono::hours(24 * 365 * 56)};  // where a double has no more than 12 bits for parts of a millisecond

}  // namespace core_limit

BOOST_AUTO_TEST_SUITE(core_limit)

BOOST_AUTO_TEST_CASE(an_empty_limit_holds_nothing_back) {
    BOOST_TEST(limit().is_empty());
    BOOST_TEST(!limit().running(0).is_empty());
    BOOST_TEST(!limit().rate(1, 1s).is_empty());
    BOOST_TEST(!limit().max_waiting(1).is_empty());
    BOOST_TEST((limit().max_waiting(1) != limit().max_waiting(2)));
    static_assert(limit().running(5).rate(10, 1s).rate()->starts == 10, "a literal type");
}

BOOST_AUTO_TEST_CASE(a_burst_is_what_comes_in_50_ms_unless_it_is_said) {
    BOOST_TEST(limit().rate(1, 1s).rate()->burst == 1U);
    BOOST_TEST(limit().rate(20, 1s).rate()->burst == 1U);
    BOOST_TEST(limit().rate(40, 1s).rate()->burst == 2U);
    BOOST_TEST(limit().rate(10'000, 1s).rate()->burst == 500U);
    BOOST_TEST(limit().rate(10'000, 1s, 3).rate()->burst == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_is_refused_with_what_would_be_right) {
    BOOST_TEST(refusal([] { limit().max_waiting(0); }) ==
               "limit: max_waiting: 0 would refuse every task, as each waits before it starts: use at least 1");
    BOOST_TEST(refusal([] { limit().max_waiting(1'000'000'001); }) == "limit: max_waiting: 1000000001 is out of range: use 1 to 1000000000");
    BOOST_TEST(refusal([] { limit().running(1'000'000'001); }) == "limit: running: 1000000001 is out of range: use 0 to 1000000000");
    BOOST_TEST(refusal([] { limit().rate(0, 1s); }) == "limit: rate: no start is allowed at all: use running(0) where nothing is to start");
    for (const auto& per : {duration(0), duration(-1), duration(std::chrono::hours(24 * 367))}) {
        BOOST_TEST(refusal([&] { limit().rate(1, per); }) == "limit: rate: the time must be 1 ms to 366 days");
    }
    BOOST_TEST(refusal([] { limit().rate(2000, 1ms); }) == "limit: rate: more than 1000 starts a millisecond: leave the rate out");
    BOOST_TEST(refusal([] { limit().rate(1, 1s, 1'000'000'001); }) == "limit: rate: the burst must be at most 1000000000");
    BOOST_TEST(refusal([] { limit().rate(1, std::chrono::hours(24 * 366), 3163); }) ==
               "limit: rate: so large a burst would take more than 3,000 years at that rate: use a smaller one");
    limit().rate(1, std::chrono::hours(24 * 366), 3162);
    limit().running(1'000'000'000).rate(1'000'000, 1s, 1'000'000'000);
    limit().rate(1, std::chrono::hours(24 * 366));
}

BOOST_AUTO_TEST_CASE(a_rate_lets_its_burst_start_and_then_one_at_a_time) {
    auto gate = gate_of(10, 1s, 3);
    BOOST_TEST(gate.may_start(begin) == 3U);
    gate.started(3, begin);
    BOOST_TEST(gate.may_start(begin) == 0U);
    BOOST_TEST((gate.opens(begin) == begin + 100ms));
    BOOST_TEST(gate.may_start(begin + 99ms) == 0U);
    BOOST_TEST(gate.may_start(begin + 100ms) == 1U);
    BOOST_TEST(gate.may_start(begin + 250ms) == 2U);
    BOOST_TEST(gate.may_start(begin + 1h) == 3U);
}

BOOST_AUTO_TEST_CASE(it_opens_when_it_says_whatever_the_rate) {
    for (const std::uint64_t starts : {1U, 3U, 7U, 30U, 999U, 123'457U}) {
        auto gate = gate_of(starts, 1s, starts < 1000 ? 1 : 0);
        auto now = begin;
        std::size_t started = 0;
        while (now < begin + 10s) {
            const auto may = gate.may_start(now);
            BOOST_REQUIRE(may > 0U);
            gate.started(may, now);
            started += may;
            BOOST_REQUIRE((gate.opens(now) > now));
            now = gate.opens(now);
        }
        const auto right = static_cast<double>(starts) * 10;
        BOOST_TEST(static_cast<double>(started) >= right * 0.99);
        BOOST_TEST(static_cast<double>(started) <= right * 1.01 + 1);
    }
}

BOOST_AUTO_TEST_CASE(who_comes_a_little_late_takes_nothing_from_the_rate_and_a_pause_gives_it_nothing) {
    auto gate = gate_of(10, 1s, 1);
    gate.started(1, begin);
    BOOST_TEST(gate.may_start(begin + 149ms) == 1U);
    gate.started(1, begin + 149ms);
    BOOST_TEST(gate.may_start(begin + 199ms) == 0U);
    BOOST_TEST(gate.may_start(begin + 200ms) == 1U);
    gate.started(1, begin + 250ms);
    BOOST_TEST(gate.may_start(begin + 349ms) == 0U);
    BOOST_TEST(gate.may_start(begin + 350ms) == 1U);
    BOOST_TEST(gate.may_start(begin + 1h) == 1U);
}

BOOST_AUTO_TEST_CASE(a_clock_that_went_back_holds_nobody_up_for_longer_than_one_start) {
    auto gate = gate_of(1, 10s, 1);
    gate.started(1, begin + 1h);
    BOOST_TEST(gate.may_start(begin) == 1U);
    gate.started(1, begin);
    BOOST_TEST((gate.opens(begin) == begin + 10s));
}

BOOST_AUTO_TEST_CASE(a_rate_that_takes_another_ones_place_gives_nothing_for_free) {
    auto slow = gate_of(1, 10s, 1);
    slow.started(1, begin);
    auto same = gate_of(2, 20s, 1);
    same.next(slow.next());
    BOOST_TEST(same.may_start(begin) == 0U);
    auto quick = gate_of(10, 1s, 5);
    quick.next(slow.next());
    BOOST_TEST(quick.may_start(begin) == 1U);  // and not the whole burst
}

BOOST_AUTO_TEST_CASE(what_is_stated_live_counts_in_the_place_of_what_is_declared) {
    taskflux::queue_limits all;
    BOOST_TEST(all.in_force().is_empty());
    all.declared.emplace(limit().running(5), "", begin);
    BOOST_TEST((all.in_force() == limit().running(5)));
    all.live.emplace(limit(), "all hands", begin);
    BOOST_TEST(all.in_force().is_empty());
}

BOOST_AUTO_TEST_SUITE_END()
