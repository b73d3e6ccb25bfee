#include <taskflux/detail/fnv1a.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(detail_fnv1a)

BOOST_AUTO_TEST_CASE(hashes_are_those_of_the_reference) {
    using taskflux::detail::fnv1a;
    BOOST_TEST(fnv1a("") == 0xcbf29ce484222325U);
    BOOST_TEST(fnv1a("a") == 0xaf63dc4c8601ec8cU);
    BOOST_TEST(fnv1a("foobar") == 0x85944171f73967e8U);
    BOOST_TEST(fnv1a("bar", fnv1a("foo")) == fnv1a("foobar"));
    BOOST_TEST(fnv1a("\xff") == (0xcbf29ce484222325U ^ 0xffU) * 1099511628211U);  // a byte, not a negative number
}

BOOST_AUTO_TEST_SUITE_END()
