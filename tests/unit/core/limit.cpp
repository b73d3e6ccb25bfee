#include <taskflux/core/limit.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace taskflux {

namespace {

using namespace std::chrono_literals;

std::string refusal(auto action) {
    try {
        action();
    } catch (const error& e) {
        BOOST_TEST((e.code() == errc::invalid_argument));
        return e.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_limit)

BOOST_AUTO_TEST_CASE(a_limit_says_what_it_was_given) {
    constexpr auto given = limit().running(5).rate(100, 1min, 7);
    static_assert(given.running() == 5);
    static_assert(given.count() == 100 && given.per() == 1min && given.burst() == 7);
    static_assert(!limit().running() && limit().count() == 0);
    static_assert(given != limit().running(5).rate(100, 1min));
}

BOOST_AUTO_TEST_CASE(what_no_limit_can_be_is_refused_with_the_range) {
    BOOST_TEST(refusal([] { limit().running(1'000'001); }).find("use 0 to 1000000") != std::string::npos);
    BOOST_TEST(refusal([] { limit().rate(0, 1s); }).find("rate(0, 1000ms, 0)") != std::string::npos);
    for (const auto& wrong : {refusal([] { limit().rate(1'000'001, 1s); }), refusal([] { limit().rate(1, 0ms); }),
                              refusal([] { limit().rate(1, -1s); }), refusal([] { limit().rate(1, 24h * 366 + 1ms); }),
                              refusal([] { limit().rate(5, 1s, 6); })}) {
        BOOST_TEST(wrong.find("is out of range") != std::string::npos);
    }
    BOOST_TEST(refusal([] { limit().running(1'000'000).rate(1'000'000, 24h * 366, 1'000'000); }).empty());
}

BOOST_AUTO_TEST_CASE(a_pace_spreads_starts_evenly_and_saves_up_a_burst) {
    const detail::pace even(limit().rate(10, 1s, 1)), burst(limit().rate(10, 1s, 4));
    BOOST_TEST(even.room(9, 0, 1000) == 1U);
    const auto later = even.after(1, 0, 1000);
    BOOST_TEST(even.room(9, later, 1099) == 0U);
    BOOST_TEST(even.room(9, later, 1100) == 1U);
    BOOST_TEST(even.next(later) == 1100);
    BOOST_TEST(burst.room(9, 0, 1000) == 4U);
    BOOST_TEST(burst.room(2, 0, 1000) == 2U);
    const auto spent = burst.after(4, 0, 1000);
    BOOST_TEST(burst.room(9, spent, 1099) == 0U);
    BOOST_TEST(burst.room(9, spent, 1250) == 2U);
    BOOST_TEST(burst.next(spent) == 1100);
}

BOOST_AUTO_TEST_CASE(a_burst_that_is_not_given_is_what_comes_in_50_ms) {
    const auto at_once = [](const limit& of) { return detail::pace(of).room(1'000'000, 0, 1); };
    BOOST_TEST(at_once(limit().rate(1, 1h)) == 1U);
    BOOST_TEST(at_once(limit().rate(100, 1s)) == 5U);
    BOOST_TEST(at_once(limit().rate(39, 1s)) == 1U);
    BOOST_TEST(at_once(limit().rate(40, 1s)) == 2U);
    BOOST_TEST(at_once(limit().rate(1'000'000, 1s)) == 50'000U);
    BOOST_TEST(at_once(limit()) == 1'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux
