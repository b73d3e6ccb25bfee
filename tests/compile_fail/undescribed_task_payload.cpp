// expect: this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member))
// names: circle
#include <taskflux/flow/worker.hpp>

#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
#ifdef FIXED
BOOST_DESCRIBE_STRUCT(circle, (), (radius))
#endif

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
    worker.on(circumference, [](const circle& c) { return 6.28 * c.radius; });
}
