// expect: a fault's details must have a type of their own, whose name tells them apart: a described class or enum
// names: vector<int>
#include <taskflux/core/fault.hpp>

#include <boost/describe/class.hpp>

#include <vector>

struct missing_seats {
    std::vector<int> rows;
};
BOOST_DESCRIBE_STRUCT(missing_seats, (), (rows))

void book(std::vector<int> rows) {
#ifdef FIXED
    throw taskflux::fault(missing_seats{rows});
#else
    throw taskflux::fault(rows);
#endif
}
