#include <taskflux/core/lease/renewal_period.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace taskflux {
namespace core_lease {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(core_lease)

BOOST_AUTO_TEST_CASE(two_renewals_can_fail_before_a_lease_runs_out) {
    for (const duration lease : {100ms, 101ms, 1000ms, 30000ms}) {
        BOOST_TEST((2 * renewal_period(lease) < lease && 3 * renewal_period(lease) <= lease));
        BOOST_TEST((renewal_period(lease) > duration::zero()));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace core_lease
}  // namespace taskflux
