// expect: this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member))
// names: area
#include <taskflux/flow/worker.hpp>

#include <boost/describe/class.hpp>

struct area {
    double value = 0;
};
#ifdef FIXED
BOOST_DESCRIBE_STRUCT(area, (), (value))
#endif

inline constexpr taskflux::task<area(double)> circle_area{"circle_area"};

void set_up(taskflux::worker& worker) {
    worker.on(circle_area, [](double radius) { return area{3.14 * radius * radius}; });
}
