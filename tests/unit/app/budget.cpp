#include <taskflux/app/config/budget.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

using taskflux::config_error;
using taskflux::detail::config_budget;

namespace flow_app_budget {

/// Where a test's config is.
std::string here() { return "x.json:1:2"; }

bool says_where(const config_error& e) { return std::string(e.what()).starts_with("x.json:1:2: more than"); }

}  // namespace flow_app_budget

BOOST_AUTO_TEST_SUITE(flow_app_budget)

BOOST_AUTO_TEST_CASE(a_file_of_the_greatest_size_is_taken_and_no_larger_one) {
    BOOST_CHECK_NO_THROW(config_budget::check_size(config_budget::max_file_size, "x.json"));
    BOOST_CHECK_THROW(config_budget::check_size(config_budget::max_file_size + 1, "x.json"), config_error);
}

BOOST_AUTO_TEST_CASE(as_many_values_as_may_be_are_taken_and_no_more) {
    config_budget budget;
    for (std::size_t i = 0; i != config_budget::max_values; ++i) budget.spend(0, here);
    BOOST_CHECK_EXCEPTION(budget.spend(0, here), config_error, says_where);
}

BOOST_AUTO_TEST_CASE(as_much_text_as_may_be_is_taken_and_no_more) {
    config_budget budget;
    budget.spend(config_budget::max_text - 1, here);
    budget.spend(1, here);
    BOOST_CHECK_EXCEPTION(budget.spend(1, here), config_error, says_where);
}

BOOST_AUTO_TEST_SUITE_END()
