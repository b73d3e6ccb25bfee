#define BOOST_TEST_MODULE taskflux
#include <boost/test/included/unit_test.hpp>
