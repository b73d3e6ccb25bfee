#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <ostream>
#include <random>
#include <stdexcept>

namespace core_retry {

using namespace std::chrono_literals;
using taskflux::duration;
using taskflux::next_delay;
using taskflux::retry_policy;

constexpr auto longest = (duration::max)();
constexpr auto most = (std::numeric_limits<unsigned>::max)();

inline constexpr auto in_a_contract =
    retry_policy::exponential(100ms).attempts(3).max_delay(1s).full_jitter();
static_assert(in_a_contract.attempts() == 3 && in_a_contract.has_full_jitter());
static_assert(retry_policy() == retry_policy::none());
static_assert(retry_policy().attempts() == 1);
static_assert(retry_policy::fixed(1s) != retry_policy::linear(1s));

std::optional<duration> decide(const retry_policy& policy, unsigned failed, duration elapsed = {}) {
    std::mt19937_64 random(1);
    return next_delay(policy, failed, elapsed, random);
}

bool is_invalid_argument(const boost::system::system_error& e) {
    return e.code() == taskflux::errc::invalid_argument;
}

struct entry {
    const char* what;
    retry_policy policy;
    unsigned failed;
    duration elapsed;
    std::optional<duration> expected;
};

const auto nothing = std::optional<duration>();
const auto endless = [](retry_policy policy) { return policy.attempts(0); };

const entry table[] = {
    {"none gives up", retry_policy::none(), 1, 0ms, nothing},
    {"default gives up", retry_policy(), 1, 0ms, nothing},
    {"nothing failed yet", retry_policy::fixed(5s), 0, 0ms, 0ms},
    {"none without limit", endless(retry_policy::none()), 9, 0ms, 0ms},
    {"fixed, first", retry_policy::fixed(250ms), 1, 0ms, 250ms},
    {"fixed, fourth", retry_policy::fixed(250ms), 4, 0ms, 250ms},
    {"five attempts by default", retry_policy::fixed(250ms), 5, 0ms, nothing},
    {"fixed over the cap", retry_policy::fixed(2s).max_delay(1s), 1, 0ms, 1s},
    {"linear, first", retry_policy::linear(100ms), 1, 0ms, 100ms},
    {"linear, third", retry_policy::linear(100ms), 3, 0ms, 300ms},
    {"linear capped", retry_policy::linear(100ms).max_delay(250ms), 3, 0ms, 250ms},
    {"linear at the cap", retry_policy::linear(100ms).max_delay(300ms), 3, 0ms, 300ms},
    {"exponential, first", retry_policy::exponential(100ms), 1, 0ms, 100ms},
    {"exponential, fourth", retry_policy::exponential(100ms), 4, 0ms, 800ms},
    {"exponential by 3", retry_policy::exponential(100ms, 3), 3, 0ms, 900ms},
    {"exponential by 1.1", retry_policy::exponential(100ms, 1.1), 3, 0ms, 121ms},
    {"shrinking", retry_policy::exponential(100ms, 0.5), 3, 0ms, 25ms},
    {"shrunk to nothing", endless(retry_policy::exponential(100ms, 0.5)), most, 0ms, 0ms},
    {"factor zero", retry_policy::exponential(100ms, 0), 2, 0ms, 0ms},
    {"factor zero, first", retry_policy::exponential(100ms, 0), 1, 0ms, 100ms},
    {"exponential capped", retry_policy::exponential(100ms).max_delay(300ms), 3, 0ms, 300ms},
    {"attempts used up", retry_policy::exponential(1ms).attempts(3), 3, 0ms, nothing},
    {"attempts left", retry_policy::exponential(1ms).attempts(3), 2, 0ms, 2ms},
    {"more failures than attempts", retry_policy::fixed(1ms).attempts(3), most, 0ms, nothing},
    {"total time left", retry_policy::fixed(1s).total_time(10s), 1, 8s, 1s},
    {"total time just reached", retry_policy::fixed(1s).total_time(10s), 1, 9s, 1s},
    {"total time passed by the delay", retry_policy::fixed(1s).total_time(10s), 1, 9001ms, nothing},
    {"total time over", retry_policy::fixed(0s).total_time(10s), 1, 10001ms, nothing},
    {"total time just over, without a delay", retry_policy::fixed(0s).total_time(10s), 1, 10'000ms, 0ms},
    {"linear without a step", endless(retry_policy::linear(0s)), 3, 0ms, 0ms},
    {"total time over for ever", retry_policy::fixed(1s).total_time(10s), 1, longest, nothing},
    {"time ran backwards", retry_policy::fixed(1s).total_time(10s), 1, (duration::min)(), 1s},
    {"huge fixed", endless(retry_policy::fixed(longest)), most, 0ms, longest},
    {"huge linear", endless(retry_policy::linear(longest)), most, 0ms, longest},
    {"linear overflow", endless(retry_policy::linear(longest / 2)), 3, 0ms, longest},
    {"exponential overflow", endless(retry_policy::exponential(1ms)), most, 0ms, longest},
    {"exponential 2^62", endless(retry_policy::exponential(1ms)), 63, 0ms, duration(1LL << 62)},
    {"exponential 2^63", endless(retry_policy::exponential(1ms)), 64, 0ms, longest},
    {"zero times infinity", endless(retry_policy::exponential(0ms, 1e300)), most, 0ms, 0ms},
    {"huge and total time", endless(retry_policy::exponential(1ms)).total_time(longest), most, longest,
     nothing},
};

std::ostream& operator<<(std::ostream& out, const entry& e) {
    return out << e.what;
}

}  // namespace core_retry

BOOST_AUTO_TEST_SUITE(core_retry)

BOOST_AUTO_TEST_CASE(each_policy_gives_the_delay_of_the_table) {
    for (const auto& e : table) {
        const auto actual = decide(e.policy, e.failed, e.elapsed);
        BOOST_TEST_CONTEXT(e) {
            BOOST_TEST(actual.has_value() == e.expected.has_value());
            if (actual && e.expected) BOOST_TEST(actual->count() == e.expected->count());
        }
    }
}

BOOST_AUTO_TEST_CASE(full_jitter_fills_the_range_and_never_leaves_it) {
    std::mt19937_64 random(42);
    const auto policy = retry_policy::exponential(10ms).attempts(0).max_delay(20ms).full_jitter();
    duration least = longest, greatest{};
    for (int i = 0; i < 2000; ++i) {
        const auto delay = next_delay(policy, 5, 0ms, random).value();
        least = (std::min)(least, delay);
        greatest = (std::max)(greatest, delay);
    }
    BOOST_TEST(least.count() == 0);
    BOOST_TEST(greatest.count() == 20);
}

BOOST_AUTO_TEST_CASE(full_jitter_of_the_longest_delay_does_not_overflow) {
    const auto delay = decide(retry_policy::exponential(1ms).attempts(0).full_jitter(), most);
    BOOST_TEST((delay && *delay >= 0ms));
}

BOOST_AUTO_TEST_CASE(without_jitter_the_generator_is_not_touched) {
    std::mt19937_64 random(7), untouched(7);
    next_delay(retry_policy::exponential(10ms), 2, 0ms, random);
    BOOST_TEST((random == untouched));
}

BOOST_AUTO_TEST_CASE(a_factor_that_is_no_finite_positive_number_is_refused) {
    using limits = std::numeric_limits<double>;
    for (const double factor : {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -1.0}) {
        BOOST_CHECK_EXCEPTION(retry_policy::exponential(1s, factor), boost::system::system_error,
                              is_invalid_argument);
    }
}

BOOST_AUTO_TEST_CASE(a_negative_time_is_refused) {
    BOOST_CHECK_EXCEPTION(retry_policy::fixed(-1ms), taskflux::error, is_invalid_argument);
    BOOST_CHECK_EXCEPTION(retry_policy::linear(-1ms), taskflux::error, is_invalid_argument);
    BOOST_CHECK_EXCEPTION(retry_policy::exponential(-1ms), taskflux::error, is_invalid_argument);
    BOOST_CHECK_EXCEPTION(retry_policy().max_delay(-1ms), taskflux::error, is_invalid_argument);
    BOOST_CHECK_EXCEPTION(retry_policy().total_time(-1ms), taskflux::error, is_invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_predicate_decides_which_failures_are_retried) {
    const auto policy = retry_policy::fixed(1s).retry_if([](const std::exception_ptr& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const std::runtime_error&) {
            return true;
        } catch (...) {
            return false;
        }
    });
    BOOST_TEST(policy.accepts(std::make_exception_ptr(std::runtime_error("again"))));
    BOOST_TEST(!policy.accepts(std::make_exception_ptr(std::logic_error("never"))));
    BOOST_TEST(retry_policy::fixed(1s).accepts(std::make_exception_ptr(1)));
    BOOST_TEST((policy != retry_policy::fixed(1s)));
}

BOOST_AUTO_TEST_CASE(a_policy_can_be_rebuilt_from_what_it_tells) {
    const auto original =
        retry_policy::exponential(3s, 1.5).attempts(7).max_delay(1min).total_time(1h).full_jitter();
    const auto copy = retry_policy::exponential(original.delay(), original.factor())
                          .attempts(original.attempts())
                          .max_delay(original.max_delay())
                          .total_time(original.total_time())
                          .full_jitter(original.has_full_jitter());
    BOOST_TEST((copy == original));
}

BOOST_AUTO_TEST_CASE(a_policy_survives_being_stored_as_a_rule) {
    for (const auto& policy : {retry_policy::exponential(3s, 1.5).attempts(7).max_delay(1min).total_time(1h).full_jitter(),
                               retry_policy::linear(2s).attempts(0).max_delay(5s), retry_policy::fixed(1s).total_time(1min),
                               retry_policy::none()}) {
        BOOST_TEST((policy_of(rule_of(policy)) == policy));
    }
}

BOOST_AUTO_TEST_SUITE_END()
